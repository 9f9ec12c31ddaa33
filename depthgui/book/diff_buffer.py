"""Diffs that wait for a snapshot: an unbroken run, bounded in number and age. No clock."""

from __future__ import annotations

from collections import deque

from depthgui.book.errors import GapError
from depthgui.book.messages import AnyDiff
from depthgui.book.order_book import OrderBook
from depthgui.book.sequence import SequenceRules, is_new_numbering
from depthgui.book.sync_limits import SyncLimits


class DiffBuffer:
    """The latest diffs in the order of arrival, each continuing the one before it."""

    __slots__ = ("_diffs", "_limits", "_rules", "dropped")

    def __init__(self, rules: SequenceRules, limits: SyncLimits) -> None:
        """Start empty."""
        self._rules = rules
        self._limits = limits
        self._diffs: deque[tuple[float, AnyDiff]] = deque()
        self.dropped = 0
        """Diffs that were dropped at the front since `clear`, because too many or too old ones waited."""

    def __len__(self) -> int:
        return len(self._diffs)

    @property
    def first(self) -> AnyDiff | None:
        """The oldest diff."""
        return self._diffs[0][1] if self._diffs else None

    @property
    def last(self) -> AnyDiff | None:
        """The newest diff."""
        return self._diffs[-1][1] if self._diffs else None

    @property
    def first_s(self) -> float:
        """When the oldest diff arrived; minus infinity while there is none."""
        return self._diffs[0][0] if self._diffs else float("-inf")

    @property
    def last_s(self) -> float:
        """When the newest diff arrived; minus infinity while there is none."""
        return self._diffs[-1][0] if self._diffs else float("-inf")

    def clear(self) -> None:
        """Forget all."""
        self._diffs.clear()
        self.dropped = 0

    def keep(self, diff: AnyDiff, now_s: float) -> None:
        """Add a diff. Only the front is ever dropped: what is kept is still without holes."""
        diffs = self._diffs
        diffs.append((now_s, diff))
        oldest_s = now_s - self._limits.buffer_s
        while len(diffs) > self._limits.buffer_events or diffs[0][0] < oldest_s:
            diffs.popleft()
            self.dropped += 1

    def repeats(self, diff: AnyDiff) -> bool:
        """Say whether the buffer, or what came before it, holds the diff already."""
        first, last = self.first, self.last
        if first is None or last is None or not self._rules.is_old(last.last_id, diff):
            return False
        return not is_new_numbering(
            diff.last_id, diff.event_time_ms, lowest_id=first.first_id, latest_ms=last.event_time_ms
        )

    def is_broken_by(self, diff: AnyDiff) -> bool:
        """Say whether the diff leaves a hole: what is before it can never be joined with what comes after."""
        last = self.last
        return last is not None and not self._rules.continues(last.last_id, diff)

    def is_ahead_of(self, snapshot_id: int) -> bool:
        """Say whether a snapshot is too old for the buffer, whatever else comes."""
        first = self.first
        return first is not None and self._rules.is_behind(snapshot_id, first)

    def reaches(self, snapshot_id: int) -> bool:
        """Say whether the newest diff has something that a snapshot lacks."""
        last = self.last
        return last is not None and not self._rules.is_old(snapshot_id, last)

    def catch_up(self, book: OrderBook) -> bool:
        """Apply to a book made from a snapshot what it lacks.

        Returns True if that was nothing: the first diff has yet to come. Raises GapError where the snapshot does not
        join the diffs, MalformedMessageError for a level that is not two numbers.
        """
        rules = self._rules
        awaits_first = True
        for _, diff in self._diffs:
            if rules.is_old(book.last_update_id, diff):
                continue
            fits = rules.joins if awaits_first else rules.continues
            if not fits(book.last_update_id, diff):
                raise GapError.between(book.symbol, book.last_update_id, diff)
            book.apply(diff)
            awaits_first = False
        return awaits_first
