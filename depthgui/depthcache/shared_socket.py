"""One open WebSocket of a connection: keeps the venue's subscriptions equal to what is read, and hands out frames.

A stream counts as open once the venue has acknowledged its subscription or data of it has come. What is asked for and
not answered in time is asked for again, and told to the connection, which may take another socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from depthgui.binance.codec import Frame, decode_frame, encode_control
from depthgui.binance.endpoints import SymbolRef
from depthgui.binance.limits import MarketLimits, SlidingWindow
from depthgui.book.errors import (
    BinanceWebsocketClosed,
    DepthGuiError,
    MalformedMessageError,
    StreamInterruptedError,
    TransportError,
    VenueError,
)
from depthgui.depthcache.subscriptions import Request, Subscriptions

if TYPE_CHECKING:
    from depthgui.transport.stream import Stream

_log = logging.getLogger(__name__)

_IDLE_S = 5.0
_SEND_S = 5.0
_CLOSE_S = 5.0
# The venue counts pings and pongs too, and the network may bunch up what was sent with pauses.
_MESSAGES_KEPT_FREE = 2
_PERIOD_S = 1.25


class StreamReader(Protocol):
    """Takes the frames of one stream. `epoch` is the number of the socket that they come from."""

    @property
    def ref(self) -> SymbolRef:
        """The symbol that the stream belongs to."""

    def stream_opened(self, epoch: int) -> None:
        """The stream delivers from now on."""

    def stream_lost(self, error: DepthGuiError) -> None:
        """The stream no longer delivers, for the reason given; may be told more than once."""

    def frame(self, payload: msgspec.Raw, epoch: int) -> None:
        """A payload arrived. A MalformedMessageError is counted and told by the socket."""

    def has_caught_up(self, epoch: int) -> bool:
        """Say whether the sockets before `epoch` are no longer needed."""


class SocketOwner(Protocol):
    """What a socket tells the connection that it belongs to."""

    def stream_opened(self, name: str) -> None:
        """A stream begins to deliver."""

    def data_began(self, name: str) -> None:
        """The first data of a stream since it was opened has come."""

    def unanswered(self, socket: SharedSocket, names: list[str], times: int) -> None:
        """Streams were asked for so many times, and the last one was not answered in time either."""

    def shutdown_announced(self) -> None:
        """The venue announces the end of this socket."""


class SharedSocket:
    """One socket. `ended` resolves to the reason, None when nothing was wanted of it any more."""

    def __init__(
        self,
        epoch: int,
        url: str,
        stream: Stream,
        readers: Mapping[str, StreamReader],
        limits: MarketLimits,
        owner: SocketOwner,
        suspects: set[str] | None = None,
    ) -> None:
        """Begin to read, and to subscribe to what `readers` (a live view) names; for `suspects` see Subscriptions."""
        loop = asyncio.get_running_loop()
        self.epoch = epoch
        self.url = url
        self.data_frames = 0
        self.malformed = 0
        self.last_frame_s = loop.time()
        self.ended: asyncio.Future[DepthGuiError | None] = loop.create_future()
        self._loop = loop
        self._owner = owner
        self._stream = stream
        self._readers = readers
        self._subscriptions = Subscriptions(suspects)
        self._told: dict[str, StreamReader] = {}  # who knows that its stream is open
        self._flowing: dict[str, StreamReader] = {}  # ... and has had data of it
        self._control = SlidingWindow(limits.control_messages_per_second - _MESSAGES_KEPT_FREE, _PERIOD_S)
        self._changed = asyncio.Event()
        self._told_kinds: set[str] = set()
        self._complaint = ""
        self._tasks = [
            loop.create_task(self._guarded(stream.deliver(self._deliver)), name=f"read {url}"),
            loop.create_task(self._guarded(self._keep_subscribed()), name=f"subscribe {url}"),
        ]

    @property
    def open_names(self) -> set[str]:
        """The streams that are read and of which it is known that they are open."""
        return {name for name, reader in self._told.items() if self._readers.get(name) is reader}

    @property
    def complaint(self) -> str:
        """The last error of the venue that named no request of ours, or ""."""
        return self._complaint

    def has_confirmed(self, names: set[str]) -> bool:
        """Say whether all these streams are open here."""
        return self._subscriptions.confirmed.issuperset(names)

    def brings_data(self, name: str) -> bool:
        """Say whether data of the stream has come since it was opened, or renewed."""
        return name in self._flowing

    def readers_changed(self) -> None:
        """Subscribe and unsubscribe as the readers now want it."""
        self._changed.set()

    def renew(self, name: str) -> None:
        """Unsubscribe and subscribe one stream."""
        self._subscriptions.renew(name)
        self._forget(name)
        self._changed.set()

    def doubt(self, name: str) -> None:
        """Its reader is told that the stream is lost: only data, or a new subscription, opens it again."""
        self._subscriptions.forget(name)
        self._forget(name)

    def tell_again(self, name: str) -> None:
        """Its reader was told that the stream is lost, meaning another socket: if it is open here, say so."""
        self._told.pop(name, None)
        if name in self._subscriptions.confirmed:
            self._open(name)

    def renew_doubted(self) -> None:
        """Unsubscribe and subscribe all that are asked for and are not known to be open."""
        self._subscriptions.ask_again(self._readers)
        self._changed.set()

    def end(self, error: DepthGuiError | None) -> None:
        """Stop reading, for the reason given."""
        if not self.ended.done():
            self.ended.set_result(error)

    async def close(self) -> None:
        """Close the socket and wait for its tasks, for some seconds at most."""
        self.end(None)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(_CLOSE_S):
                await self._stream.close()
        except TimeoutError:
            _log.warning("%s: closing took longer than %.0f s; it is left as it is", self.url, _CLOSE_S)

    def lose(self, error: DepthGuiError, *, but_for: SharedSocket | None = None) -> None:
        """Tell every reader whose stream was open that it is no longer, unless `but_for` delivers it as well."""
        told, self._told = self._told, {}
        for name, reader in told.items():
            if self._readers.get(name) is reader and (but_for is None or name not in but_for._told):
                reader.stream_lost(error)

    async def _guarded(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except TransportError as error:
            self.end(error)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not leave a socket that nobody reads
            _log.exception("serving %s failed", self.url)
            self.end(BinanceWebsocketClosed(self.url, 1006, f"internal error: {type(error).__name__}: {error}"))

    # What arrives

    def _deliver(self, payload: bytes) -> None:
        self.last_frame_s = self._loop.time()
        try:
            frame = decode_frame(payload)
            name = frame.stream
            reader = self._readers.get(name)
            if reader is None:
                self._take_answer(frame)
                return
            if self._flowing.get(name) is not reader and not self._begin_flow(name, reader):
                return  # what was under way when the stream was given up
            self.data_frames += 1
            try:
                reader.frame(frame.data, self.epoch)
            except MalformedMessageError:
                raise
            except Exception as error:  # noqa: BLE001 - one stream must not cost the others their socket
                self._reader_failed(name, reader, error)
        except MalformedMessageError as error:
            self._tell_malformed(error)

    def _begin_flow(self, name: str, reader: StreamReader) -> bool:
        if not self._subscriptions.is_expected(name):
            return False
        if self._told.get(name) is not reader or name not in self._subscriptions.confirmed:
            self._subscriptions.confirm(name)  # data may overtake the acknowledgement
            self._open(name)
        self._flowing[name] = reader
        self._owner.data_began(name)
        return True

    def _tell_malformed(self, error: MalformedMessageError) -> None:
        # What it was is unknown, so any of the readers may have lost a diff: their sequence rules will tell.
        self.malformed += 1
        if "frame" not in self._told_kinds:
            self._told_kinds.add("frame")
            _log.warning("%s: %s: %r (further ones are only counted)", self.url, error, error.excerpt)

    def _reader_failed(self, name: str, reader: StreamReader, error: Exception) -> None:
        # SharedStream keeps its readers' exceptions to itself; this is for a reader that does not.
        if name not in self._told_kinds:
            self._told_kinds.add(name)
            _log.error("%s: reading %s failed (further times are not logged)", self.url, name, exc_info=error)
        self._subscriptions.rest(name, self._loop.time())
        self._forget(name)
        reason = f"Internal error ({type(error).__name__}: {error}); subscribing again"
        reader.stream_lost(StreamInterruptedError(name, reason))
        self._changed.set()

    def _take_answer(self, frame: Frame) -> None:
        if frame.is_shutdown:
            _log.info("%s: the venue announces a shutdown of this connection", self.url)
            self._owner.shutdown_announced()
            return
        if frame.stream:
            return  # data of a stream that nobody reads any more
        request_id = _number(frame.id)
        if frame.refusal:
            self._take_refusal(request_id, frame.refusal)
            return
        missing = _missing(self._subscriptions.request_names(request_id), frame.result)
        for name in self._subscriptions.answered(request_id, but_for=missing):
            self._open(name)
        self._changed.set()  # another wait may be the shortest now

    def _take_refusal(self, request_id: int, reason: str) -> None:
        request = self._subscriptions.refused(request_id, self._loop.time())
        if request is None:
            # It names no request of ours, so it is no answer to any: the wait for that goes on.
            self._complaint = reason
            if reason not in self._told_kinds and len(self._told_kinds) < 100:
                self._told_kinds.add(reason)
                _log.warning("%s: an error that names no open request: %s", self.url, reason)
            return
        names = ", ".join(request.names)
        level = logging.INFO if names in self._told_kinds else logging.ERROR
        self._told_kinds.add(names)
        _log.log(level, "%s refused %s of %s: %s", self.url, request.method, names or "what is open by now", reason)
        refusal = VenueError(f"Binance refused the subscription ({reason})")
        for name in request.names if request.method == "SUBSCRIBE" else ():
            self._forget(name)
            if name in self._readers:
                self._readers[name].stream_lost(refusal)
        self._changed.set()

    def _open(self, name: str) -> None:
        reader = self._readers.get(name)
        if reader is None or self._told.get(name) is reader:
            return
        self._told[name] = reader
        self._owner.stream_opened(name)
        reader.stream_opened(self.epoch)

    def _forget(self, name: str) -> None:
        self._told.pop(name, None)
        self._flowing.pop(name, None)

    # What is asked for

    async def _keep_subscribed(self) -> None:
        subscriptions, readers = self._subscriptions, self._readers
        while True:
            self._changed.clear()
            for name in subscriptions.confirmed.intersection(readers):
                self._open(name)  # to whom has come since
            for times, names in subscriptions.take_overdue(readers, self._loop.time()).items():
                self._owner.unanswered(self, names, times)
            request = subscriptions.next_request(readers)
            if request is not None:
                await self._send(request)
            elif readers:
                await self._wait_for_change(subscriptions.wait_s(self._loop.time()))
            elif not await self._wait_for_change(_IDLE_S) and not readers:
                self.end(None)
                return

    async def _wait_for_change(self, within_s: float | None) -> bool:
        try:
            async with asyncio.timeout(within_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def _send(self, request: Request) -> None:
        wait_s = self._control.wait_s(1, self._loop.time())
        if wait_s > 0:
            await asyncio.sleep(wait_s)
            return  # what is wanted may have changed meanwhile
        self._control.spend(1, self._loop.time())
        self._subscriptions.sent(request, self._loop.time())
        if request.method == "UNSUBSCRIBE":
            for name in request.names:
                self._forget(name)
        try:
            async with asyncio.timeout(_SEND_S):
                await self._stream.send(encode_control(request.method, list(request.names), request.request_id))
        except TimeoutError:
            reason = f"could not send a request within {_SEND_S:.0f} s"
            raise BinanceWebsocketClosed(self.url, 1006, reason) from None


def _number(request_id: int | str | None) -> int:
    """The number of a request of ours, -1 where it is none."""
    if isinstance(request_id, int):
        return request_id
    is_number = request_id is not None and len(request_id) < 19 and request_id.isascii() and request_id.isdecimal()
    return int(request_id) if is_number and request_id is not None else -1


def _missing(names: tuple[str, ...], result: msgspec.Raw) -> tuple[str, ...]:
    """Which of `names` an answer leaves out that lists streams, as LIST_SUBSCRIPTIONS does; none for any other one."""
    raw = bytes(result)
    if not raw.startswith(b"["):
        return ()
    try:
        listed = msgspec.json.decode(raw, type=list[str])
    except msgspec.DecodeError:
        return ()
    return tuple(name for name in names if name not in listed) if listed else ()
