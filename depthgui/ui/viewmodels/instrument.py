"""What the view-models must know of a symbol: its grid, its units, and how a size becomes a value in quote money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from depthgui.ui.viewmodels.figures import NumberFormat, decimals_of, format_short

_DOLLARS = frozenset({"USD", "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "DAI"})
NOT_DESCRIBED = "Tick and units are not known yet"
"""What is said over everything that is drawn without the venue's description."""

VALUE_UNKNOWN = "value not known yet"

_SAMPLE = 50  # levels a side that are looked at where the venue's tick is not known


class SideLike(Protocol):
    """The part of a book's side that is read here."""

    def levels(self, limit: int | None = None) -> list[tuple[str, str]]:
        """Exact texts, best first."""


class BookLike(Protocol):
    """The part of a book that is read here."""

    @property
    def bids(self) -> SideLike:
        """Buying side."""

    @property
    def asks(self) -> SideLike:
        """Selling side."""


class InfoLike(Protocol):
    """The part of the venue's symbol information that is read here."""

    @property
    def base(self) -> str:
        """Base asset."""

    @property
    def quote(self) -> str:
        """Quote asset."""

    @property
    def tick(self) -> Decimal | None:
        """Smallest price step."""

    @property
    def step(self) -> Decimal | None:
        """Smallest size step."""

    @property
    def contract_size(self) -> Decimal | None:
        """Size of one contract, where sizes are contracts."""

    @property
    def status(self) -> str:
        """The venue's word for whether the symbol is traded, in lower case: "trading", "halt" ..."""

    @property
    def is_trading(self) -> bool:
        """True while the venue matches orders."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """A symbol's grid and units.

    `size_unit` is what sizes are counted in, for labels. With `is_inverse` one contract is worth `contract_size` of
    the quote asset whatever the price (COIN-M); otherwise a value is price x size x `contract_size`.
    """

    symbol: str
    tick: Decimal
    size_step: Decimal
    base: str = ""
    quote: str = ""
    size_unit: str = ""
    contract_size: Decimal = Decimal(1)
    is_inverse: bool = False
    is_described: bool = True
    """False while the venue's description has not come: tick and size step are read off the book, units not known."""
    is_value_known: bool = True
    """False where the size of a contract is not known, and with it what a size is worth."""

    @property
    def price_decimals(self) -> int:
        """Decimals of a price on the tick."""
        return decimals_of(self.tick)

    @property
    def size_decimals(self) -> int:
        """Decimals of a size on the step."""
        return decimals_of(self.size_step)

    def notional(self, price_times_size: Decimal, size: Decimal) -> Decimal:
        """Value in quote money, from the sum of price x size and the sum of sizes."""
        return size * self.contract_size if self.is_inverse else price_times_size * self.contract_size

    def money(self, value: Decimal | float, style: NumberFormat) -> str:
        """A value in quote money in short form: "$12.43 M", "0.42 BTC"; in words where it is not known."""
        if not self.is_value_known:
            return VALUE_UNKNOWN
        text = format_short(float(value), style)
        return f"${text}" if self.quote in _DOLLARS else f"{text} {self.quote}".rstrip()


def instrument_for(symbol: str, info: InfoLike | None, book: BookLike | None, *, market: str = "spot") -> Instrument:
    """The instrument of a symbol; what the venue didn't say is read off the book's own prices and sizes."""
    tick = info.tick if info else None
    step = info.step if info else None
    if (tick is None or step is None) and book is not None:
        levels = [*book.bids.levels(_SAMPLE), *book.asks.levels(_SAMPLE)]
        tick = tick or _finest(price for price, _ in levels)
        step = step or _finest(size for _, size in levels)
    is_contract = market in {"coinm", "options"}
    base, quote = (info.base, info.quote) if info else ("", "")
    contract_size = info.contract_size if info and is_contract else None
    # An option without a size stands for one of its underlying; a COIN-M contract is 10 or 100 dollars.
    is_value_known = not is_contract or (info is not None and (market == "options" or contract_size is not None))
    return Instrument(
        symbol=symbol,
        tick=tick or Decimal("0.01"),
        size_step=step or Decimal("0.001"),
        base=base,
        quote=quote,
        size_unit="contracts" if is_contract else base,
        contract_size=contract_size or Decimal(1),
        is_inverse=market == "coinm",
        is_described=info is not None,
        is_value_known=is_value_known,
    )


def _finest(texts: Iterable[str]) -> Decimal | None:
    decimals = [decimals_of(Decimal(text)) for text in texts]
    return Decimal(1).scaleb(-max(decimals)) if decimals else None
