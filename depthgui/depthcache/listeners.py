"""Who wants to hear of something. One that raises is reported, and the others are told all the same."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


class Listeners(Generic[_T]):
    """Callbacks with one argument; `what` names their subject in the log."""

    __slots__ = ("_callbacks", "_what")

    def __init__(self, what: str) -> None:
        """Start with nobody."""
        self._what = what
        self._callbacks: tuple[Callable[[_T], object], ...] = ()

    def __bool__(self) -> bool:
        """Say whether there is anybody."""
        return bool(self._callbacks)

    def add(self, callback: Callable[[_T], object]) -> Callable[[], None]:
        """Call `callback` from now on; the function returned ends that, and may be called twice."""
        # One of its own for each call: the same callback may be added twice, and taken back once.
        entry: Callable[[_T], object] = lambda news: callback(news)  # noqa: E731, PLW0108
        self._callbacks = (*self._callbacks, entry)
        return lambda: self._remove(entry)

    def tell(self, news: _T) -> None:
        """Call them all, in the order in which they were added."""
        for callback in self._callbacks:
            try:
                callback(news)
            except Exception:  # noqa: BLE001 - a window's mistake must not take a book or a socket down with it
                _log.exception("a listener of %s failed", self._what)

    def _remove(self, entry: Callable[[_T], object]) -> None:
        self._callbacks = tuple(callback for callback in self._callbacks if callback is not entry)
