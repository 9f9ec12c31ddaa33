"""What the pointer and the keyboard add to a frame of the ladder, as plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LadderOverlay:
    """Rows are named by their index; `ruler` is what is said of the hovered one, a string a line."""

    hovered: int | None = None
    selected: range = range(0)
    marked: frozenset[int] = frozenset()
    ruler: tuple[str, ...] = ()


NO_OVERLAY = LadderOverlay()
