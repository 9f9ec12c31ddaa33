"""Two sockets that deliver the same diffs for a while: which diffs may go into the book.

A socket has joined once its first diff is one that the book has already, or the very next one. From then on all its
diffs may be applied: each is old, because the other socket was faster, or continues the book. So during an overlap the
book follows whichever socket is ahead, and either of them may end without a gap.
"""

from __future__ import annotations

from collections import deque

from depthgui.book.messages import AnyDiff
from depthgui.book.sequence import SequenceRules


class SocketOverlap:
    """Sockets by their number (`epoch`), newer ones higher. No I/O, no clock."""

    def __init__(self, rules: SequenceRules, patience_s: float = 5.0) -> None:
        """Start without one. After `patience_s` a socket joins whatever its ids are: the sync will find the gap."""
        self._rules = rules
        self._patience_s = patience_s
        self._joined: set[int] = set()
        self._newest = -1
        self._waiting: deque[AnyDiff] = deque()
        self._waiting_epoch = -1
        self._waiting_since_s = 0.0

    def begin(self, epoch: int) -> None:
        """`epoch` is the first socket after none: its diffs are taken from the start."""
        self.clear()
        self._joined = {epoch}
        self._newest = epoch

    def clear(self) -> None:
        """No socket delivers any more."""
        self._joined = set()
        self._newest = -1
        self._waiting.clear()

    def has_joined(self, epoch: int) -> bool:
        """Say whether the socket's diffs may be applied, and the sockets before it may go."""
        return epoch in self._joined

    def keep(self, diff: AnyDiff, epoch: int, now_s: float) -> None:
        """Keep a diff of a socket that has not joined; one that is older than those that have is left out."""
        if epoch < self._newest:
            return
        if epoch != self._waiting_epoch:
            self._waiting.clear()
        if not self._waiting:
            self._waiting_epoch = epoch
            self._waiting_since_s = now_s
        self._waiting.append(diff)

    def joining(self, book_id: int | None, now_s: float) -> tuple[AnyDiff, ...]:
        """Diffs to apply now because their socket joins the book, which is at `book_id`; usually none."""
        waiting = self._waiting
        if not waiting:
            return ()
        first = waiting[0]
        joins = book_id is not None and (self._rules.is_old(book_id, first) or self._rules.continues(book_id, first))
        if not joins and now_s - self._waiting_since_s < self._patience_s:
            return ()
        self._joined.add(self._waiting_epoch)
        self._newest = self._waiting_epoch
        diffs = tuple(waiting)
        waiting.clear()
        return diffs
