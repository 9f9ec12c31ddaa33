"""The fallback where no snapshot ever joins the diff stream: whole books of a few levels, many times a second.

Options' snapshots lag their stream, sometimes for good. A partial depth stream carries the best levels whole in each
event, so each event replaces the book; what lies beyond its last level is not covered. It is left as soon as the diff
book is live.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from depthgui.binance.codec import decode_partial, partial_stream
from depthgui.binance.endpoints import SymbolRef
from depthgui.book.errors import DepthGuiError
from depthgui.book.messages import Snapshot
from depthgui.book.order_book import OrderBook
from depthgui.book.sequence import is_new_numbering

_LEVELS = 20
_INTERVAL_MS = 100
_SILENT_S = 10.0


class PartialBook:
    """Reads one partial depth stream; a StreamReader. `book` is the latest one, None before the first.

    Raises MalformedMessageError from `frame`; the caller reports it.
    """

    def __init__(self, ref: SymbolRef, version: int, now_s: Callable[[], float], on_book: Callable[[], None]) -> None:
        """Count versions from `version` on; `on_book` is called after each new book."""
        self.ref = ref
        self.name = partial_stream(ref.symbol, _LEVELS, _INTERVAL_MS)
        self.book: OrderBook | None = None
        self.version = version
        self.is_over = False
        self._now_s = now_s
        self._on_book = on_book
        self._is_open = False
        self._arrived_s = 0.0
        self._lowest_id = 0

    @property
    def is_live(self) -> bool:
        """True while the latest book is recent and its stream open."""
        return self.book is not None and self._is_open and self._now_s() - self._arrived_s < _SILENT_S

    def stream_opened(self, epoch: int) -> None:
        """The stream delivers from now on."""
        self._is_open = True

    def stream_lost(self, error: DepthGuiError) -> None:
        """It no longer does."""
        self._is_open = False

    def has_caught_up(self, epoch: int) -> bool:
        """Each event is whole: no overlap is needed."""
        return True

    def frame(self, payload: msgspec.Raw, epoch: int) -> None:
        """Replace the book, unless the event is older than it."""
        snapshot = decode_partial(payload, self.ref.market, _LEVELS, self.ref.symbol)
        if self.is_over or self._is_older(snapshot):
            return
        self.version += 1
        self.book = OrderBook.from_snapshot(self.ref.symbol, snapshot, self.version)
        self._arrived_s = self._now_s()
        self._on_book()

    def _is_older(self, snapshot: Snapshot) -> bool:
        book, update_id, time_ms = self.book, snapshot.last_update_id, snapshot.event_time_ms
        if book is not None and update_id < book.last_update_id:
            is_new = time_ms is not None and is_new_numbering(
                update_id, time_ms, lowest_id=self._lowest_id, latest_ms=book.event_time_ms
            )
            if not is_new:
                return True
            self._lowest_id = update_id
        self._lowest_id = self._lowest_id or update_id
        return False
