"""How the venue numbers its events: the two dialects of "does this diff continue that book?".

Venue documents: "How to manage a local order book correctly", spot (ids of one symbol, contiguous) and derivatives
(ids shared by all symbols, chained by `pu`).
"""

from __future__ import annotations

from typing import Protocol

from depthgui.book.messages import AnyDiff


def is_new_numbering(an_id: int, time_ms: int, *, lowest_id: int, latest_ms: int | None) -> bool:
    """Say whether ids have begun anew: the one rule for diffs, partial books and trades.

    True for an id at or below the lowest one of the numbering so far (`lowest_id`) with a time later than the latest
    (`latest_ms`, None while unknown). An id above the lowest one repeats what is known, whatever its time says: a
    message that is sent twice may carry the time of its second sending. Where a time is the event's own, as a trade's
    is, the last id will do for the lowest.
    Test networks begin anew about once a month; the venue documents no event for it.
    """
    return latest_ms is not None and an_id <= lowest_id and time_ms > latest_ms


class SequenceRules(Protocol):
    """The venue's rules for one kind of market; all ids are update ids."""

    has_own_ids: bool
    """True where an id moves only when this symbol's book does."""

    def is_old(self, book_id: int, diff: AnyDiff) -> bool:
        """Say whether the diff holds nothing that a book at `book_id` lacks."""

    def continues(self, book_id: int, diff: AnyDiff) -> bool:
        """Say whether the diff may be applied to a book that the diff before it left at `book_id`."""

    def joins(self, snapshot_id: int, diff: AnyDiff) -> bool:
        """Say whether the diff may be the first one applied to a snapshot."""

    def is_behind(self, snapshot_id: int, diff: AnyDiff) -> bool:
        """Say whether a snapshot is too old for `diff` to be the first one, whatever else comes."""


class SpotRules:
    """Ids of one symbol without holes: `first_id == last_id of the event before + 1`."""

    has_own_ids = True

    def is_old(self, book_id: int, diff: AnyDiff) -> bool:
        """Drop events with `u <= lastUpdateId` (step 5)."""
        return diff.last_id <= book_id

    def continues(self, book_id: int, diff: AnyDiff) -> bool:
        """Apply while `U <= id + 1 <= u` (step 7)."""
        return diff.first_id <= book_id + 1 <= diff.last_id

    def joins(self, snapshot_id: int, diff: AnyDiff) -> bool:
        """First event: `U <= lastUpdateId + 1 <= u`."""
        return self.continues(snapshot_id, diff)

    def is_behind(self, snapshot_id: int, diff: AnyDiff) -> bool:
        """Fetch again when `lastUpdateId + 1 < U` (step 4)."""
        return snapshot_id + 1 < diff.first_id


class DerivativeRules:
    """Ids shared by all symbols; each event names the one before it in `pu`."""

    has_own_ids = False

    def is_old(self, book_id: int, diff: AnyDiff) -> bool:
        """Drop events with `u < lastUpdateId`; the one at `u == lastUpdateId` repeats what the book has."""
        return diff.last_id <= book_id

    def continues(self, book_id: int, diff: AnyDiff) -> bool:
        """Apply while `pu` equals the last `u` (step 6)."""
        return diff.prev_id == book_id

    def joins(self, snapshot_id: int, diff: AnyDiff) -> bool:
        """First event: `U <= lastUpdateId <= u`, or one that follows the snapshot directly."""
        if diff.prev_id == snapshot_id:
            return True
        # `pu < id < u` says the same as `U <= id <= u` without the hole between `pu` and `U`, in which other symbols'
        # ids lie: a snapshot taken there has this book's state, and the event is the next one.
        return diff.prev_id is not None and diff.prev_id <= snapshot_id <= diff.last_id

    def is_behind(self, snapshot_id: int, diff: AnyDiff) -> bool:
        """Fetch again when the event before the first buffered one is newer than the snapshot."""
        return diff.prev_id is None or snapshot_id < diff.prev_id
