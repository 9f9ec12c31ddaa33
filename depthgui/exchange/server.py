"""The embedded exchange put together: sources, subscriptions, limits, faults, and the aiohttp server over them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import web

from depthgui.binance.endpoints import Market
from depthgui.book.messages import Snapshot
from depthgui.exchange.clock import Clock, ManualClock, SystemClock
from depthgui.exchange.control import ControlApi
from depthgui.exchange.control_messages import ControlRequest
from depthgui.exchange.faults import Fault, FaultBox, Where
from depthgui.exchange.hub import StreamHub
from depthgui.exchange.limits import SlidingCount, WeightBudget, venue_limits
from depthgui.exchange.market import STEP_MS, UpdateIds
from depthgui.exchange.playback import PlaybackSource, Replay, replays_of
from depthgui.exchange.rest import RestMarket
from depthgui.exchange.sabotage import Saboteur
from depthgui.exchange.source import Message, Source
from depthgui.exchange.stream_names import Route, Topic, parse_stream_name
from depthgui.exchange.streams import SocketRules, StreamSession, reset
from depthgui.exchange.symbols import SymbolSpec, listed_symbols
from depthgui.exchange.synthetic import OnEvent, SyntheticSource

log = logging.getLogger(__name__)

_AWAKE_AFTER_ASKING_MS = 10_000
_HOUSEKEEPING_MS = 250
_PATIENCE_AT_STOP_S = 0.3  # for clients to answer the close frame; those that don't are cut off
_CONNECTS_PER_5_MIN = 300
_IDS_PER_MS = 40  # faster than the market uses them up: after a restart ids go on above the old ones
_FUTURES_ID_STRIDE = 14


def _budgets() -> dict[Market, WeightBudget]:
    """A budget for each market; USD-M and COIN-M have one together, as at the venue since June 2026."""
    budgets = {market: WeightBudget(venue_limits(market).weight_per_minute) for market in Market}
    budgets[Market.COINM] = budgets[Market.USDM]
    return budgets


class Exchange:
    """A venue of four markets on a loopback address; an async context manager, or `start()` and `stop()`.

    ::

        async with Exchange(seed=1, faults=["drop symbol=BTCUSDT after=50"]) as exchange:
            print(exchange.base_url)  # http://127.0.0.1:PORT; markets are below it: /spot, /usdm, /coinm, /options

    `port` 0 takes any free one. `replays` are recordings (paths, or `Replay` with options) that take the place of
    the synthetic symbol; `listing` are symbols beside the usual ones. `clock`: with a `ManualClock` the exchange moves
    by `step(ms)` only. `rules` are what a test sets for sockets; `enforce_limits=False` counts request weight and
    refuses nobody. `history` is the number of level changes per symbol that `book_at` can go back;
    `on_event(market, symbol, diff)` is called with every diff event before faults. Raises OSError if the port is taken,
    RecordingError for a recording without any market data, FaultError for a fault that is none.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 1,
        replays: Iterable[Replay | Path | str] = (),
        faults: Iterable[str] = (),
        clock: Clock | None = None,
        rules: SocketRules | None = None,
        enforce_limits: bool = True,
        history: int = 100_000,
        listing: Iterable[SymbolSpec] = (),
        on_event: OnEvent | None = None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.faults = FaultBox(self._strike_at_once)
        self.hub = StreamHub(Saboteur(self.faults))
        self.sessions: set[StreamSession] = set()
        self.budgets = _budgets()
        self.base_url = ""
        self._host = host
        self._port = port
        self._seed = seed
        self._rules = rules or SocketRules()
        self._history = history
        self._on_event = on_event
        if not enforce_limits:
            self.budgets = {market: WeightBudget(2**62) for market in Market}
        self._connects_limit = _CONNECTS_PER_5_MIN if enforce_limits else 0
        self._connects: dict[str, SlidingCount] = {}
        self._listing = {(spec.market, spec.symbol): spec for spec in (*listed_symbols(), *listing)}
        self._sources: dict[tuple[Market, str], Source] = {}
        self._asked_until_ms: dict[tuple[Market, str], int] = {}
        self._ids: dict[tuple[Market, str], UpdateIds] = {}
        self._closing_at_ms: list[tuple[int, StreamSession]] = []
        self._housekeeping_ms = 0
        self._first_id = self.clock.now_ms() * _IDS_PER_MS
        self._runner: web.AppRunner | None = None
        self._driver: asyncio.Task[None] | None = None
        for replay in replays:
            for one in replays_of(replay if isinstance(replay, Replay) else Replay(Path(replay))):
                self._add_replay(one)
        for fault in faults:
            self.faults.add_script(fault)

    def _add_replay(self, replay: Replay) -> None:
        source = PlaybackSource(replay, history=self._history, on_event=self._on_event)
        key = (source.spec.market, source.spec.symbol)
        if key in self._sources:
            raise ValueError(f"two recordings of {key[0].value}:{key[1]}; one can be played at a time")
        self._sources[key] = source
        self._listing[key] = source.spec

    # --- start and stop --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        runner = web.AppRunner(
            self._application(), access_log=None, shutdown_timeout=1.0, max_line_size=65_536, max_field_size=65_536
        )
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._host, self._port)
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        host, port = runner.addresses[0][:2]
        self.base_url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        if not isinstance(self.clock, ManualClock):
            self._driver = asyncio.get_running_loop().create_task(self._drive(), name="depthgui exchange")
            self._driver.add_done_callback(_report)

    async def stop(self) -> None:
        """Close every connection and stop listening. Can be called twice."""
        if self._driver is not None:
            self._driver.cancel()
            await asyncio.wait([self._driver])
            self._driver = None
        for session in tuple(self.sessions):
            session.close(1001, "going away")
        closing = [task for session in self.sessions for task in session.closing]
        if closing:
            await asyncio.wait(closing, timeout=_PATIENCE_AT_STOP_S)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Exchange:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _application(self) -> web.Application:
        app = web.Application()
        for market in Market:
            app.add_routes(RestMarket(self, market, venue_limits(market), self.budgets[market]).routes())
        for market in Market:
            has_routes = market in (Market.USDM, Market.OPTIONS)
            for route in Route if has_routes else (Route.ANY,):
                base = f"/{market.value}/{route.value}".rstrip("/")
                app.add_routes(
                    [
                        web.get(base + r"/ws{names:(/.*)?}", self._socket_handler(market, route, is_combined=False)),
                        web.get(base + r"/stream{slash:/?}", self._socket_handler(market, route, is_combined=True)),
                    ]
                )
        app.add_routes(ControlApi(self).routes())
        return app

    # --- time ------------------------------------------------------------------------------------------------------

    async def _drive(self) -> None:
        while True:
            await asyncio.sleep(STEP_MS / 1000)
            self.pump()

    def step(self, ms: int = STEP_MS) -> None:
        """Let `ms` milliseconds pass. Only with a `ManualClock`; TypeError otherwise."""
        if not isinstance(self.clock, ManualClock):
            raise TypeError("step() needs an Exchange with a ManualClock")
        while ms > 0:
            part = min(ms, STEP_MS)
            self.clock.advance(part)
            ms -= part
            self.pump()

    def pump(self) -> None:
        """Bring every market that someone listens to up to now, and send what happened."""
        now_ms = self.clock.now_ms()
        self.hub.now_ms = now_ms
        for key in self._awake(now_ms):
            is_new = key not in self._sources
            source = self._known_source(*key)
            if source is None:
                continue
            source.advance(now_ms, self.hub.topics(*key), self._publish)
            if is_new and self._driver is not None:
                break  # a market takes 30 ms to make: who waits for this one gets it before the next is made
        self._close_due(now_ms)
        for session in tuple(self.sessions):
            session.flush()
        if now_ms >= self._housekeeping_ms:
            self._housekeeping_ms = now_ms + _HOUSEKEEPING_MS
            for session in tuple(self.sessions):
                session.keep_house()

    def _awake(self, now_ms: int) -> list[tuple[Market, str]]:
        keys = dict.fromkeys(self.hub.symbols_heard())
        for key, until_ms in list(self._asked_until_ms.items()):
            if until_ms < now_ms:
                del self._asked_until_ms[key]
            else:
                keys[key] = None
        for key, source in self._sources.items():
            if source.runs_unheard:
                keys[key] = None
        return list(keys)

    def _publish(self, topic: Topic, message: Message) -> None:
        for fault in self.faults.standing(Where.SESSION):
            if fault.meets(topic.market, topic.symbol, self.hub.name(topic)) and fault.strikes(self.hub.now_ms):
                self._strike(fault, [session for session in self.sessions if _hears(session, topic)])
        self.hub.publish(topic, message)

    # --- markets ---------------------------------------------------------------------------------------------------

    def listing(self, market: Market) -> Sequence[SymbolSpec]:
        """The symbols of a market, in the order of exchangeInfo."""
        return [spec for spec in self._listing.values() if spec.market is market]

    def source(self, market: Market, symbol: str) -> Source | None:
        """The market of a symbol, brought up to now; it stays awake for a while."""
        source = self._known_source(market, symbol)
        if source is not None:
            now_ms = self.clock.now_ms()
            self._asked_until_ms[(market, symbol)] = now_ms + _AWAKE_AFTER_ASKING_MS
            self.hub.now_ms = now_ms
            source.advance(now_ms, self.hub.topics(market, symbol), self._publish)
        return source

    def _known_source(self, market: Market, symbol: str) -> Source | None:
        key = (market, symbol)
        source = self._sources.get(key)
        if source is None and key in self._listing:
            ids = self._update_ids(market, symbol)
            source = self._sources[key] = SyntheticSource(
                self._listing[key], ids, seed=self._seed, history=self._history, on_event=self._on_event
            )
        return source

    def _update_ids(self, market: Market, symbol: str) -> UpdateIds:
        """Ids of one symbol on spot, of the whole market elsewhere."""
        is_spot = market is Market.SPOT
        key = (market, symbol if is_spot else "")
        if key not in self._ids:
            first = self._first_id + sum(symbol.encode()) * 1_000 * is_spot
            stride = 0 if is_spot else _FUTURES_ID_STRIDE
            self._ids[key] = UpdateIds(first, stride=stride, seed=f"{self._seed}/{market.value}")
        return self._ids[key]

    def book(self, market: Market | str, symbol: str) -> Snapshot:
        """The exchange's whole book of a symbol, now. LookupError if there is no such symbol."""
        return self._existing(market, symbol).snapshot(None, self.clock.now_ms())

    def book_at(self, market: Market | str, symbol: str, update_id: int) -> Snapshot:
        """The exchange's whole book at an update id. LookupError if that is too long ago or the symbol unknown."""
        return self._existing(market, symbol).book_at(update_id)

    def _existing(self, market: Market | str, symbol: str) -> Source:
        source = self._known_source(Market(market), symbol)
        if source is None:
            raise LookupError(f"the exchange has no symbol {symbol} in market {Market(market).value}")
        return source

    @property
    def playbacks(self) -> list[PlaybackSource]:
        """The recordings being played."""
        return [source for source in self._sources.values() if isinstance(source, PlaybackSource)]

    # --- connections -----------------------------------------------------------------------------------------------

    def _socket_handler(self, market: Market, route: Route, *, is_combined: bool) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            refused = self._refused_connect(market, request)
            if refused is not None:
                return refused
            return await self._serve(request, market, route, is_combined=is_combined)

        return handle

    def _refused_connect(self, market: Market, request: web.Request) -> web.Response | None:
        now_ms, address = self.clock.now_ms(), request.remote or ""
        fault = self.faults.first(Where.CONNECT, now_ms, market)
        if fault is not None:
            if fault.text("how") != "reset":
                return web.Response(status=int(fault.text("how")), text="refused by a fault")
            if request.transport is not None:
                reset(request.transport)
            return web.Response(status=503)
        connects = self._connects.setdefault(address, SlidingCount(self._connects_limit, 300_000))
        if not connects.allows(now_ms):
            return web.Response(status=429, text="Too many connection attempts")
        return None

    async def _serve(
        self, request: web.Request, market: Market, route: Route, *, is_combined: bool
    ) -> web.StreamResponse:
        names = request.query.get("streams", "") if is_combined else request.match_info["names"]
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=1 << 20, timeout=2.0)
        try:
            await socket.prepare(request)
        except ConnectionResetError:
            return web.Response(status=503)  # whoever asked has left, and gets nothing of it
        if request.transport is None:
            return socket
        session = StreamSession(
            socket, request.transport, self.hub, self.clock,
            market=market, route=route, is_combined=is_combined,
            limits=venue_limits(market), rules=self._rules, address=request.remote or "",
            fault_of=self._fault_of_request,
        )  # fmt: skip
        self.sessions.add(session)
        try:
            if not session.add_streams([name for name in names.split("/") if name]):
                session.close(1008, "Too many streams")
            await session.run()
        finally:
            self.sessions.discard(session)
        return socket

    # --- faults of connections -------------------------------------------------------------------------------------

    def disconnect(self, market: Market | str | None = None, *, symbol: str = "", code: int = 1006) -> int:
        """Close connections now, by default without a word; tells how many."""
        market = None if market is None else Market(market)
        met = [
            session for session in self.sessions
            if (market is None or session.market is market) and (not symbol or _hears_symbol(session, symbol))
        ]  # fmt: skip
        for session in met:
            session.close(code)
        return len(met)

    def _strike_at_once(self, fault: Fault) -> None:
        if fault.kind.where is not Where.SESSION or fault.number("after"):
            return
        met = [session for session in self.sessions if self._is_meant(fault, session)]
        if met and fault.strikes(self.clock.now_ms()):
            self._strike(fault, met)

    @staticmethod
    def _is_meant(fault: Fault, session: StreamSession) -> bool:
        if not (fault.text("symbol") or fault.text("stream")):
            return fault.meets(session.market)
        return any(
            topic is not None and fault.meets(topic.market, topic.symbol, name)
            for name, topic in session.topics.items()
        )

    def _strike(self, fault: Fault, sessions: Iterable[StreamSession]) -> None:
        now_ms = self.clock.now_ms()
        for session in sessions:
            match fault.name:
                case "disconnect":
                    session.close(int(fault.number("code")), fault.text("reason"))
                case "stall":
                    session.stalled_until_ms = fault.until_ms
                    session.is_deaf = fault.is_on("deaf")
                case "shutdown":
                    session.say_shutdown()
                    if fault.number("close_after"):
                        self._closing_at_ms.append((now_ms + int(fault.number("close_after") * 1000), session))

    def _fault_of_request(self, session: StreamSession, request: ControlRequest) -> Fault | None:
        if request.method not in {"SUBSCRIBE", "UNSUBSCRIBE"}:
            return None
        for fault in self.faults.standing(Where.REQUEST):
            if fault.name == "ignore-subscribe" and request.method != "SUBSCRIBE":
                continue
            if _is_about(fault, session.market, request) and fault.strikes(self.clock.now_ms()):
                return fault
        return None

    def _close_due(self, now_ms: int) -> None:
        due = [session for at_ms, session in self._closing_at_ms if at_ms <= now_ms]
        self._closing_at_ms = [entry for entry in self._closing_at_ms if entry[0] > now_ms]
        for session in due:
            session.close(1001, "server shutdown")


def _hears(session: StreamSession, topic: Topic) -> bool:
    return topic in session.topics.values()


def _is_about(fault: Fault, market: Market, request: ControlRequest) -> bool:
    """Say whether a stream that the request names is one that the fault is for."""
    for name in request.stream_names():
        topic = parse_stream_name(market, name)
        if fault.meets(market, "" if topic is None else topic.symbol, name):
            return True
    return False


def _hears_symbol(session: StreamSession, symbol: str) -> bool:
    return any(topic is not None and topic.symbol == symbol for topic in session.topics.values())


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("the exchange has stopped: %s", error, exc_info=error)
