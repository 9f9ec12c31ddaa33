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
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.binance.limits import MARKET_LIMITS, SOCKET_LIFE_S, SlidingWindow
from depthgui.book.errors import BinanceUnableToConnect, BinanceWebsocketClosed, DepthGuiError
from depthgui.depthcache.shared_socket import SharedSocket, StreamReader
from depthgui.transport.backoff import Backoff

if TYPE_CHECKING:
    from depthgui.transport.stream import StreamOpener

_log = logging.getLogger(__name__)

_OVERLAP_TIMEOUT_S = 15.0
_OVERLAP_CHECK_S = 0.1
_ROTATION_AGAIN_S = 60.0
_SILENT_SOCKET_S = 3.0
# A socket that stood for so long was a good one, even if its symbols were too quiet to bring any data.
_GOOD_LIFE_S = 60.0


_NO_LOSS = MappingProxyType({"lost_at_s": None, "lost_at_wall_ms": None})


class ConnectionPhase(enum.StrEnum):
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
        self._sockets: set[SharedSocket] = set()  # with those that are on their way in or out
        self._retiring: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._rotation: asyncio.Task[None] | None = None
        self._rotation_timer: asyncio.TimerHandle | None = None
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
        return self._malformed + sum(socket.malformed for socket in self._sockets)

    def subscribe(self, name: str, reader: StreamReader) -> None:
        """Deliver the stream `name` to `reader`, now and after every reconnect."""
        self._readers[name] = reader
        self._readers_changed()
        self.want()

    def want(self) -> None:
        """Somebody wants a stream now: connect, also after giving up."""
        if self.status.phase is ConnectionPhase.FAILED:
            self._retry.set()
        self._start()

    def unsubscribe(self, name: str) -> None:
        """Deliver the stream no longer; the socket is closed once nothing is read from it."""
        self._readers.pop(name, None)
        self._readers_changed()
        if not self._readers:
            self._retry.set()  # nothing is left to wait for

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
        """Change to a new socket without a gap; where that fails, the old one stays and it is tried again later."""
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
        await asyncio.gather(*tasks, *self._retiring, return_exceptions=True)
        self._plan_rotation(None)
        self._socket = None
        await asyncio.gather(*(self._retire(socket) for socket in tuple(self._sockets)))
        self._set(phase=ConnectionPhase.CLOSED, attempt=0, retry_at_s=None)
        if self._status_timer is not None:
            self._status_timer.cancel()

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"connection {self.status.key}")

    async def _run(self) -> None:
        attempt = 0
        while self._readers:
            self._set(phase=ConnectionPhase.CONNECTING, attempt=attempt, retry_at_s=None, is_permanent=False)
            error, was_good = await self._one_life()
            if error is None:
                attempt = 0
                continue  # it was idle; a reader may have come while it was being closed
            if self.status.phase is ConnectionPhase.OPEN:
                self._note_loss()
            attempt = 1 if was_good else attempt + 1
            is_over = attempt > self._options.max_attempts or not error.is_retryable
            if is_over and self._options.keep_trying_s is None:
                await self._give_up(error)
                attempt = 0
            else:
                await self._pause(attempt, error)
        self._set(phase=ConnectionPhase.CLOSED, attempt=0, retry_at_s=None, reason="", error=None, **_NO_LOSS)

    async def _one_life(self) -> tuple[DepthGuiError | None, bool]:
        """Connect and serve until the connection is lost; return why, and whether it had been a good one."""
        try:
            self._socket = await self._open_socket()
        except DepthGuiError as error:
            return error, False
        self._plan_rotation(self._options.socket_life_s)
        opened_s = asyncio.get_running_loop().time()
        try:
            reason, had_data = await self._serve(self._socket)
        finally:
            self._plan_rotation(None)
        return reason, had_data or asyncio.get_running_loop().time() - opened_s >= _GOOD_LIFE_S

    async def _serve(self, socket: SharedSocket) -> tuple[DepthGuiError | None, bool]:
        while True:
            error = await asyncio.shield(socket.ended)
            if self._rotation is not None:
                await self._rotation
            if self._socket is socket:
                break
            socket = self._socket or socket
        self._socket = None
        retiring = asyncio.create_task(self._retire(socket), name=f"close {self.status.key}")
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)
        if error is None:
            await asyncio.shield(retiring)
        else:
            socket.lose(error)  # a dead socket can take its time to close; the next attempt need not wait for it
        return error, socket.data_frames > 0

    async def _open_socket(self) -> SharedSocket:
        loop = asyncio.get_running_loop()
        await self._connects.take(loop.time, asyncio.sleep)
        stream = await self._opener.open(self._url)
        self._epoch += 1
        socket = SharedSocket(
            self._epoch,
            self._url,
            stream,
            self._readers,
            self._limits,
            on_opened=self._note_open,
            on_shutdown=self.rotate,
        )
        self._sockets.add(socket)
        return socket

    async def _retire(self, socket: SharedSocket) -> None:
        await socket.close()
        if socket in self._sockets:
            self._sockets.discard(socket)
            self._malformed += socket.malformed

    async def _change_socket(self) -> None:
        old = self._socket
        if old is None:
            return
        self._plan_rotation(_ROTATION_AGAIN_S)
        try:
            new = await self._open_socket()
        except DepthGuiError as error:
            _log.warning("%s: no second socket, the first goes on: %s", self._url, error)
            return
        await self._overlap(old, new)
        change = BinanceWebsocketClosed(self._url, 1006, "changed to another socket")
        if not old.ended.done() and (new.ended.done() or not new.is_complete):
            _log.warning("%s: the second socket brings nothing, the first goes on", self._url)
            new.lose(change, but_for=old)
            await self._retire(new)
            return
        self._socket = new
        self._plan_rotation(self._options.socket_life_s)
        old.lose((old.ended.result() if old.ended.done() else None) or change, but_for=new)
        await self._retire(old)
        _log.info("%s: changed to a new socket", self._url)

    async def _overlap(self, old: SharedSocket, new: SharedSocket) -> None:
        """Let both deliver until the new one has caught up, or one has ended, or it takes too long."""
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + _OVERLAP_TIMEOUT_S
        while not (old.ended.done() or new.ended.done() or loop.time() > give_up_s):
            if new.is_complete and all(reader.has_caught_up(new.epoch) for reader in self._readers.values()):
                return
            await asyncio.sleep(_OVERLAP_CHECK_S)

    def _plan_rotation(self, in_s: float | None) -> None:
        """Change sockets in so many seconds; None: no more."""
        if self._rotation_timer is not None:
            self._rotation_timer.cancel()
            self._rotation_timer = None
        if in_s is not None:
            self._rotation_timer = asyncio.get_running_loop().call_later(in_s, self.rotate)

    async def _give_up(self, error: DepthGuiError) -> None:
        final = error
        if error.is_retryable:
            final = BinanceUnableToConnect(self._url, self._options.max_attempts, str(error))
        self._set(
            phase=ConnectionPhase.FAILED,
            retry_at_s=None,
            reason=str(error),
            error=final,
            is_permanent=not error.is_retryable,
        )
        for reader in tuple(self._readers.values()):
            reader.stream_lost(final)
        _log.error("%s", final)
        self._retry.clear()
        if self._readers:
            await self._retry.wait()
        self._set(attempts_wall_ms=())  # the next five are counted anew

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
        if not self._readers:
            return
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
            self._set(phase=ConnectionPhase.OPEN, attempt=0, retry_at_s=None, reason="", error=None, **_NO_LOSS)

    def _readers_changed(self) -> None:
        for socket in self._sockets:  # both, while one takes over from the other
            socket.readers_changed()
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
