"""WebSocket connections: one `StreamSession` each, from the handshake to the close.

Data frames are written straight to the transport, as bytes shared by all subscribers and all in one write; aiohttp
makes the handshake, reads, and sends what is rare (answers, pongs, closes). No compression is negotiated, so that
one frame fits all.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import WSMessage, WSMsgType, web

from depthgui.binance.endpoints import Market
from depthgui.exchange.clock import Clock
from depthgui.exchange.control_messages import ControlError, ControlRequest, parse_control
from depthgui.exchange.faults import Fault
from depthgui.exchange.hub import StreamHub
from depthgui.exchange.limits import SlidingCount, VenueLimits
from depthgui.exchange.stream_names import Route, Topic, parse_stream_name
from depthgui.exchange.venue_format import combined, encode_json, ping_frame, text_frame

log = logging.getLogger(__name__)

_POLICY = 1008
_LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class SocketRules:
    """How connections are treated, where it can be set for a test; None: as the market has it.

    `socket_life_s` ends a connection as the venue does after 24 hours; a client that lets more than
    `largest_backlog` bytes pile up is cut off.
    """

    ping_every_s: float | None = None
    pong_within_s: float | None = None
    socket_life_s: float = 86_400.0
    largest_backlog: int = 8 * 1024 * 1024
    messages_per_s: int | None = None
    streams_per_socket: int | None = None


class StreamSession:
    """One client's connection to one market and route.

    All its methods run in the exchange's loop. `push` and `flush` never wait: a client that doesn't read is cut off
    when its backlog is too large, and holds up nobody.
    """

    def __init__(
        self,
        socket_: web.WebSocketResponse,
        transport: asyncio.Transport,
        hub: StreamHub,
        clock: Clock,
        *,
        market: Market,
        route: Route,
        is_combined: bool,
        limits: VenueLimits,
        rules: SocketRules,
        address: str,
        fault_of: Callable[[StreamSession, ControlRequest], Fault | None] = lambda *_: None,
    ) -> None:
        self.market = market
        self.route = route
        self.is_combined = is_combined
        self.address = address
        self.topics: dict[str, Topic | None] = {}
        self.stalled_until_ms: float = 0.0
        self.is_deaf = False
        self.is_closing = False
        self.frames_sent = 0
        self._fault_of = fault_of
        self._socket = socket_
        self._transport = transport
        self._hub = hub
        self._clock = clock
        self._pending: list[bytes] = []
        self._rules = rules
        self._most_streams = rules.streams_per_socket or limits.streams_per_socket
        per_s = limits.messages_per_s if rules.messages_per_s is None else rules.messages_per_s
        self._messages = SlidingCount(per_s, 1000)
        self._ping_every_ms = 1000 * (rules.ping_every_s or limits.ping_every_s)
        self._pong_within_ms = 1000 * (rules.pong_within_s or limits.pong_within_s)
        self.opened_ms = clock.now_ms()
        self._pinged_ms = self.opened_ms
        self._unanswered_since_ms: int | None = None
        self._tasks: set[asyncio.Future[object]] = set()

    # --- subscriptions ---------------------------------------------------------------------------------------------

    def add_streams(self, names: list[str]) -> bool:
        """Subscribe; False, and nothing done, if that were too many streams for one connection."""
        if len(self.topics.keys() | set(names)) > self._most_streams:
            return False
        for name in names:
            if name in self.topics:
                continue
            topic = parse_stream_name(self.market, name)
            if topic is not None and not self.route.serves(topic.kind):
                topic = None
            self.topics[name] = topic
            if topic is not None:
                self._hub.subscribe(self, topic, name)
        return True

    def remove_streams(self, names: list[str]) -> None:
        """Unsubscribe."""
        for name in names:
            topic = self.topics.pop(name, None)
            if topic is not None:
                self._hub.unsubscribe(self, topic, name)

    # --- sending ---------------------------------------------------------------------------------------------------

    def push(self, frame: bytes) -> None:
        """Take a data frame for the next flush; a stalled connection loses it."""
        if self.is_closing or self.stalled_until_ms > self._clock.now_ms():
            return
        self._pending.append(frame)

    def say(self, payload: bytes) -> None:
        """Send a text message at once, after what is pending."""
        if not self.is_closing and not self.is_deaf:
            self._pending.append(text_frame(payload))
            self.flush()

    def flush(self) -> None:
        """Hand all pending frames to the transport in one write."""
        if not self._pending:
            return
        frames, self._pending = self._pending, []
        if self.is_closing or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > self._rules.largest_backlog:
            log.info("client %s does not read: connection cut", self.address)
            self.is_closing = True
            reset(self._transport)
            return
        self.frames_sent += len(frames)
        self._transport.write(b"".join(frames))

    def say_shutdown(self) -> None:
        """Announce that the server goes down."""
        payload = encode_json({"e": "serverShutdown", "E": self._clock.now_ms()})
        self.say(combined("!serverShutdown", payload) if self.is_combined else payload)

    # --- ending ----------------------------------------------------------------------------------------------------

    def close(self, code: int, reason: str = "") -> None:
        """Close with a close frame; 1006 cuts the TCP connection instead."""
        if self.is_closing:
            return
        if code == 1006:
            self.abort()
            return
        self.flush()
        self.is_closing = True
        self._spawn(self._socket.close(code=code, message=reason.encode()))

    @property
    def closing(self) -> list[asyncio.Future[object]]:
        """What is still under way of a close; empty when all is said."""
        return list(self._tasks)

    def abort(self) -> None:
        """Cut the TCP connection: no close frame, a reset at the other end."""
        self.flush()
        self.is_closing = True
        reset(self._transport)

    def _spawn(self, work: Awaitable[object]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Future[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("while closing the connection of %s: %s", self.address, error)

    # --- the connection's life -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Read until the connection ends; then forget all subscriptions."""
        try:
            async for message in self._socket:
                if not await self._received(message):
                    break
        finally:
            self.is_closing = True
            self.remove_streams(list(self.topics))
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=2)

    async def _received(self, message: WSMessage) -> bool:
        """Handle one frame; False to stop reading."""
        now_ms = self._clock.now_ms()
        if not self._messages.allows(now_ms):
            self.close(_POLICY, "Too many requests")
            return True
        if self.is_deaf:
            return True
        match message.type:
            case WSMsgType.TEXT:
                self._answer(message.data)
            case WSMsgType.PING:
                await self._socket.pong(message.data)
            case WSMsgType.PONG:
                self._unanswered_since_ms = None
            case WSMsgType.BINARY:
                self.say(ControlError(3, "Invalid JSON: expected value at line 1 column 1").answer())
            case _:
                return False
        return True

    def _answer(self, text: str) -> None:
        try:
            request = parse_control(text)
            fault = self._fault_of(self, request)
            if fault is None:
                self.say(self._handled(request))
            elif fault.name == "odd-answer":
                self._handled(request)
                for answer in request.odd_answers(fault.text("kind")):
                    self.say(answer)
            elif fault.is_on("serves"):
                self._handled(request)
        except ControlError as error:
            self.say(error.answer())

    def _handled(self, request: ControlRequest) -> bytes:
        match request.method:
            case "SUBSCRIBE":
                if not self.add_streams(request.stream_names()):
                    raise request.error(2, "Invalid request: too many streams")
            case "UNSUBSCRIBE":
                self.remove_streams(request.stream_names())
            case "LIST_SUBSCRIPTIONS":
                return request.answer(list(self.topics))
            case _:
                return self._property(request)
        return request.answer()

    def _property(self, request: ControlRequest) -> bytes:
        name = request.params[0]
        if not isinstance(name, str):
            raise request.error(2, "Invalid request: property name must be a string")
        if name != "combined":
            raise request.error(0, "Unknown property")
        if request.method == "GET_PROPERTY":
            return request.answer(self.is_combined)
        if len(request.params) != 2 or not isinstance(request.params[1], bool):
            raise request.error(1, "Invalid value type: expected Boolean")
        self.is_combined = request.params[1]
        return request.answer()

    def keep_house(self) -> None:
        """What time brings: pings, a client that doesn't answer them, the end of the connection's life."""
        now_ms = self._clock.now_ms()
        if self.is_closing or self.is_deaf:
            return
        if now_ms - self.opened_ms >= self._rules.socket_life_s * 1000:
            self.close(1001, "connection has reached its end of life")
        elif self._unanswered_since_ms is not None and now_ms - self._unanswered_since_ms > self._pong_within_ms:
            self.close(_POLICY, "Pong timeout")
        elif now_ms - self._pinged_ms >= self._ping_every_ms:
            self._pinged_ms = now_ms
            if self._unanswered_since_ms is None:
                self._unanswered_since_ms = now_ms
            self._pending.append(ping_frame(str(now_ms).encode()))
            self.flush()


def reset(transport: asyncio.Transport) -> None:
    """End a TCP connection with a reset, as a router or a crashed host would."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    transport.abort()
