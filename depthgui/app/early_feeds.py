"""Feeds that begin before their tabs are there: books come while what paints them is still being imported."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from depthgui.depthcache.feed import Feed
from depthgui.ui.engine import SymbolRef

_IN_FRONT, _BEHIND = 0, 1  # whose snapshot is fetched first


class EarlyFeeds:
    """Makes the feeds of one venue with `make`; those that began early are handed out when they are asked for."""

    def __init__(self, make: Callable[[SymbolRef], Feed]) -> None:
        """Begin none yet."""
        self._make = make
        self._feeds: dict[SymbolRef, Feed] = {}

    def begin(self, refs: Iterable[SymbolRef]) -> None:
        """Start the feeds of these symbols, which must all get their tabs; the first will be in front."""
        for ref in refs:
            if ref not in self._feeds:
                feed = self._make(ref)
                feed.urgency = _BEHIND if self._feeds else _IN_FRONT
                self._feeds[ref] = feed
                feed.start()

    def take(self, ref: SymbolRef) -> Feed:
        """The feed that began early, to the first who asks; else a new one."""
        return self._feeds.pop(ref, None) or self._make(ref)
