"""One connection to the venue that many streams share: reconnects with backoff, changes sockets without a gap.

Before the venue's 24 hours are over, on its notice of a shutdown, and for a stream that brings no data, a second socket
is opened beside the first. Both deliver until every reader says that the new one has caught up.

Only a user's wish (`want`, `retry_now`) leaves the phase FAILED. No other state lasts for ever:

======================================  ======================================  ====================================
what is waited for                      for how long                            and then
======================================  ======================================  ====================================
the venue's limit of connects           until it allows one, at most 300 s      connect
a socket that opens                     15 s                                    the attempt has failed
an answer to SUBSCRIBE, or data         5 s, then 5, 10, 20 ... 60 s            ask again; from the second time on
                                                                                also another socket, another host
an answer to UNSUBSCRIBE                5 s                                     ask again, once
a refused subscription                  10, 20 ... 300 s                        ask again
a request that is sent                  5 s                                     the socket has ended
the venue's limit of requests           1.25 s                                  send
a step for a stream without data        2 s; after the last 5, 10 ... 300 s     the step
a step while sockets change             until they have, at most 30 s           the step
a second socket beside the first        15 s; 5 s for a stream without data     one of the two goes on
a socket that closes                    5 s                                     it is left as it is
the next attempt                        the backoff's delay, `keep_trying_s`    connect
======================================  ======================================  ====================================
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from depthgui.binance.endpoints import Market
from depthgui.binance.limits import MARKET_LIMITS, SlidingWindow
from depthgui.book.errors import (
    BinanceUnableToConnect,
    BinanceWebsocketClosed,
    DepthGuiError,
    RequestTimeoutError,
    StreamInterruptedError,
)
from depthgui.depthcache.connection_status import ConnectionOptions, ConnectionPhase, ConnectionStatus
from depthgui.depthcache.shared_socket import SharedSocket, StreamReader
from depthgui.depthcache.stream_remedies import Remedy, StreamRemedies
from depthgui.depthcache.subscriptions import ANSWER_S

if TYPE_CHECKING:
    from depthgui.transport.stream import StreamOpener

__all__ = ["Connection", "ConnectionOptions", "ConnectionPhase", "ConnectionStatus"]

_log = logging.getLogger(__name__)

_OPEN_S = 15.0
_OVERLAP_S = 15.0
# For a stream without data: the next step must not wait long. A socket that is 5 s behind the other joins late.
_SHORT_OVERLAP_S = 5.0
_OVERLAP_CHECK_S = 0.1
_ROTATION_AGAIN_S = 60.0
_STEP_AGAIN_S = 0.5
_SILENT_SOCKET_S = 3.0
# A socket that stood for so long was a good one, even if its symbols were too quiet to bring any data.
_GOOD_LIFE_S = 60.0
_FAILURES_BEFORE_OTHER_HOST = 3
# Changes of socket for the sake of single streams; each one is a connect of the 300 in 5 minutes that the venue allows.
_CHANGES, _CHANGES_PERIOD_S = 6, 120.0
# Another stream that asks for a new socket within this time already has one.
_YOUNG_SOCKET_S = 10.0

_NO_LOSS = MappingProxyType({"lost_at_s": None, "lost_at_wall_ms": None})


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
        other_hosts: Sequence[str] = (),
    ) -> None:
        """Connect to nothing until the first stream is wanted. `connects` counts the connects of all connections.

        `other_hosts` are base addresses that serve the same as `status.url`.
        """
        self.status = replace(status, max_attempts=options.max_attempts)
        self.market = market
        self._hosts = (status.url, *other_hosts)
        self._host = 0  # in use, or next to be tried
        self._tried_host = 0
        self._opener = opener
        self._connects = connects
        self._options = options
        self._report = report
        self._readers: dict[str, StreamReader] = {}
        self._limits = MARKET_LIMITS[market]
        self._epoch = 0
        self._socket: SharedSocket | None = None
        self._next_socket: SharedSocket | None = None  # while one takes over from the other
        self._sockets: set[SharedSocket] = set()  # with those that are on their way in or out
        self._retiring: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._rotation: asyncio.Task[None] | None = None
        self._rotation_timer: asyncio.TimerHandle | None = None
        self._retry = asyncio.Event()
        self._given_up: dict[str, Any] | None = None  # how the status says so, until somebody wants to try again
        self._bad_lives = 0
        self._remedies = StreamRemedies(has_other_hosts=bool(other_hosts))
        self._steps: dict[str, asyncio.TimerHandle] = {}  # the next step for streams without data
        self._changes = SlidingWindow(_CHANGES, _CHANGES_PERIOD_S)
        self._changed_s = float("-inf")  # when the last of them was over
        self._suspects: set[str] = set()  # see Subscriptions
        self._noted: set[str] = set()  # streams that the status's note is about
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

    # What is read, and the wish to be connected

    def subscribe(self, name: str, reader: StreamReader) -> None:
        """Deliver the stream `name` to `reader`, now and after every reconnect.

        After giving up nothing is connected for it: that takes `want` or `retry_now`.
        """
        self._readers[name] = reader
        self._readers_changed()
        if self._given_up is None:
            self._start()
        else:
            self._set(**self._given_up)
            asyncio.get_running_loop().call_soon(self._tell_given_up, name, reader)

    def want(self) -> None:
        """A user wants streams of this connection: connect, also after giving up."""
        if self._given_up is not None:
            self.retry_now()

    def unsubscribe(self, name: str) -> None:
        """Deliver the stream no longer; the socket is closed once nothing is read from it."""
        self._readers.pop(name, None)
        self._remedies.end(name)
        self._suspects.discard(name)
        self._end_note(name)
        self._readers_changed()
        if not self._readers:
            self._retry.set()  # nothing is left to wait for
            if self._task is None or self._task.done():
                self._set_closed()

    def retry_now(self) -> None:
        """Cut the wait for the next attempt short, or begin again after giving up."""
        self._given_up = None
        self._retry.set()
        if self._readers:
            self._start()

    def rotate(self) -> None:
        """Change to a new socket without a gap; where that fails, the old one stays and it is tried again later."""
        self._change_sockets(self._host, _OVERLAP_S)

    async def close(self) -> None:
        """End everything; readers are not told."""
        self._readers.clear()
        self._end_notes()
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

    # Streams that bring no data

    def renew(self, name: str) -> None:
        """A stream has been silent although it should not be: take the next step (`stream_remedies`).

        Where the whole socket is silent, take a new one at once.
        """
        socket = self._socket
        if socket is None or name not in self._readers:
            return
        now_s = asyncio.get_running_loop().time()
        silent_s = now_s - socket.last_frame_s
        if silent_s <= _SILENT_SOCKET_S:
            if name not in socket.open_names:
                return  # it is being asked for, which has a deadline of its own
            self._take_step(name, f"{name} was acknowledged but brings no data")
            return
        step = self._remedies.next_step(name, now_s, at_least=Remedy.NEW_SOCKET)
        if step.remedy is Remedy.OTHER_HOST:
            self._host = self._other_host()
        socket.end(BinanceWebsocketClosed(socket.url, 1006, f"no data for {silent_s:.0f} s"))

    def unanswered(self, socket: SharedSocket, names: list[str], times: int) -> None:
        """Subscriptions were not answered in time (SocketOwner)."""
        if socket is not self._socket:
            return  # one that is to take over: the change itself has a deadline
        said = f" (the venue said: {socket.complaint})" if socket.complaint else ""
        if times == 1:
            for name in names:
                self._tell_interrupted(name, f"Subscribing again: no answer for {ANSWER_S:.0f} s{said}")
        elif socket.open_names:
            for name in names:
                self._take_step(name, f"the subscription of {name} is not answered{said}", Remedy.NEW_SOCKET)
        else:
            reason = f"no subscription was answered for {ANSWER_S * times:.0f} s{said}"
            socket.end(BinanceWebsocketClosed(socket.url, 1006, reason))

    def stream_opened(self, name: str) -> None:
        """A stream begins to deliver (SocketOwner)."""
        self._end_note(name)
        if self.status.phase is not ConnectionPhase.OPEN:
            self._set(phase=ConnectionPhase.OPEN, attempt=0, retry_at_s=None, reason="", error=None, **_NO_LOSS)

    def data_began(self, name: str) -> None:
        """The first data of a stream since it was opened has come (SocketOwner)."""
        self._remedies.end(name)

    def shutdown_announced(self) -> None:
        """The venue announces the end of a socket (SocketOwner)."""
        self.rotate()

    def _take_step(self, name: str, why: str, at_least: Remedy = Remedy.SUBSCRIBE_AGAIN) -> None:
        if name in self._steps:
            return  # it is on its way
        now_s = asyncio.get_running_loop().time()
        step = self._remedies.next_step(name, now_s, at_least=at_least)
        wait_s = step.due_s - now_s
        if step.remedy is not Remedy.SUBSCRIBE_AGAIN and not self._is_changing:
            wait_s = max(wait_s, self._changes.wait_s(1, now_s))
        when = f" in {wait_s:.0f} s" if wait_s >= 1 else ""
        if self._socket is not None:
            self._socket.doubt(name)
        self._tell_interrupted(name, f"{step.remedy.value}{when}: {why}")
        self._plan_step(name, step.remedy, wait_s)

    def _plan_step(self, name: str, remedy: Remedy, in_s: float) -> None:
        if in_s > 0:
            self._steps[name] = asyncio.get_running_loop().call_later(in_s, self._apply, name, remedy)
        else:
            self._apply(name, remedy)

    def _apply(self, name: str, remedy: Remedy) -> None:
        self._steps.pop(name, None)
        socket = self._socket
        if socket is None or name not in self._readers:
            return  # the next socket will be asked for it
        if remedy is Remedy.SUBSCRIBE_AGAIN:
            socket.renew(name)
        if self._is_changing:
            if remedy is Remedy.OTHER_HOST:
                self._plan_step(name, remedy, _STEP_AGAIN_S)
            elif self._next_socket is not None:
                self._next_socket.tell_again(name)  # that socket is the step; it tells as soon as the stream is open
        elif remedy is not Remedy.SUBSCRIBE_AGAIN:
            self._change_for(name, remedy, socket)

    def _change_for(self, name: str, remedy: Remedy, socket: SharedSocket) -> None:
        now_s = asyncio.get_running_loop().time()
        wait_s = self._changes.wait_s(1, now_s)
        if remedy is Remedy.NEW_SOCKET and now_s - self._changed_s < _YOUNG_SOCKET_S:
            socket.renew(name)
        elif wait_s > 0:
            self._plan_step(name, remedy, wait_s)
        else:
            self._changes.spend(1, now_s)
            host = self._other_host() if remedy is Remedy.OTHER_HOST else self._host
            self._change_sockets(host, _SHORT_OVERLAP_S)

    def _other_host(self) -> int:
        host = self._tried_host
        for _ in range(2):
            host = (host + 1) % len(self._hosts)
            if host != self._host:
                break
        self._tried_host = host
        return host

    def _tell_interrupted(self, name: str, reason: str) -> None:
        _log.info("%s: %s: %s", self.status.url, name, reason)
        self._noted.add(name)
        self._set(note=reason)
        self._tell_lost(name, StreamInterruptedError(name, reason))

    def _tell_lost(self, name: str, error: DepthGuiError) -> None:
        reader = self._readers.get(name)
        if reader is not None:
            reader.stream_lost(error)

    def _end_note(self, name: str) -> None:
        """The stream is open, or no longer wanted: no step is needed."""
        timer = self._steps.pop(name, None)
        if timer is not None:
            timer.cancel()
        self._noted.discard(name)
        if not self._noted and self.status.note:
            self._set(note="")

    def _end_notes(self) -> None:
        for name in {*self._steps, *self._noted}:
            self._end_note(name)

    # From one attempt to the next

    def _start(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name=f"connection {self.status.key}")

    async def _run(self) -> None:
        attempt = 0
        while self._readers:
            self._set(
                phase=ConnectionPhase.CONNECTING,
                url=self._hosts[self._host],
                attempt=attempt,
                retry_at_s=None,
                is_permanent=False,
            )
            error, was_good = await self._one_life()
            if error is None:
                attempt = 0
                continue  # it was idle; a reader may have come while it was being closed
            if self.status.phase is ConnectionPhase.OPEN:
                self._note_loss()
            self._note_life(was_good=was_good)
            attempt = 1 if was_good else attempt + 1
            is_over = attempt > self._options.max_attempts or not error.is_retryable
            if is_over and self._options.keep_trying_s is None:
                await self._give_up(error)
                attempt = 0
            else:
                await self._pause(attempt, error)
        self._set_closed()

    def _set_closed(self) -> None:
        self._set(phase=ConnectionPhase.CLOSED, attempt=0, retry_at_s=None, reason="", error=None, **_NO_LOSS)

    def _note_life(self, *, was_good: bool) -> None:
        # After three failures every further one is tried on the next host.
        self._bad_lives = 0 if was_good else self._bad_lives + 1
        if self._bad_lives >= _FAILURES_BEFORE_OTHER_HOST:
            self._host = self._other_host()

    async def _one_life(self) -> tuple[DepthGuiError | None, bool]:
        """Connect and serve until the connection is lost; return why, and whether it had been a good one."""
        try:
            self._socket = await self._open_socket(self._host)
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
        self._end_notes()  # the next socket is asked for everything
        retiring = self._retire_later(socket)
        if error is None:
            await asyncio.shield(retiring)
        else:
            socket.lose(error)  # a dead socket can take its time to close; the next attempt need not wait for it
        return error, socket.data_frames > 0

    async def _open_socket(self, host: int) -> SharedSocket:
        loop = asyncio.get_running_loop()
        await self._connects.take(loop.time, asyncio.sleep)
        url = f"{self._hosts[host]}/stream"
        try:
            async with asyncio.timeout(_OPEN_S):
                stream = await self._opener.open(url)
        except TimeoutError as error:
            raise RequestTimeoutError(url, _OPEN_S) from error
        self._epoch += 1
        socket = SharedSocket(self._epoch, url, stream, self._readers, self._limits, self, self._suspects)
        self._sockets.add(socket)
        return socket

    def _retire_later(self, socket: SharedSocket) -> asyncio.Task[None]:
        retiring = asyncio.create_task(self._retire(socket), name=f"close {self.status.key}")
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)
        return retiring

    async def _retire(self, socket: SharedSocket) -> None:
        await socket.close()
        if socket in self._sockets:
            self._sockets.discard(socket)
            self._malformed += socket.malformed

    # From one socket to the next

    @property
    def _is_changing(self) -> bool:
        return self._rotation is not None and not self._rotation.done()

    def _change_sockets(self, host: int, overlap_s: float) -> None:
        if not self._is_changing:
            work = self._change_socket(host, overlap_s)
            self._rotation = asyncio.create_task(work, name=f"rotate {self.status.key}")

    async def _change_socket(self, host: int, overlap_s: float) -> None:
        old = self._socket
        if old is None:
            return
        self._plan_rotation(_ROTATION_AGAIN_S)
        try:
            new = self._next_socket = await self._open_socket(host)
        except DepthGuiError as error:
            _log.warning("%s: no second socket, the first goes on: %s", old.url, error)
            old.renew_doubted()
            return
        try:
            await self._overlap(old, new, overlap_s)
        except Exception:  # noqa: BLE001 - a mistake of ours must not cost both sockets
            _log.exception("changing from %s to %s failed", old.url, new.url)
            new.end(None)
        finally:
            self._next_socket = None
        change = BinanceWebsocketClosed(old.url, 1006, "changed to another socket")
        if not old.ended.done() and (new.ended.done() or not new.has_confirmed(old.open_names)):
            _log.warning("%s: the second socket brings nothing, the first goes on", old.url)
            new.lose(change, but_for=old)
            old.renew_doubted()
            self._retire_later(new)
            return
        self._socket, self._host = new, host
        if overlap_s == _SHORT_OVERLAP_S:
            self._changed_s = asyncio.get_running_loop().time()
        self._set(url=self._hosts[host])
        self._plan_rotation(self._options.socket_life_s)
        old.lose((old.ended.result() if old.ended.done() else None) or change, but_for=new)
        self._retire_later(old)
        _log.info("%s: changed to a new socket", new.url)

    async def _overlap(self, old: SharedSocket, new: SharedSocket, within_s: float) -> None:
        """Let both deliver until the new one has caught up, or one has ended, or it takes too long."""
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + within_s
        while not (old.ended.done() or new.ended.done() or loop.time() > give_up_s):
            names = old.open_names
            if new.has_confirmed(names) and all(self._readers[name].has_caught_up(new.epoch) for name in names):
                return
            await asyncio.sleep(_OVERLAP_CHECK_S)

    def _plan_rotation(self, in_s: float | None) -> None:
        """Change sockets in so many seconds; None: no more."""
        if self._rotation_timer is not None:
            self._rotation_timer.cancel()
            self._rotation_timer = None
        if in_s is not None:
            self._rotation_timer = asyncio.get_running_loop().call_later(in_s, self.rotate)

    # Giving up, and waiting

    async def _give_up(self, error: DepthGuiError) -> None:
        final = error
        if error.is_retryable:
            final = BinanceUnableToConnect(self.status.url, self._options.max_attempts, str(error))
        self._given_up = {
            "phase": ConnectionPhase.FAILED,
            "retry_at_s": None,
            "reason": str(error),
            "error": final,
            "is_permanent": not error.is_retryable,
        }
        self._set(**self._given_up)
        self._host = self._tried_host = self._bad_lives = 0
        for reader in tuple(self._readers.values()):
            reader.stream_lost(final)
        _log.error("%s", final)
        while self._readers and self._given_up is not None:  # a stream that comes or goes is no wish
            self._retry.clear()
            await self._retry.wait()
        for name in tuple(self._readers):
            self._tell_lost(name, StreamInterruptedError(name, f"Trying again after: {error}"))
        self._set(attempts_wall_ms=())  # the next five are counted anew

    def _tell_given_up(self, name: str, reader: StreamReader) -> None:
        if self._given_up is not None and self._readers.get(name) is reader:
            reader.stream_lost(self._given_up["error"])

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
