"""WebSocket streams through websockets; its exceptions become ours.

A stream gives raw frames; what they mean is decided above. It keeps the connection alive with pings of its own,
answers the venue's, and ends with BinanceWebsocketClosed, whatever the reason: any close that we did not ask for, 1000
too, is a reason to reconnect.

Frames are delivered within the event that brings them: no task has to wake up for each.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from types import MappingProxyType
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import Event, State

from depthgui.book.errors import (
    BinanceWebsocketClosed,
    ConnectFailedError,
    DepthGuiError,
    RegionNotServedError,
    RequestTimeoutError,
    UsageError,
)
from depthgui.transport.causes import describe_network_error
from depthgui.transport.proxy import ProxyChoice, without_login
from depthgui.transport.tls import SharedContext

# The largest recorded frame is 60 kB; a snapshot-sized one would be 500 kB.
_MAX_FRAME_BYTES = 8 * 2**20
# Frames that may wait between the socket and the reader; beyond, TCP slows the sender: nothing is ever dropped.
_MAX_WAITING_FRAMES = 512
_PING_INTERVAL_S = 10.0
_PING_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 0.5
_WHOLE_TEXT = 0x81  # a frame's first byte: final, nothing reserved in use, text (RFC 6455, 5.2)
_STATUS_WORDS = MappingProxyType(
    {
        403: "HTTP 403: refused by the venue's firewall",
        407: "HTTP 407: a proxy wants a password",
        429: "HTTP 429: too many connection attempts",
    }
)


class Stream(Protocol):
    """An open connection that gives frames."""

    async def recv(self) -> bytes:
        """Wait for the next frame. Raises BinanceWebsocketClosed once the connection has ended."""

    async def deliver(self, take: Callable[[bytes], None]) -> None:
        """Call `take` with every frame from now on, in order. `take` must not wait, and may be called from any task.

        Raises BinanceWebsocketClosed once the connection has ended, or what `take` raised, which ends it.
        """

    async def send(self, text: str) -> None:
        """Send a text frame. Raises BinanceWebsocketClosed once the connection has ended."""

    async def close(self) -> None:
        """End the connection. May be called twice."""


class StreamOpener(Protocol):
    """Opens streams; tests put a fake one in its place."""

    async def open(self, url: str) -> Stream:
        """Connect. Raises ConnectFailedError, RequestTimeoutError or RegionNotServedError."""


class WebSocketOpener:
    """Opens real WebSocket connections, through a proxy where one is set."""

    def __init__(
        self, *, proxy: ProxyChoice | None = None, tls: SharedContext | None = None, timeout_s: float = 10.0
    ) -> None:
        """Open nothing yet."""
        self._proxy = proxy or ProxyChoice()
        self._tls = tls or SharedContext()
        self._timeout_s = timeout_s

    async def open(self, url: str) -> Stream:
        """Connect to `url`."""
        try:
            proxy = self._proxy.for_url(url)
        except UsageError as error:
            raise ConnectFailedError(url, str(error)) from error
        try:
            connection = await connect(
                url,
                ssl=await self._tls.get() if url.startswith("wss:") else None,
                proxy=_resolving(proxy),
                open_timeout=self._timeout_s,
                close_timeout=_CLOSE_TIMEOUT_S,
                ping_interval=_PING_INTERVAL_S,
                ping_timeout=_PING_TIMEOUT_S,
                max_size=_MAX_FRAME_BYTES,
                max_queue=_MAX_WAITING_FRAMES,
                user_agent_header=None,
                create_connection=_Connection,
            )
        except TimeoutError as error:
            raise RequestTimeoutError(url, self._timeout_s) from error
        except (OSError, WebSocketException, EOFError, ValueError) as error:
            raise _connect_error(url, proxy, error) from error
        assert isinstance(connection, _Connection)
        return _WebSocketStream(url, connection)


def _resolving(proxy: str | None) -> str | None:
    """The same proxy by the scheme under which it, not this machine, resolves names; as for REST."""
    if proxy is None or not proxy.startswith("socks"):
        return proxy
    return f"{'socks5h' if proxy.startswith('socks5') else 'socks4a'}:{proxy.partition(':')[2]}"


def _connect_error(url: str, proxy: str | None, error: Exception) -> DepthGuiError:
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        if status == 451:
            return RegionNotServedError(url=url)
        return ConnectFailedError(url, _STATUS_WORDS.get(status) or f"HTTP {status} instead of a WebSocket")
    if proxy is None or (isinstance(error, (InvalidHandshake, InvalidURI)) and not isinstance(error, ProxyError)):
        return ConnectFailedError(url, describe_network_error(error))
    if isinstance(error, InvalidProxyStatus):
        cause = f" answered HTTP {error.response.status_code}"
    elif isinstance(error, ProxyError):
        cause = f": {describe_network_error(error.__cause__ or error)}"
    elif isinstance(error, ssl.SSLError):  # of the venue, behind the proxy
        return ConnectFailedError(url, describe_network_error(error))
    else:
        cause = f": {describe_network_error(error)}"
    return ConnectFailedError(url, f"the proxy {without_login(proxy)}{cause}")


class _Connection(ClientConnection):
    """Gives whole text frames to `take`, if there is one, as soon as they arrive; all others are queued for `recv`.

    A frame is queued, too, while others are: so that the order is kept.
    """

    take: Callable[[bytes], None] | None = None
    failure: Exception | None = None
    _has_begun = False
    _is_in_pieces = False  # the message under way

    def data_received(self, data: bytes) -> None:
        # Nearly all that ever arrives is a plain text frame, whole. The full parser takes four times as long for it.
        taken = 0
        if not (self.protocol.reader.buffer or self.protocol.extensions):
            taken = self._give_whole_frames(data)
        if taken < len(data):
            super().data_received(data[taken:] if taken else data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._has_begun = True
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        # Where TLS fails behind an HTTP proxy, websockets ends a connection that it never began, and trips over it.
        if self._has_begun:
            super().connection_lost(exc)

    def process_event(self, event: Event) -> None:
        if isinstance(event, Frame) and event.opcode in DATA_OPCODES:
            if event.opcode is Opcode.TEXT and event.fin and self._may_take():
                self._give(bytes(event.data))
                return
            self._is_in_pieces = not event.fin
        super().process_event(event)

    def _give_whole_frames(self, data: bytes) -> int:
        """Give away those that `data` begins with; return where the rest begins."""
        at = 0
        while self._may_take():
            frame = _whole_text_frame(data, at)
            if frame is None:
                break
            start, at = frame
            self._give(data[start:at])
        return at

    def _may_take(self) -> bool:
        return (
            self.take is not None
            and not self._is_in_pieces
            and not len(self.recv_messages.frames)
            and self.protocol.state is State.OPEN
        )

    def _give(self, payload: bytes) -> None:
        assert self.take is not None
        try:
            self.take(payload)
        except Exception as error:  # noqa: BLE001 - raised again where the frames are waited for
            self.take = None
            self.failure = error
            self.transport.abort()


def _whole_text_frame(data: bytes, at: int) -> tuple[int, int] | None:
    """Start and end of the payload of the frame at `at`; None if it is no whole text frame without a mask."""
    size = len(data) - at
    if size < 2 or data[at] != _WHOLE_TEXT:
        return None
    length, start = data[at + 1], at + 2
    if length == 126 and size >= 4:
        length, start = data[at + 2] << 8 | data[at + 3], at + 4
    elif length > 125:  # masked, or too long to be all here
        return None
    return (start, start + length) if start + length <= len(data) else None


class _WebSocketStream:
    def __init__(self, url: str, connection: _Connection) -> None:
        self._url = url
        self._connection = connection

    async def recv(self) -> bytes:
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise self._closed(error) from error

    async def deliver(self, take: Callable[[bytes], None]) -> None:
        connection = self._connection
        connection.take = take
        try:
            while True:
                take(await self.recv())  # what was queued before, and what comes in pieces
        except BinanceWebsocketClosed:
            if connection.failure is not None:
                raise connection.failure from None
            raise
        finally:
            connection.take = None

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise self._closed(error) from error

    async def close(self) -> None:
        await self._connection.close()

    def _closed(self, error: ConnectionClosed) -> BinanceWebsocketClosed:
        close = error.rcvd or error.sent
        if close is None:
            return BinanceWebsocketClosed(self._url, 1006, describe_network_error(error.__cause__ or error))
        reason = close.reason
        if error.rcvd is None and "keepalive" in reason:
            reason = "no answer to our ping: the network is gone, or this program was too busy to read"
        return BinanceWebsocketClosed(self._url, close.code, reason)
