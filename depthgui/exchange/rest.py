"""The REST side of the exchange: addresses, parameters, weights and errors as the venue has them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from aiohttp import web

from depthgui.binance.endpoints import API_PREFIX, Market
from depthgui.exchange.clock import Clock
from depthgui.exchange.exchange_info import exchange_info
from depthgui.exchange.faults import Fault, FaultBox, Where
from depthgui.exchange.limits import Refusal, VenueLimits, WeightBudget
from depthgui.exchange.source import Source
from depthgui.exchange.streams import reset
from depthgui.exchange.symbols import SymbolSpec
from depthgui.exchange.venue_format import Dialect, encode_json

# Older clients ask for other versions of the same addresses.
_VERSION = r"{version:v[123]}"
_DIGITS = re.compile(r"[0-9]{1,20}")
_SPOT_SYMBOL = re.compile(r"[\w\-._]{1,50}")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class VenueRefusal(Exception):
    """A request the venue answers with an error: HTTP status, the venue's code and words, and headers."""

    def __init__(self, status: int, code: int | None, msg: str, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.code = code
        self.msg = msg
        self.headers = dict(headers or {})
        super().__init__(msg)

    def response(self) -> web.Response:
        """The answer; a refusal without a code is one that does not come from the venue's own programs."""
        if self.code is None:
            page = f"<html><head><title>{self.msg}</title></head><body><h1>{self.msg}</h1></body></html>"
            return web.Response(status=self.status, text=page, content_type="text/html", headers=self.headers)
        body = encode_json({"code": self.code, "msg": self.msg})
        return web.Response(status=self.status, body=body, content_type="application/json", headers=self.headers)


class Venue(Protocol):
    """What the REST side needs of the exchange."""

    clock: Clock
    faults: FaultBox

    def listing(self, market: Market) -> Sequence[SymbolSpec]:
        """The symbols of a market."""
        ...

    def source(self, market: Market, symbol: str) -> Source | None:
        """The market of a symbol, awake and brought up to now; None if there is no such symbol."""
        ...


class RestMarket:
    """The REST addresses of one market."""

    def __init__(self, venue: Venue, market: Market, limits: VenueLimits, budget: WeightBudget) -> None:
        self.market = market
        self.limits = limits
        self.budget = budget
        self._venue = venue

    def routes(self) -> list[web.RouteDef]:
        """The routes, to be added to the application."""
        prefix = API_PREFIX[self.market].rpartition("/")[0]
        base = f"/{self.market.value}{prefix}/{_VERSION}"
        info_weight = self.limits.exchange_info_weight
        return [
            web.get(f"{base}/ping", self._weighed(self._ping, lambda _: 1)),
            web.get(f"{base}/time", self._weighed(self._time, lambda _: 1)),
            web.get(f"{base}/exchangeInfo", self._weighed(self._exchange_info, lambda _: info_weight)),
            web.get(f"{base}/depth", self._weighed(self._depth, self._depth_weight)),
            web.get(f"{base}/ticker/bookTicker", self._weighed(self._book_ticker, lambda _: 2)),
        ]

    def _weighed(self, handler: Handler, weight: Callable[[web.Request], int]) -> Handler:
        """Wrap a handler: faults, budget, the used-weight header, and errors in the venue's shape."""

        async def handle(request: web.Request) -> web.StreamResponse:
            address = request.remote or ""
            try:
                self._meet_faults(request)
                refusal = self.budget.charge(address, weight(request), self._venue.clock.now_ms())
                if refusal is not None:
                    raise self._refused(refusal)
                response = await handler(request)
            except VenueRefusal as error:
                response = error.response()
            if not response.prepared:
                used = str(self.budget.used(address, self._venue.clock.now_ms()))
                response.headers["x-mbx-used-weight-1m"] = used
                if self.market is Market.SPOT:
                    response.headers["x-mbx-used-weight"] = used
            return response

        return handle

    def _meet_faults(self, request: web.Request) -> None:
        symbol = request.query.get("symbol", "")
        fault = self._venue.faults.first(Where.REST, self._venue.clock.now_ms(), self.market, symbol)
        if fault is not None:
            raise self._faulty(fault)

    def _faulty(self, fault: Fault) -> VenueRefusal:
        status = int(fault.name)
        if status in (429, 418):
            seconds = int(fault.number("retry_after"))
            until_ms = self._venue.clock.now_ms() + seconds * 1000
            return self._refused(Refusal(status, seconds, until_ms))
        if status == 451:
            text = (
                "Service unavailable from a restricted location according to 'b. Eligibility' in the Terms of Use. "
                "Please contact customer service if you believe you received this message in error."
            )
            return VenueRefusal(451, 0, text)
        return VenueRefusal(status, None, "403 Forbidden" if status == 403 else "503 Service Temporarily Unavailable")

    def _refused(self, refusal: Refusal) -> VenueRefusal:
        headers = {"Retry-After": str(refusal.retry_after_s)}
        if refusal.status == 418:
            text = (
                f"Way too much request weight used; IP banned until {refusal.until_ms}. "
                "Please use WebSocket Streams for live updates to avoid bans."
            )
        else:
            text = (
                f"Too much request weight used; current limit is {self.budget.limit} request weight per 1 MINUTE. "
                "Please use WebSocket Streams for live updates to avoid polling the API."
            )
        return VenueRefusal(refusal.status, -1003, text, headers)

    # --- the small ones --------------------------------------------------------------------------------------------

    async def _ping(self, request: web.Request) -> web.StreamResponse:
        return _json({})

    async def _time(self, request: web.Request) -> web.StreamResponse:
        return _json({"serverTime": self._venue.clock.now_ms()})

    async def _exchange_info(self, request: web.Request) -> web.StreamResponse:
        specs = self._venue.listing(self.market)
        if self.market is Market.SPOT:
            specs = _chosen(specs, request)
        return _json(exchange_info(self.market, specs, self.limits, self._venue.clock.now_ms()))

    async def _book_ticker(self, request: web.Request) -> web.StreamResponse:
        source = self._source(request)
        best = source.snapshot(1, self._venue.clock.now_ms())
        bid, ask = (side[0] if side else ("0", "0") for side in (best.bids, best.asks))
        body = {"symbol": source.spec.symbol, "bidPrice": bid[0], "bidQty": bid[1]}
        return _json({**body, "askPrice": ask[0], "askQty": ask[1]})

    # --- depth -----------------------------------------------------------------------------------------------------

    def _limit(self, request: web.Request) -> int:
        text = request.query.get("limit")
        if text is None:
            return self.limits.default_depth
        if not _DIGITS.fullmatch(text):
            raise VenueRefusal(400, -1100, _illegal("limit", "^[0-9]{1,20}$"))
        limit = int(text)
        if self.limits.depth_limits is not None:
            if limit not in self.limits.depth_limits:
                raise VenueRefusal(400, -4021, f"{limit} is not valid depth limit.")
            return limit
        if limit == 0:
            raise VenueRefusal(400, -1100, _illegal("limit", "^[1-9][0-9]{0,19}$"))
        return min(limit, self.limits.largest_depth)

    def _depth_weight(self, request: web.Request) -> int:
        try:
            return self.limits.depth_weight(self._limit(request))
        except VenueRefusal:
            return 1  # a request that is refused for its parameters costs little, and is refused in its turn

    def _source(self, request: web.Request) -> Source:
        symbol = request.query.get("symbol", "")
        if not symbol:
            text = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
            raise VenueRefusal(400, -1102, text)
        if not _SPOT_SYMBOL.fullmatch(symbol) or (self.market is Market.SPOT and symbol != symbol.upper()):
            raise VenueRefusal(400, -1100, _illegal("symbol", "^[\\w\\-._&&[^a-z]]{1,50}$"))
        source = self._venue.source(self.market, symbol)
        if source is None:
            raise VenueRefusal(400, -1121, "Invalid symbol.")
        return source

    async def _depth(self, request: web.Request) -> web.StreamResponse:
        source, limit = self._source(request), self._limit(request)
        now_ms = self._venue.clock.now_ms()
        struck = {
            fault.name: fault
            for fault in self._venue.faults.standing(Where.DEPTH)
            if fault.meets(self.market, source.spec.symbol) and fault.strikes(now_ms)
        }
        old, slow, failing = (struck.get(f"{word}-snapshot") for word in ("old", "slow", "failing"))
        body = self._snapshot_body(source, limit, int(old.number("age") * 1000) if old else 0)
        if slow:
            await asyncio.sleep(slow.number("delay"))
        if failing:
            return self._failed_snapshot(failing, request)
        if "malformed-snapshot" in struck:
            body = body[: len(body) // 2]
        return web.Response(body=body, content_type="application/json")

    def _snapshot_body(self, source: Source, limit: int, age_ms: int) -> bytes:
        snapshot = source.snapshot(limit, self._venue.clock.now_ms(), age_ms=age_ms)
        return Dialect(source.spec).snapshot(snapshot)

    @staticmethod
    def _failed_snapshot(fault: Fault, request: web.Request) -> web.StreamResponse:
        status = int(fault.number("status"))
        if status == 0 and request.transport is not None:
            reset(request.transport)
            return web.Response(status=500)
        raise VenueRefusal(status, int(fault.number("code")), fault.text("msg"))


def _json(body: Any) -> web.Response:
    return web.Response(body=encode_json(body), content_type="application/json")


def _illegal(parameter: str, legal: str) -> str:
    return f"Illegal characters found in parameter '{parameter}'; legal range is '{legal}'."


def _chosen(specs: Sequence[SymbolSpec], request: web.Request) -> Sequence[SymbolSpec]:
    """Spot's exchangeInfo can be asked for single symbols."""
    wanted = re.findall(r'"([^"]+)"', request.query.get("symbols", ""))
    wanted += [request.query["symbol"]] if "symbol" in request.query else []
    if not wanted:
        return specs
    known = {spec.symbol: spec for spec in specs}
    if any(symbol not in known for symbol in wanted):
        raise VenueRefusal(400, -1121, "Invalid symbol.")
    return [known[symbol] for symbol in wanted]
