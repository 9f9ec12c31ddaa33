"""One frame of the ladder as plain data: what is drawn, row by row, and what a script may read of it."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property

import msgspec

from depthgui.ui.viewmodels.figures import Figure

BEST_BID = 1
BEST_ASK = 2
BID_SIDE = 4  # below the spread band
ASK_SIDE = 8  # above it
IN_SPREAD = 16  # between best bid and best ask
LARGE = 32
UNCOVERED = 64  # the row's side is not wholly proven here

FADE_STEP_S = 0.12
FADE_STEPS = 4
"""A flash fades in four steps, each of less than 5 % of the way to the text's colour: too little to be seen as a jump.

A step is longer than the pace of a diff stream, so that a lively market's own frames do the fading.
"""

FLASH_S = FADE_STEPS * FADE_STEP_S
"""How long a changed level flashes."""

PaintedRow = tuple[Decimal, Decimal | None, Decimal | None]
"""Price, bid size or None, ask size or None."""


class LadderRow(msgspec.Struct, frozen=True, gc=False):
    """One price. Units are integers of the frame's scales; bars are fractions from 0 to 1; `y` is in pixels.

    A side without a level has None for its units and an empty figure. Volume texts are rounded. `bought` is the share
    of the traded volume that takers bought.
    """

    index: int
    y: int
    flags: int
    price: str
    bid_units: int | None
    bid: Figure
    bid_bar: float
    ask_units: int | None
    ask: Figure
    ask_bar: float
    volume: str
    volume_bar: float
    bought: float


Total = tuple[str, float]
"""Of a running total: its text, rounded, and empty where no level is; its bar, a fraction from 0 to 1."""


class Band(msgspec.Struct, frozen=True, gc=False):
    """The strip between asks and bids. `direction` of the last price: 1 up, -1 down, 0 unknown."""

    y: int
    price: str
    direction: int
    spread: str


class LadderFrame(msgspec.Struct, frozen=True, dict=True):
    """What one paint draws. `rows` are top to bottom, highest price first, and `totals` belong to them one by one.

    Totals stand by themselves because one size changes those of all rows beyond it.

    `step` is the price step of a row; a row's price is ``index * step``. `mid` and `spread` are exact, None while a
    side is empty. `size_scale` is the number of decimals of the size units. `widest_whole` is the longest part of a
    size before its point, `fraction` the longest after it, so that a column can stand on its decimal points; both only
    grow, lest columns dance. `point` is the decimal mark. `flashes` maps a row's index to (moment in seconds,
    +1 grew or -1 shrank). `note` is a sentence that is shown over the rows, "" for none.
    """

    symbol: str
    update_id: int
    version: int
    stale: bool
    step: Decimal
    tick: Decimal
    rows: tuple[LadderRow, ...]
    totals: tuple[Total, ...]
    band: Band | None
    mid: Decimal | None
    spread: Decimal | None
    size_scale: int
    widest_price: str
    widest_whole: str
    fraction: int
    widest_sum: str
    widest_volume: str
    flashes: dict[int, tuple[float, int]]
    point: str = "."
    note: str = ""

    @cached_property
    def painted(self) -> Painted:
        """The frame as exact numbers; made when first asked for, so that painting doesn't pay for it."""
        step, scale = self.step, -self.size_scale
        return Painted(
            update_id=self.update_id,
            stale=self.stale,
            step=step,
            rows=tuple(
                (
                    row.index * step,
                    None if row.bid_units is None else Decimal(row.bid_units).scaleb(scale),
                    None if row.ask_units is None else Decimal(row.ask_units).scaleb(scale),
                )
                for row in self.rows
            ),
        )


class Painted(msgspec.Struct, frozen=True):
    """What the ladder last painted, in exact numbers: rows of (price, bid size, ask size), top to bottom."""

    update_id: int
    stale: bool
    step: Decimal
    rows: tuple[PaintedRow, ...]


NOTHING_PAINTED = Painted(update_id=0, stale=True, step=Decimal(0), rows=())
