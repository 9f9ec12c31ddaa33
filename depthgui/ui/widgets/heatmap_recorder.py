"""Collects the heatmap's history of one feed: a column for each slot of time, also while nobody looks.

It listens to the clock's beat while the feed is live, and costs nothing otherwise; what a column costs is told in
`HeatmapHistory`. A slot that the beat missed stays a gap.
"""

from __future__ import annotations

import time
from itertools import islice

from PySide6 import QtCore

from depthgui.book.messages import Trade
from depthgui.ui.beat import Beat
from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.viewmodels.feed_view import FeedView, InstrumentTracker, is_live
from depthgui.ui.viewmodels.heatmap_grid import PriceGrid, fitting_ticks
from depthgui.ui.viewmodels.heatmap_history import ROWS, HeatmapHistory
from depthgui.ui.viewmodels.instrument import Instrument


class HeatmapRecorder(QtCore.QObject):
    """The history of one feed. Slots are counted from `clock`'s zero; `recorded` tells of each column."""

    recorded = QtCore.Signal()
    failed = QtCore.Signal(object)  # Exception; nothing is recorded any more, until `begin_anew`

    def __init__(self, clock: FrameClock, parent: QtCore.QObject | None = None) -> None:
        """Start without a feed, with columns of 250 ms and ten minutes of them."""
        super().__init__(parent)
        self._clock = clock
        self._now_s = clock.now_s
        self._feed: FeedView | None = None
        self._column_ms = 250
        self._kept_s = 600
        self._is_on = True
        self._has_failed = False
        self._stretch = 0
        self._resyncs = 0
        self._trade_version = 0
        self._instruments = InstrumentTracker()
        self.history: HeatmapHistory | None = None
        self._beat: Beat | None = None  # what it listens to

    @property
    def column_s(self) -> float:
        """Seconds of a slot."""
        return self._column_ms / 1000

    @property
    def instrument(self) -> Instrument | None:
        """The feed's instrument as it is known now; None without a feed."""
        return None if self._feed is None else self._instruments.read(self._feed)

    @property
    def capacity(self) -> int:
        """Slots that are kept."""
        return self._kept_s * 1000 // self._column_ms

    @property
    def is_running(self) -> bool:
        """True while columns are being collected."""
        return self._beat is not None

    def slot_now(self) -> int:
        """The slot of this moment."""
        return int(self._now_s() * 1000) // self._column_ms

    def wall_ms(self, slot: int) -> int:
        """Unix time at which a slot began: as the clock was set when it was recorded, else as it is set now."""
        column = None if self.history is None else self.history.column(slot)
        return self._wall_ms(slot) if column is None else column.wall_ms

    def _wall_ms(self, slot: int) -> int:
        return round(time.time() * 1000 - self._now_s() * 1000 + slot * self._column_ms)

    def set_feed(self, feed: FeedView | None) -> None:
        """Record another feed, or none; what was kept is of another symbol and is forgotten."""
        self._feed = feed
        self._instruments = InstrumentTracker()
        self._forget()
        self.follow_state()

    def set_lengths(self, column_ms: int, kept_s: int) -> bool:
        """Choose the time of a column and how much is kept. True if that is a change: the history begins anew."""
        if (column_ms, kept_s) == (self._column_ms, self._kept_s):
            return False
        self._column_ms, self._kept_s = column_ms, kept_s
        if self._beat is not None:
            self._listen_to(self._clock.beat(column_ms))
        self._forget()
        return True

    def set_on(self, is_on: bool) -> None:
        """Collect, or don't, because the panel was put away for good."""
        self._is_on = is_on
        self.follow_state()

    def follow_state(self) -> None:
        """Hear that the feed's state has changed: a book that is not in step is not recorded."""
        feed = self._feed
        if feed is not None and self._is_on and not self._has_failed and is_live(feed):
            if self._beat is None:
                self._stretch += 1
                self._trade_version = feed.trade_version
                self.record()
                if not self._has_failed:
                    self._listen_to(self._clock.beat(self._column_ms))
        else:
            self._listen_to(None)

    def _listen_to(self, beat: Beat | None) -> None:
        if self._beat is not None:
            self._beat.leave(self.record)
        self._beat = beat
        if beat is not None:
            beat.join(self.record)

    def begin_anew(self) -> None:
        """Record into a new history, after `failed`."""
        self._listen_to(None)
        self._forget()
        self._has_failed = False
        self.follow_state()

    def _forget(self) -> None:
        self.history = None

    def record(self) -> None:
        """Keep the book as it is now as the column of this slot, unless it has one or the book is not in step."""
        try:
            self._record()
        except Exception as error:  # noqa: BLE001 - told once, not at each beat
            self._has_failed = True
            self._listen_to(None)
            self.failed.emit(error)

    def _record(self) -> None:
        feed = self._feed
        book = None if feed is None else feed.book
        if feed is None or book is None or not is_live(feed):
            return
        history = self._fitting(feed)
        if feed.counters.resyncs != self._resyncs:
            self._resyncs = feed.counters.resyncs
            self._stretch += 1
        slot = self.slot_now()
        if history is None or history.last_slot == slot:
            return
        if history.record(slot, book, self._stretch, self._new_trades(feed), self._wall_ms(slot)):
            self.recorded.emit()

    def _fitting(self, feed: FeedView) -> HeatmapHistory | None:
        # The grid is chosen by the first book, and anew when the venue tells a tick that the book's prices hid. Other
        # units alone leave it: sizes are kept as the venue counts them.
        instrument = self._instruments.read(feed)
        if self.history is not None and self.history.grid.tick != instrument.tick:
            self.history = None
        book = feed.book
        if self.history is None and book is not None and book.bids and book.asks:
            grid = PriceGrid(instrument.tick, fitting_ticks(book, instrument.tick, ROWS // 2))
            self.history = HeatmapHistory(grid, instrument.size_decimals, self.capacity)
        return self.history

    def _new_trades(self, feed: FeedView) -> list[Trade]:
        new = min(feed.trade_version - self._trade_version, len(feed.trades))
        self._trade_version = feed.trade_version
        if new <= 0:
            return []
        return [trade for trade in islice(feed.trades, len(feed.trades) - new, None) if trade.is_market]
