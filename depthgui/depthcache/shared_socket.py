"""One open WebSocket of a connection: keeps the venue's subscriptions equal to what is read, and hands out frames."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from depthgui.binance.codec import Frame, decode_frame, encode_control
from depthgui.binance.endpoints import SymbolRef
from depthgui.binance.limits import MarketLimits, SlidingWindow
from depthgui.book.errors import (
    BinanceWebsocketClosed,
    DepthGuiError,
    MalformedMessageError,
    TransportError,
    VenueError,
)

if TYPE_CHECKING:
    from depthgui.transport.stream import Stream

_log = logging.getLogger(__name__)

_STREAMS_PER_REQUEST = 100
_IDLE_S = 5.0
# The venue counts pings and pongs too, and the network may bunch up what was sent with pauses.
_MESSAGES_KEPT_FREE = 2
_PERIOD_S = 1.25
_REFUSED_PAUSE_S = 10.0
_FAILURES_TOLD = 3


class StreamReader(Protocol):
    """Takes the frames of one stream. `epoch` is the number of the socket that they come from."""

    @property
    def ref(self) -> SymbolRef:
        """The symbol that the stream belongs to."""

    def stream_opened(self, epoch: int) -> None:
        """The stream delivers from now on."""

    def stream_lost(self, error: DepthGuiError) -> None:
        """It no longer does."""

    def frame(self, payload: msgspec.Raw, epoch: int) -> None:
        """A payload arrived. A MalformedMessageError is counted and told by the socket."""

    def has_caught_up(self, epoch: int) -> bool:
        """Say whether the sockets before `epoch` are no longer needed."""


class SharedSocket:
    """One socket. `ended` resolves to the reason, None when nothing was wanted of it any more."""

    def __init__(
        self,
        epoch: int,
        url: str,
        stream: Stream,
        readers: Mapping[str, StreamReader],
        limits: MarketLimits,
        *,
        on_opened: Callable[[], None],
        on_shutdown: Callable[[], None],
    ) -> None:
        """Begin to read, and to subscribe to what `readers` (a live view) names.

        `on_opened` is called whenever a stream begins to deliver, `on_shutdown` when the venue announces the end.
        """
        loop = asyncio.get_running_loop()
        self.epoch = epoch
        self.data_frames = 0
        self.malformed = 0
        self.last_frame_s = loop.time()
        self.ended: asyncio.Future[DepthGuiError | None] = loop.create_future()
        self._loop = loop
        self._on_opened = on_opened
        self._on_shutdown = on_shutdown
        self._url = url
        self._stream = stream
        self._readers = readers
        self._asked: set[str] = set()  # subscribed to, as far as we asked
        self._confirmed: set[str] = set()  # of these, what the venue acknowledged, or sends
        self._told: dict[str, StreamReader] = {}  # who knows that its stream is open
        self._renewing: set[str] = set()  # to be unsubscribed before they are asked for again
        self._refused_until_s: dict[str, float] = {}
        self._pending: dict[int, tuple[str, list[str]]] = {}
        self._request_id = 0
        self._control = SlidingWindow(limits.control_messages_per_second - _MESSAGES_KEPT_FREE, _PERIOD_S)
        self._changed = asyncio.Event()
        self._told_kinds: set[str] = set()
        self._failures: dict[str, int] = {}
        self._tasks = [
            loop.create_task(self._guarded(stream.deliver(self._deliver)), name=f"read {url}"),
            loop.create_task(self._guarded(self._keep_subscribed()), name=f"subscribe {url}"),
        ]

    @property
    def is_complete(self) -> bool:
        """True when every stream that is read has been acknowledged."""
        return self._confirmed.issuperset(self._readers)

    def readers_changed(self) -> None:
        """Subscribe and unsubscribe as the readers now want it."""
        self._changed.set()

    def renew(self, name: str) -> None:
        """Unsubscribe and subscribe one stream."""
        if name in self._asked:
            self._renewing.add(name)
            self._forget(name)
        self._changed.set()

    def end(self, error: DepthGuiError | None) -> None:
        """Stop reading, for the reason given."""
        if not self.ended.done():
            self.ended.set_result(error)

    async def close(self) -> None:
        """Close the socket and wait for its tasks."""
        self.end(None)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._stream.close()

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
            _log.exception("serving %s failed", self._url)
            self.end(BinanceWebsocketClosed(self._url, 1006, f"internal error: {type(error).__name__}: {error}"))

    def _deliver(self, payload: bytes) -> None:
        self.last_frame_s = self._loop.time()
        try:
            frame = decode_frame(payload)
            reader = self._readers.get(frame.stream)
            if reader is None:
                self._take_answer(frame)
                return
            if self._told.get(frame.stream) is not reader:
                if frame.stream not in self._asked or frame.stream in self._renewing:
                    return  # what was under way when the stream was given up
                self._open(frame.stream)  # data may overtake the acknowledgement
        except MalformedMessageError as error:
            self._tell_malformed(error)
            return
        self.data_frames += 1
        try:
            reader.frame(frame.data, self.epoch)
        except MalformedMessageError as error:
            self._tell_malformed(error)
        except Exception:  # noqa: BLE001 - one reader's mistake must not take the socket from all the others
            self._note_failure(frame.stream)

    def _note_failure(self, name: str) -> None:
        self.malformed += 1
        if name not in self._told_kinds:
            self._told_kinds.add(name)
            _log.exception("%s: a reader of %s failed (further ones are only counted)", self._url, name)
        if self._failures.get(name, 0) < _FAILURES_TOLD:  # its book may lack this frame: let it begin anew
            self._failures[name] = self._failures.get(name, 0) + 1
            reader = self._readers.get(name)
            if reader is not None:
                reader.stream_lost(BinanceWebsocketClosed(self._url, 1006, f"a frame of {name} could not be taken"))
            self.renew(name)

    def _tell_malformed(self, error: MalformedMessageError) -> None:
        # What it was is unknown, so any of the readers may have lost a diff: their sequence rules will tell.
        self.malformed += 1
        if "frame" not in self._told_kinds:
            self._told_kinds.add("frame")
            _log.warning("%s: %s: %r (further ones are only counted)", self._url, error, error.excerpt)

    def _take_answer(self, frame: Frame) -> None:
        if frame.is_shutdown:
            _log.info("%s: the venue announces a shutdown of this connection", self._url)
            self._on_shutdown()
            return
        method, names = self._pending.pop(frame.id, ("", [])) if isinstance(frame.id, int) else ("", [])
        if frame.refusal:
            self._take_refusal(method, names, frame.refusal)
        elif method == "SUBSCRIBE":
            for name in names:
                if name in self._asked and name not in self._renewing:
                    self._open(name)

    def _take_refusal(self, method: str, names: list[str], reason: str) -> None:
        _log.error("%s refused %s of %s: %s", self._url, method or "a request", ", ".join(names), reason)
        if method != "SUBSCRIBE":
            return
        refusal = VenueError(f"Binance refused the subscription ({reason})")
        again_s = self._loop.time() + _REFUSED_PAUSE_S
        for name in names:
            self._asked.discard(name)
            self._forget(name)
            self._refused_until_s[name] = again_s
            if name in self._readers:
                self._readers[name].stream_lost(refusal)
        self._changed.set()

    def _open(self, name: str) -> None:
        self._confirmed.add(name)
        reader = self._readers.get(name)
        if reader is None or self._told.get(name) is reader:
            return
        self._told[name] = reader
        self._on_opened()
        reader.stream_opened(self.epoch)

    def _forget(self, name: str) -> None:
        self._confirmed.discard(name)
        self._told.pop(name, None)

    async def _keep_subscribed(self) -> None:
        while True:
            self._changed.clear()
            for name in self._confirmed.intersection(self._readers) - self._renewing:
                self._open(name)  # to whom has come since
            unwanted = sorted(name for name in self._asked if name not in self._readers or name in self._renewing)
            wanted = self._names_to_ask_for()
            if unwanted:
                await self._request("UNSUBSCRIBE", unwanted[:_STREAMS_PER_REQUEST])
            elif wanted:
                await self._request("SUBSCRIBE", wanted[:_STREAMS_PER_REQUEST])
            elif self._readers:
                await self._wait_for_change(self._pause_s())
            elif not await self._wait_for_change(_IDLE_S) and not self._readers:
                self.end(None)
                return

    def _names_to_ask_for(self) -> list[str]:
        now_s = self._loop.time()
        for name in [name for name, until_s in self._refused_until_s.items() if until_s <= now_s]:
            del self._refused_until_s[name]
        return [name for name in self._readers if name not in self._asked and name not in self._refused_until_s]

    def _pause_s(self) -> float | None:
        return min(self._refused_until_s.values()) - self._loop.time() if self._refused_until_s else None

    async def _wait_for_change(self, within_s: float | None) -> bool:
        try:
            async with asyncio.timeout(within_s):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def _request(self, method: str, names: list[str]) -> None:
        await self._control.take(self._loop.time, asyncio.sleep)
        self._request_id += 1
        self._pending[self._request_id] = (method, names)
        if method == "SUBSCRIBE":
            self._asked.update(names)
        else:
            self._asked.difference_update(names)
            self._renewing.difference_update(names)
            for name in names:
                self._forget(name)
        await self._stream.send(encode_control(method, names, self._request_id))
