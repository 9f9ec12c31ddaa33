"""WebSocket streams through websockets; its exceptions become ours.

A stream gives raw frames; what they mean is decided above. It keeps the connection alive with pings of its own,
answers the venue's, and ends with BinanceWebsocketClosed, whatever the reason: any close that we did not ask for, 1000
too, is a reason to reconnect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from depthgui.book.errors import BinanceWebsocketClosed, ConnectFailedError, RequestTimeoutError
from depthgui.transport.proxy import ProxyChoice
from depthgui.transport.rest import describe_network_error
from depthgui.transport.tls import make_ssl_context

if TYPE_CHECKING:
    import ssl

# The largest recorded frame is 60 kB; a snapshot-sized one would be 500 kB.
_MAX_FRAME_BYTES = 8 * 2**20
# Frames that may wait between the socket and the reader; beyond, TCP slows the sender: nothing is ever dropped.
_MAX_WAITING_FRAMES = 512
_PING_INTERVAL_S = 10.0
_PING_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 1.0


class Stream(Protocol):
    """An open connection that gives frames."""

    async def recv(self) -> bytes:
        """Wait for the next frame. Raises BinanceWebsocketClosed once the connection has ended."""

    async def send(self, text: str) -> None:
        """Send a text frame. Raises BinanceWebsocketClosed once the connection has ended."""

    async def close(self) -> None:
        """End the connection. May be called twice."""


class StreamOpener(Protocol):
    """Opens streams; tests put a fake one in its place."""

    async def open(self, url: str) -> Stream:
        """Connect. Raises ConnectFailedError or RequestTimeoutError."""


class WebSocketOpener:
    """Opens real WebSocket connections, through a proxy where one is set."""

    def __init__(self, *, proxy: ProxyChoice | None = None, timeout_s: float = 10.0) -> None:
        """Open nothing yet."""
        self._proxy = proxy or ProxyChoice()
        self._timeout_s = timeout_s
        self._ssl: ssl.SSLContext | None = None

    async def open(self, url: str) -> Stream:
        """Connect to `url`."""
        if url.startswith("wss:") and self._ssl is None:
            self._ssl = make_ssl_context()
        try:
            connection = await connect(
                url,
                ssl=self._ssl if url.startswith("wss:") else None,
                proxy=self._proxy.for_url(url),
                open_timeout=self._timeout_s,
                close_timeout=_CLOSE_TIMEOUT_S,
                ping_interval=_PING_INTERVAL_S,
                ping_timeout=_PING_TIMEOUT_S,
                max_size=_MAX_FRAME_BYTES,
                max_queue=_MAX_WAITING_FRAMES,
                user_agent_header=None,
            )
        except TimeoutError as error:
            raise RequestTimeoutError(url, self._timeout_s) from error
        except InvalidStatus as error:
            raise ConnectFailedError(url, f"HTTP {error.response.status_code} instead of a WebSocket") from error
        except (OSError, InvalidHandshake, InvalidURI, EOFError, ValueError) as error:
            raise ConnectFailedError(url, describe_network_error(error)) from error
        return _WebSocketStream(url, connection)


class _WebSocketStream:
    def __init__(self, url: str, connection: ClientConnection) -> None:
        self._url = url
        self._connection = connection

    async def recv(self) -> bytes:
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise self._closed(error) from error

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise self._closed(error) from error

    async def close(self) -> None:
        await self._connection.close()

    def _closed(self, error: Exception) -> BinanceWebsocketClosed:
        connection = self._connection
        code = connection.close_code if connection.close_code is not None else 1006
        reason = connection.close_reason or ""
        if code == 1011 and "keepalive" in reason:
            reason = "no answer to our ping: the network is gone, or this program was too busy to read"
        return BinanceWebsocketClosed(self._url, code, reason or describe_network_error(error.__cause__ or error))
