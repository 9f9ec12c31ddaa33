"""The control calls: what the exchange is doing, and faults added and taken away while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from depthgui.exchange.faults import FaultError
from depthgui.exchange.venue_format import encode_json

if TYPE_CHECKING:
    from depthgui.exchange.server import Exchange


class ControlApi:
    """`GET /control/state`; `GET`, `POST` and `DELETE /control/faults`; `DELETE /control/faults/ID`.

    A POST takes lines of the fault language or JSON, all or nothing; errors are `{"error": "..."}` with status 400.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be added to the application."""
        return [
            web.get("/control/state", self._state),
            web.get("/control/faults", self._list),
            web.post("/control/faults", self._add),
            web.delete("/control/faults", self._clear),
            web.delete(r"/control/faults/{fault_id:\d+}", self._remove),
        ]

    async def _state(self, request: web.Request) -> web.Response:
        exchange = self._exchange
        now_ms = exchange.clock.now_ms()
        sessions = [
            {
                "market": session.market.value,
                "route": session.route.value,
                "combined": session.is_combined,
                "streams": list(session.topics),
                "frames_sent": session.frames_sent,
                "age_s": (now_ms - session.opened_ms) / 1000,
            }
            for session in exchange.sessions
        ]
        used = {
            market.value: {"used": budget.used(request.remote or "", now_ms), "limit": budget.limit}
            for market, budget in exchange.budgets.items()
        }
        return _json(
            {
                "time": now_ms,
                "sessions": sessions,
                "weight": used,
                "faults": [fault.as_dict() for fault in exchange.faults],
                "playbacks": [playback.as_dict() for playback in exchange.playbacks],
                "messages_published": exchange.hub.published,
            }
        )

    async def _list(self, request: web.Request) -> web.Response:
        return _json([fault.as_dict() for fault in self._exchange.faults])

    async def _add(self, request: web.Request) -> web.Response:
        try:
            added = self._exchange.faults.add_script(await request.text())
        except FaultError as error:
            return _json({"error": str(error)}, status=400)
        return _json([fault.as_dict() for fault in added])

    async def _clear(self, request: web.Request) -> web.Response:
        self._exchange.faults.clear()
        return _json([])

    async def _remove(self, request: web.Request) -> web.Response:
        fault_id = int(request.match_info["fault_id"])
        try:
            self._exchange.faults.remove(fault_id)
        except KeyError:
            return _json({"error": f"there is no fault {fault_id}"}, status=404)
        return _json([])


def _json(body: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=encode_json(body), content_type="application/json")
