"""Is a symbol quiet, or its stream dead? How long a live book may be silent, by the symbol's own pace. No clock."""

from __future__ import annotations

from depthgui.book.sync_limits import SyncLimits


class SilenceWatch:
    """How long ago the last diff was, and how long that may be."""

    __slots__ = ("_diffs", "_limits", "_measured_s", "_patience", "_rate", "last_s")

    def __init__(self, limits: SyncLimits) -> None:
        """Start without a pace, impatient."""
        self._limits = limits
        self.last_s = 0.0
        """When the last diff, or the last proof that there was none, came."""
        self._diffs = 0  # since the pace was measured
        self._measured_s = 0.0
        self._rate = 0.0  # diffs per second, smoothed over about ten seconds
        # Factor on the silence allowed: doubles each time silence turns out to be quiet, halves in 7 s of traffic.
        self._patience = 1.0

    def open(self) -> None:
        """A new stream: nobody has proved to be quiet yet."""
        self._patience = 1.0

    def begin(self, now_s: float) -> None:
        """From now on diffs are expected."""
        self.last_s = self._measured_s = now_s
        self._diffs = 0

    def note_diff(self, now_s: float) -> None:
        """A diff was applied."""
        self.last_s = now_s
        self._diffs += 1

    def note_quiet(self, now_s: float) -> None:
        """The silence was proved to be the symbol's own."""
        self.last_s = now_s
        self._patience = min(self._patience * 2, self._limits.patience_most)

    def measure(self, now_s: float) -> None:
        """Take the pace of what came since the last time; silence says nothing of it until it ends."""
        if not self._diffs:
            return
        elapsed_s = now_s - self._measured_s
        if elapsed_s > 0:
            rate = self._diffs / elapsed_s
            self._rate = rate if not self._rate else self._rate + (rate - self._rate) * (1 - 0.9**elapsed_s)
            self._patience = max(self._patience * 0.9**elapsed_s, 1.0)
        self._measured_s = now_s
        self._diffs = 0

    def silent_s(self, now_s: float) -> float:
        """Seconds since the last diff."""
        return now_s - self.last_s

    @property
    def is_known_quiet(self) -> bool:
        """True for a symbol whose silence has been proved to be its own, and that has not been lively since."""
        return self._patience > 1.0

    def is_too_long(self, now_s: float) -> bool:
        """Say whether the silence is longer than the symbol's pace explains. Never longer than `silent_max_s`."""
        limits = self._limits
        usual_s = limits.silent_intervals / self._rate if self._rate > 0 else limits.silent_first_s
        allowed_s = max(usual_s, limits.silent_min_s) * self._patience
        return self.silent_s(now_s) >= min(allowed_s, limits.silent_max_s)
