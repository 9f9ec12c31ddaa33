"""What a feed knows of itself: counters, rates, lags. Kept by the feed, read by anybody."""

from __future__ import annotations

from dataclasses import dataclass

from depthgui.book.audit import AuditResult


@dataclass(slots=True)
class FeedCounters:
    """Counters since the feed was made; times ending in `_s` are the event loop's.

    `lag_ms` is the time from the venue's event to its arrival, corrected by the clock offset where that is known; it
    can be slightly negative because clocks are never quite equal.
    """

    messages: int = 0
    diffs: int = 0
    gaps: int = 0
    resyncs: int = 0
    audits: int = 0
    audit_differences: int = 0
    malformed: int = 0
    refreshes: int = 0
    updates_per_s: float = 0.0
    lag_ms: float | None = None
    verified_s: float | None = None
    last_audit: AuditResult | None = None
    last_data_s: float | None = None
    _diffs_at_tick: int = 0

    def note_audit(self, result: AuditResult) -> None:
        """Count a comparison with the venue's word."""
        self.audits += 1
        self.last_audit = result
        if result.agrees:
            self.verified_s = result.at_s
        else:
            self.audit_differences += len(result.differences)

    def note_lag(self, lag_ms: float) -> None:
        """Smooth the lag over about twenty messages."""
        self.lag_ms = lag_ms if self.lag_ms is None else self.lag_ms + (lag_ms - self.lag_ms) * 0.05

    def tick(self, elapsed_s: float) -> None:
        """Measure the rate of diffs over the time since the last call, smoothed over about five."""
        if elapsed_s <= 0:
            return
        rate = (self.diffs - self._diffs_at_tick) / elapsed_s
        self._diffs_at_tick = self.diffs
        self.updates_per_s += (rate - self.updates_per_s) * 0.3


@dataclass(slots=True)
class LoopLag:
    """How late the event loop is: the delay of a periodic call, the greatest of about the last ten seconds."""

    lag_ms: float = 0.0

    def note(self, late_s: float) -> None:
        """Count one call that came `late_s` seconds after it was due."""
        self.lag_ms = max(late_s * 1000.0, self.lag_ms * 0.8)
