"""One open WebSocket of a connection: keeps the venue's subscriptions equal to what is read, and hands out frames."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

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
from depthgui.transport.stream import Stream

_log = logging.getLogger(__name__)

_STREAMS_PER_REQUEST = 100
_IDLE_S = 5.0


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
        self._opened: set[str] = set()
        self._requested: set[str] = set()
        self._pending: dict[int, tuple[str, list[str]]] = {}
        self._request_id = 0
        # One message a second is left to the pongs that websockets sends by itself.
        self._control = SlidingWindow(limits.control_messages_per_second - 1, 1.0)
        self._changed = asyncio.Event()
        self._told_kinds: set[str] = set()
        self._tasks = [
            loop.create_task(self._read(), name=f"read {url}"),
            loop.create_task(self._keep_subscribed(), name=f"subscribe {url}"),
        ]

    @property
    def is_complete(self) -> bool:
        """True when every stream that is read has been acknowledged."""
        return self._opened.issuperset(self._readers)

    def readers_changed(self) -> None:
        """Subscribe and unsubscribe as the readers now want it."""
        self._changed.set()

    def renew(self, name: str) -> None:
        """Unsubscribe and subscribe one stream."""
        self._opened.discard(name)
        self._requested.discard(name)
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

    def lose(self, error: DepthGuiError) -> None:
        """Tell every reader whose stream was open that it is no longer."""
        for name in self._opened:
            reader = self._readers.get(name)
            if reader is not None:
                reader.stream_lost(error)
        self._opened.clear()

    async def _read(self) -> None:
        try:
            while True:
                self._deliver(await self._stream.recv())
        except TransportError as error:
            self.end(error)
        except Exception as error:  # noqa: BLE001 - a reader's mistake must not leave a socket that nobody reads
            _log.exception("reading %s failed", self._url)
            self.end(BinanceWebsocketClosed(self._url, 1006, f"internal error: {type(error).__name__}: {error}"))

    def _deliver(self, payload: bytes) -> None:
        self.last_frame_s = self._loop.time()
        try:
            frame = decode_frame(payload)
            reader = self._readers.get(frame.stream)
            if reader is None:
                self._take_answer(frame)
                return
            if frame.stream not in self._opened:
                self._open(frame.stream)  # data may overtake the acknowledgement
            self.data_frames += 1
            reader.frame(frame.data, self.epoch)
        except MalformedMessageError as error:
            self._tell_malformed(error)

    def _tell_malformed(self, error: MalformedMessageError) -> None:
        # What it was is unknown, so any of the readers may have lost a diff: their sequence rules will tell.
        self.malformed += 1
        if "frame" not in self._told_kinds:
            self._told_kinds.add("frame")
            _log.warning("%s: %s (further ones are only counted)", self._url, error)

    def _take_answer(self, frame: Frame) -> None:
        if frame.is_shutdown:
            _log.info("%s: the venue announces a shutdown of this connection", self._url)
            self._on_shutdown()
            return
        method, names = self._pending.pop(frame.id, ("", [])) if isinstance(frame.id, int) else ("", [])
        if frame.refusal:
            _log.error("%s refused %s of %s: %s", self._url, method or "a request", ", ".join(names), frame.refusal)
            refusal = VenueError(f"Binance refused the subscription ({frame.refusal})")
            for name in names:
                if name in self._readers:
                    self._readers[name].stream_lost(refusal)
        elif method == "SUBSCRIBE":
            for name in names:
                self._open(name)

    def _open(self, name: str) -> None:
        if name in self._opened or name not in self._readers:
            return
        self._opened.add(name)
        self._on_opened()
        self._readers[name].stream_opened(self.epoch)

    async def _keep_subscribed(self) -> None:
        try:
            while True:
                self._changed.clear()
                unwanted = sorted(self._requested.difference(self._readers))
                wanted = [name for name in self._readers if name not in self._requested]
                if unwanted:
                    await self._request("UNSUBSCRIBE", unwanted[:_STREAMS_PER_REQUEST])
                elif wanted:
                    await self._request("SUBSCRIBE", wanted[:_STREAMS_PER_REQUEST])
                elif self._readers:
                    await self._changed.wait()
                else:
                    await asyncio.sleep(_IDLE_S)
                    if not self._readers:
                        self.end(None)
                        return
        except TransportError as error:
            self.end(error)

    async def _request(self, method: str, names: list[str]) -> None:
        await self._control.take(self._loop.time, asyncio.sleep)
        self._request_id += 1
        self._pending[self._request_id] = (method, names)
        if method == "SUBSCRIBE":
            self._requested.update(names)
        else:
            self._requested.difference_update(names)
            self._opened.difference_update(names)
        await self._stream.send(encode_control(method, names, self._request_id))
