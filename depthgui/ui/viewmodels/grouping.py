"""The choices of grouping: how many ticks make a row."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from depthgui.book.order_book import OrderBook

USUAL_TICKS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)


_SAMPLE = 40  # levels a side that a suggestion looks at
_ROOM = 0.75  # some empty rows are fine; merging levels hides more than they do


def next_ticks(ticks: int, direction: int) -> int:
    """The next coarser (1) or finer (-1) usual choice; the last one stays."""
    if direction > 0:
        return next((choice for choice in USUAL_TICKS if choice > ticks), max(ticks, USUAL_TICKS[-1]))
    return next((choice for choice in reversed(USUAL_TICKS) if choice < ticks), 1)


def suggested_ticks(book: OrderBook, tick: Decimal) -> int:
    """The usual choice at which the best levels fill about one row each; 1 for a book with few levels."""
    most = 1.0
    for side in (book.bids, book.asks):
        keys = side.top(_SAMPLE)
        if len(keys) < _SAMPLE:
            return 1
        most = max(most, abs(float(keys[-1]) - float(keys[0])) / float(tick) / _SAMPLE)
    return next((choice for choice in USUAL_TICKS if choice >= most * _ROOM), USUAL_TICKS[-1])


def step_text(tick: Decimal, ticks: int) -> str:
    """Price step of a row, with the tick's decimals: 0.10 for ten ticks of 0.01."""
    exponent = tick.normalize().as_tuple().exponent
    decimals = max(0, -exponent) if isinstance(exponent, int) else 0
    return f"{tick * ticks:,.{decimals}f}"


def ticks_for(text: str, tick: Decimal) -> int:
    """Ticks in a step that was typed in.

    Raises ValueError, with a sentence for the user, where it is no positive multiple of the tick.
    """
    try:
        step = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        raise ValueError(f"\u201c{text}\u201d is not a number") from None
    ticks = step / tick
    if not step.is_finite() or ticks < 1 or ticks != ticks.to_integral_value():
        raise ValueError(f"a row must be a multiple of the tick, {tick:f}")
    return int(ticks)
