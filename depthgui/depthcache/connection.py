"""One connection to the venue that many streams share: reconnects with backoff, changes sockets without a gap.

Before the venue's 24 hours are over, and on its notice of a shutdown, a second socket is opened beside the first. Both
deliver until every reader says that the new one has caught up; then the first is closed.
"""

from __future__ import annotations

import asyncio
import enum
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.binance.limits import MARKET_LIMITS, SOCKET_LIFE_S, SlidingWindow
from depthgui.book.errors import BinanceUnableToConnect, BinanceWebsocketClosed, DepthGuiError, TransportError
from depthgui.depthcache.shared_socket import SharedSocket, StreamReader
from depthgui.transport.backoff import Backoff
from depthgui.transport.stream import StreamOpener

_log = logging.getLogger(__name__)

_OVERLAP_TIMEOUT_S = 15.0
_OVERLAP_CHECK_S = 0.1
_SILENT_SOCKET_S = 3.0


class ConnectionPhase(enum.Enum):
    """Where a connection is."""

    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """What people should know of a connection. Times ending in `_s` are the event loop's, `_wall_ms` since 1970."""

    key: str
    label: str
    url: str
    phase: ConnectionPhase = ConnectionPhase.CLOSED
    attempt: int = 0
    max_attempts: int = 5
    retry_at_s: float | None = None
    lost_at_s: float | None = None
    lost_at_wall_ms: int | None = None
    reason: str = ""
    symbols: tuple[SymbolRef, ...] = ()
    attempts_wall_ms: tuple[int, ...] = ()
    streams: int = 0
    is_permanent: bool = False
    error: DepthGuiError | None = None


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How to behave when a connection is lost, and when to change sockets.

    After `max_attempts` the connection fails; with `keep_trying_s` it goes on trying at that pace.
    """

    max_attempts: int = 5
    keep_trying_s: float | None = None
    backoff: Backoff = field(default_factory=Backoff)
    socket_life_s: float = SOCKET_LIFE_S - 600.0


class Connection:
    """A connection. Made and owned by the hub; call it from the event loop only, and `close` it at the end."""

    def __init__(
        self,
        status: ConnectionStatus,
        market: Market,
        opener: StreamOpener,
        *,
        connects: SlidingWindow,
        options: ConnectionOptions,
        report: Callable[[ConnectionStatus], None],
    ) -> None:
        """Connect to nothing until the first stream is wanted. `connects` counts the connects of all connections."""
        self.status = replace(status, max_attempts=options.max_attempts)
        self.market = market
        self._url = f"{status.url}/stream"
        self._opener = opener
        self._connects = connects
        self._options = options
        self._report = report
        self._readers: dict[str, StreamReader] = {}
        self._limits = MARKET_LIMITS[market]
        self._epoch = 0
        self._socket: SharedSocket | None = None
        self._task: asyncio.Task[None] | None = None
        self._rotation: asyncio.Task[None] | None = None
        self._retry = asyncio.Event()
        self._status_timer: asyncio.Handle | None = None
        self._malformed = 0

    @property
    def room(self) -> int:
        """Number of streams that may still be added."""
        return self._limits.streams_per_socket - len(self._readers)

    @property
    def malformed(self) -> int:
        """Number of frames that could not be read."""
        return self._malformed + (self._socket.malformed if self._socket else 0)

    def subscribe(self, name: str, reader: StreamReader) -> None:
        """Deliver the stream `name` to `reader`, now and after every reconnect."""
        self._readers[name] = reader
        self._readers_changed()
        self._start()

    def unsubscribe(self, name: str) -> None:
        """Deliver the stream no longer; the socket is closed once nothing is read from it."""
        self._readers.pop(name, None)
        self._readers_changed()

    def renew(self, name: str) -> None:
        """Ask anew for a stream that has fallen silent; where the whole socket is silent, take a new one."""
        socket = self._socket
        reader = self._readers.get(name)
        if socket is None or reader is None:
            return
        silent_s = asyncio.get_running_loop().time() - socket.last_frame_s
        if silent_s > _SILENT_SOCKET_S:
            socket.end(BinanceWebsocketClosed(self._url, 1006, f"no data for {silent_s:.0f} s"))
            return
        reader.stream_lost(
            BinanceWebsocketClosed(self._url, 1006, f"{name} was acknowledged but brings no data; subscribing again")
        )
        socket.renew(name)

    def drop(self, reason: str) -> None:
        """Give up the present socket; the connection is made again."""
        if self._socket is not None:
            self._socket.end(BinanceWebsocketClosed(self._url, 1006, reason))

    def rotate(self) -> None:
        """Change to a new socket without a gap."""
        if self._rotation is None or self._rotation.done():
            self._rotation = asyncio.create_task(self._change_socket(), name=f"rotate {self.status.key}")

    def retry_now(self) -> None:
        """Cut the wait for the next attempt short, or begin again after giving up."""
        self._retry.set()
        if self._readers:
            self._start()

    async def close(self) -> None:
        """End everything; readers are not told."""
        self._readers.clear()
        tasks = [task for task in (self._task, self._rotation) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._socket is not None:
            await self._socket.close()
            self._socket = None
        self._set(phase=ConnectionPhase.CLOSED, attempt=0, retry_at_s=None)
        if self._status_timer is not None:
            self._status_timer.cancel()

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"connection {self.status.key}")

    async def _run(self) -> None:
        attempt = 0
        while self._readers:
            self._set(phase=ConnectionPhase.CONNECTING, attempt=attempt, retry_at_s=None)
            error, had_data = await self._one_life()
            if error is None:
                break
            if had_data or not attempt:
                self._note_loss()
            attempt = 1 if had_data else attempt + 1
            if attempt > self._options.max_attempts and self._options.keep_trying_s is None:
                await self._give_up(error)
                attempt = 0
            else:
                await self._pause(attempt, error)
        self._set(phase=ConnectionPhase.CLOSED, attempt=0, retry_at_s=None, lost_at_s=None, error=None)

    async def _one_life(self) -> tuple[DepthGuiError | None, bool]:
        """Connect and serve until the connection is lost; return why, and whether it had brought data."""
        try:
            self._socket = await self._open_socket()
        except TransportError as error:
            return error, False
        life = asyncio.get_running_loop().call_later(self._options.socket_life_s, self.rotate)
        try:
            return await self._serve(self._socket)
        finally:
            life.cancel()

    async def _serve(self, socket: SharedSocket) -> tuple[DepthGuiError | None, bool]:
        while True:
            error = await asyncio.shield(socket.ended)
            if self._rotation is not None:
                await self._rotation
            if self._socket is socket:
                break
            socket = self._socket or socket
        self._socket = None
        self._malformed += socket.malformed
        if error is not None:
            socket.lose(error)
        await socket.close()
        return error, socket.data_frames > 0

    async def _open_socket(self) -> SharedSocket:
        loop = asyncio.get_running_loop()
        await self._connects.take(loop.time, asyncio.sleep)
        stream = await self._opener.open(self._url)
        self._epoch += 1
        return SharedSocket(
            self._epoch,
            self._url,
            stream,
            self._readers,
            self._limits,
            on_opened=self._note_open,
            on_shutdown=self.rotate,
        )

    async def _change_socket(self) -> None:
        old = self._socket
        if old is None:
            return
        try:
            new = await self._open_socket()
        except TransportError as error:
            _log.warning("%s: no second socket, the first goes on: %s", self._url, error)
            return
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + _OVERLAP_TIMEOUT_S
        while not (old.ended.done() or new.ended.done() or loop.time() > give_up_s):
            if new.is_complete and all(reader.has_caught_up(new.epoch) for reader in self._readers.values()):
                break
            await asyncio.sleep(_OVERLAP_CHECK_S)
        if new.ended.done() and not old.ended.done():
            await new.close()
            return
        self._socket = new
        self._malformed += old.malformed
        await old.close()
        _log.info("%s: changed to a new socket", self._url)

    async def _give_up(self, error: DepthGuiError) -> None:
        final = BinanceUnableToConnect(self._url, self._options.max_attempts, str(error))
        self._set(phase=ConnectionPhase.FAILED, retry_at_s=None, reason=str(error), error=final)
        for reader in tuple(self._readers.values()):
            reader.stream_lost(final)
        _log.error("%s", final)
        self._retry.clear()
        await self._retry.wait()

    async def _pause(self, attempt: int, error: DepthGuiError) -> None:
        if attempt > self._options.max_attempts and self._options.keep_trying_s is not None:
            delay_s = self._options.keep_trying_s
        else:
            delay_s = self._options.backoff.delay_s(attempt)
        self._set(
            phase=ConnectionPhase.WAITING,
            attempt=attempt,
            retry_at_s=asyncio.get_running_loop().time() + delay_s,
            reason=str(error),
            error=error,
        )
        _log.info("%s; attempt %d in %.1f s", error, attempt, delay_s)
        self._retry.clear()
        try:
            async with asyncio.timeout(delay_s):
                await self._retry.wait()
        except TimeoutError:
            pass  # the usual case: the time is over
        self._set(attempts_wall_ms=(*self.status.attempts_wall_ms, _wall_ms()))

    def _note_loss(self) -> None:
        now_s = asyncio.get_running_loop().time()
        self._set(lost_at_s=now_s, lost_at_wall_ms=_wall_ms(), attempts_wall_ms=())

    def _note_open(self) -> None:
        if self.status.phase is not ConnectionPhase.OPEN:
            self._set(phase=ConnectionPhase.OPEN, attempt=0, retry_at_s=None, lost_at_s=None, reason="", error=None)

    def _readers_changed(self) -> None:
        if self._socket is not None:
            self._socket.readers_changed()
        if self._status_timer is None:  # two hundred tabs opened at once are one piece of news
            self._status_timer = asyncio.get_running_loop().call_soon(self._count_readers)

    def _count_readers(self) -> None:
        self._status_timer = None
        refs = dict.fromkeys(reader.ref for reader in self._readers.values())
        self._set(symbols=tuple(refs), streams=len(self._readers))

    def _set(self, **changes: Any) -> None:
        status = replace(self.status, **changes)
        if status != self.status:
            self.status = status
            self._report(status)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000
