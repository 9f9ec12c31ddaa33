"""Where the events of one symbol come from: the seam between the server and the synthetic or the recorded market."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from depthgui.book.messages import Diff, Snapshot
from depthgui.exchange.stream_names import Topic
from depthgui.exchange.symbols import SymbolSpec
from depthgui.exchange.venue_format import combined, text_frame


class Message:
    """One event on its way to the subscribers; its frames are made once and shared by all of them.

    `diff` is what it says, where it is a diff event: a fault that spoils a size needs to know the levels.
    """

    __slots__ = ("_frames", "diff", "payload")

    def __init__(self, payload: bytes, diff: Diff | None = None) -> None:
        self.payload = payload
        self.diff = diff
        self._frames: dict[str | None, bytes] = {}

    def frame(self, stream: str | None) -> bytes:
        """The WebSocket frame for a raw stream (None), or for a combined one of that name."""
        frame = self._frames.get(stream)
        if frame is None:
            payload = self.payload if stream is None else combined(stream, self.payload)
            frame = self._frames[stream] = self._wrap(payload)
        return frame

    def _wrap(self, payload: bytes) -> bytes:
        return text_frame(payload)


Publish = Callable[[Topic, Message], None]


class Source(Protocol):
    """The market of one symbol."""

    spec: SymbolSpec

    @property
    def runs_unheard(self) -> bool:
        """Time must pass here even while nobody listens."""
        ...

    def advance(self, now_ms: int, topics: Sequence[Topic], publish: Publish) -> None:
        """Let time pass up to `now_ms` and publish what happened on the `topics` (all of this symbol)."""
        ...

    def snapshot(self, limit: int | None, now_ms: int, *, age_ms: int = 0) -> Snapshot:
        """The best `limit` levels a side (None: all), as they were `age_ms` ago as far back as is known."""
        ...

    def book_at(self, update_id: int) -> Snapshot:
        """The whole book at an update id; LookupError if that is too long ago."""
        ...
