"""When a feed that nobody looks at listens to best prices: in turns, each until the book has agreed with them once.

They are two thirds of all messages of a lively symbol, and a book that is checked once a minute is checked. No clock.
"""

from __future__ import annotations

import zlib

_EVERY_S = 60.0
_MOST_S = 10.0  # a quiet symbol has no best price to compare with


class AuditTurns:
    """The turns of one feed, the first of which begins at once; those of different symbols spread by their `name`."""

    __slots__ = ("_is_on", "_next_s", "_pause_s", "_since_s")

    def __init__(self, name: str) -> None:
        """Begin with a turn."""
        # 45 to 75 s: many feeds that started together don't stay together.
        self._pause_s = _EVERY_S * (0.75 + 0.5 * (zlib.crc32(name.encode()) % 1000) / 1000)
        self._is_on = False
        self._since_s = self._next_s = float("-inf")

    def begin_anew(self) -> None:
        """The book is a new one: it is to be verified as soon as it can be."""
        self._next_s = float("-inf")

    def wants(self, now_s: float, *, is_live: bool, verified_s: float | None) -> bool:
        """Say whether best prices are wanted now; `verified_s` is when the book last agreed with the venue's word.

        A turn doesn't end while the book is not live: nothing can be compared then.
        """
        if not self._is_on:
            if now_s < self._next_s:
                return False
            self._is_on, self._since_s = True, now_s
        if not is_live:
            self._since_s = now_s
        elif (verified_s is not None and verified_s > self._since_s) or now_s - self._since_s >= _MOST_S:
            self._is_on, self._next_s = False, now_s + self._pause_s
        return self._is_on
