"""The venue's symbols: exchangeInfo of each market to one description, and the search for a name that was mistyped.

A symbol that cannot be read is skipped and named; the list never fails because of one. Source: the exchangeInfo pages.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.book.errors import MalformedMessageError

_MOST_DIGITS = 40  # of a sensible number, before or after the point


@dataclass(frozen=True, slots=True)
class SymbolInfo:
    """One symbol. `tick` and `step` are None where the venue has no rule; `contract_size` is in quote or base units.

    `status` is the venue's word in lower case ("trading", "halt", "break" ...); `kind` is "spot", "perpetual",
    "quarterly" or "option".
    """

    market: Market
    symbol: str
    base: str
    quote: str
    status: str
    tick: Decimal | None
    step: Decimal | None
    kind: str
    contract_size: Decimal | None = None
    expiry_ms: int | None = None

    @property
    def ref(self) -> SymbolRef:
        """The symbol's name with its market."""
        return SymbolRef(self.market, self.symbol)

    @property
    def is_trading(self) -> bool:
        """True while the venue matches orders for it."""
        return self.status == "trading"


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """Symbols of a market, those that could not be read with the reason, and the weight per minute it states."""

    symbols: tuple[SymbolInfo, ...]
    skipped: tuple[tuple[str, str], ...]
    weight_per_minute: int | None


class _RateLimit(msgspec.Struct, frozen=True):
    kind: str = msgspec.field(name="rateLimitType", default="")
    interval: str = ""
    interval_num: int = msgspec.field(name="intervalNum", default=1)
    limit: int = 0


class _ExchangeInfo(msgspec.Struct, frozen=True):
    symbols: list[Any] | None = None
    option_symbols: list[Any] | None = msgspec.field(name="optionSymbols", default=None)
    rate_limits: list[_RateLimit] = msgspec.field(name="rateLimits", default_factory=list)


_exchange_info = msgspec.json.Decoder(_ExchangeInfo)


def decode_exchange_info(market: Market, payload: bytes) -> SymbolTable:
    """Decode a market's exchangeInfo. Raises MalformedMessageError if it holds no list of symbols at all."""
    try:
        info = _exchange_info.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessageError(str(error), payload) from error
    rows = info.option_symbols if market is Market.OPTIONS else info.symbols
    if rows is None:
        raise MalformedMessageError("exchangeInfo without a list of symbols", payload)
    symbols: list[SymbolInfo] = []
    skipped: list[tuple[str, str]] = []
    for row in rows:
        try:
            symbols.append(_READERS[market](row))
        except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError) as error:
            name = row.get("symbol", "?") if isinstance(row, dict) else "?"
            skipped.append((str(name), f"{type(error).__name__}: {error}"))
    weight = next(
        (
            rule.limit
            for rule in info.rate_limits
            if rule.kind == "REQUEST_WEIGHT" and rule.interval == "MINUTE" and rule.interval_num == 1 and rule.limit > 0
        ),
        None,
    )
    return SymbolTable(tuple(symbols), tuple(skipped), weight)


def suggest(symbol: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Names like `symbol`, most alike first."""
    names = {name.upper(): name for name in known}
    wanted = symbol.upper()
    starting = sorted(name for name in names if wanted and name.startswith(wanted))
    alike = difflib.get_close_matches(wanted, names, n=count, cutoff=0.6)
    return tuple(names[name] for name in dict.fromkeys([*alike, *starting]))[:count]


def _rule(row: dict[str, Any], kind: str, key: str) -> Decimal | None:
    for entry in row.get("filters", ()):
        if entry.get("filterType") == kind and key in entry:
            value = _number(entry[key])
            return value if value > 0 else None  # "0" means that there is no rule
    return None


def _number(value: Any) -> Decimal:
    number = Decimal(str(value))
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"not a usable number: {value!r}")
    return number


def _contract_size(value: Any) -> Decimal | None:
    if value is None:
        return None
    size = _number(value)
    if size <= 0:
        raise ValueError(f"a contract of size {value!r}")
    return size


def _name(row: dict[str, Any]) -> str:
    name = row["symbol"]
    if not isinstance(name, str) or not name:
        raise ValueError("a symbol without a name")
    return name


def _spot(row: dict[str, Any]) -> SymbolInfo:
    return SymbolInfo(
        market=Market.SPOT,
        symbol=_name(row),
        base=str(row["baseAsset"]),
        quote=str(row["quoteAsset"]),
        status=str(row["status"]).lower(),
        tick=_rule(row, "PRICE_FILTER", "tickSize"),
        step=_rule(row, "LOT_SIZE", "stepSize"),
        kind="spot",
    )


def _future(market: Market, row: dict[str, Any]) -> SymbolInfo:
    is_perpetual = "PERPETUAL" in str(row.get("contractType", ""))
    delivery = row.get("deliveryDate")
    return SymbolInfo(
        market=market,
        symbol=_name(row),
        base=str(row["baseAsset"]),
        quote=str(row["quoteAsset"]),
        status=str(row["contractStatus"] if "contractStatus" in row else row["status"]).lower(),
        tick=_rule(row, "PRICE_FILTER", "tickSize"),
        step=_rule(row, "LOT_SIZE", "stepSize"),
        kind="perpetual" if is_perpetual else "quarterly",
        contract_size=_contract_size(row.get("contractSize")),
        expiry_ms=None if is_perpetual or not delivery else int(delivery),
    )


def _usdm(row: dict[str, Any]) -> SymbolInfo:
    return _future(Market.USDM, row)


def _coinm(row: dict[str, Any]) -> SymbolInfo:
    return _future(Market.COINM, row)


def _option(row: dict[str, Any]) -> SymbolInfo:
    underlying = str(row.get("underlying", ""))
    quote = str(row.get("quoteAsset", "USDT"))
    tick, step = _rule(row, "PRICE_FILTER", "tickSize"), _rule(row, "LOT_SIZE", "stepSize")
    return SymbolInfo(
        market=Market.OPTIONS,
        symbol=_name(row),
        base=underlying.removesuffix(quote) or _name(row).partition("-")[0],
        quote=quote,
        status="trading",  # options carry no status
        tick=tick or _step_of(row.get("priceScale")),
        step=step or _step_of(row.get("quantityScale")),
        kind="option",
        contract_size=_contract_size(row.get("unit")),
        expiry_ms=None if row.get("expiryDate") is None else int(row["expiryDate"]),
    )


def _step_of(scale: Any) -> Decimal | None:
    if scale is None:
        return None
    decimals = int(scale)
    if not 0 <= decimals <= _MOST_DIGITS:
        raise ValueError(f"a scale of {scale!r}")
    return Decimal(1).scaleb(-decimals)


_READERS = {Market.SPOT: _spot, Market.USDM: _usdm, Market.COINM: _coinm, Market.OPTIONS: _option}
