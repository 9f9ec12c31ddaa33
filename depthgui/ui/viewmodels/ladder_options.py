"""The user's choices for a ladder, as data."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from decimal import Decimal

from depthgui.ui.viewmodels.figures import NumberFormat


class Column(enum.Enum):
    """A column of the ladder."""

    BID_SUM = "bid sum"
    BID = "bid"
    PRICE = "price"
    ASK = "ask"
    ASK_SUM = "ask sum"
    VOLUME = "volume"


USUAL_COLUMNS = (Column.BID_SUM, Column.BID, Column.PRICE, Column.ASK, Column.ASK_SUM)


class SizeUnit(enum.Enum):
    """What sizes are counted in. NATIVE is the venue's own: the base asset, or contracts."""

    NATIVE = "native"
    BASE = "base"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class LadderOptions:
    """What the user may choose.

    `large_order` is a size in the venue's unit, `large_value` a value in quote money; an order that reaches either is
    outlined. With both None large orders are found by what is usual on screen; a `large_order` of 0 finds none.
    """

    large_order: Decimal | None = None
    large_value: Decimal | None = None
    flashes: bool = True
    number_format: NumberFormat = field(default_factory=NumberFormat)
    columns: tuple[Column, ...] = USUAL_COLUMNS
    size_unit: SizeUnit = SizeUnit.NATIVE
    short_numbers: bool = False


def columns_from(text: str) -> tuple[Column, ...]:
    """Columns named in a text as `columns_text` writes it; unknown and repeated ones are left out, PRICE is added."""
    known = {column.value: column for column in Column}
    chosen = dict.fromkeys(known[name] for name in text.split(",") if name in known)
    columns = tuple(chosen) or USUAL_COLUMNS
    return columns if Column.PRICE in columns else (*columns, Column.PRICE)


def columns_text(columns: tuple[Column, ...]) -> str:
    """Columns as a text to keep."""
    return ",".join(column.value for column in columns)
