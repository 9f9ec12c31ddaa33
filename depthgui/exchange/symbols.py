"""What the embedded exchange lists: symbols with the venue's number formats and the character of their market."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from depthgui.binance.endpoints import Market

#: Longest first, so that BTCUSDT ends in USDT and not in a shorter code that happens to fit.
QUOTES = ("FDUSD", "USDT", "USDC", "BUSD", "TUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "JPY", "USD")

_OPTION = re.compile(r"[A-Z0-9]+-\d{6}-\d+(\.\d+)?-[CP]")
_USUAL_SHARE = 0.9
_PERPETUAL_DELIVERY_MS = 4_133_404_800_000  # the venue's own mark for "never": 2100-12-25


@dataclass(frozen=True, slots=True)
class Character:
    """How a synthetic market behaves; the figures are those of protocol.md section 7, scaled per symbol.

    `mid` price at the start; `typical_size` median size of an order, in base or contracts; `levels` price levels a
    side; `updates_per_s` mean level updates; `trades_per_s` mean taker orders; `volatility_bp` standard deviation of
    the fair price over one second, in basis points; `spread_ticks` the usual spread.
    """

    mid: Decimal
    typical_size: Decimal
    levels: int = 1500
    updates_per_s: float = 150.0
    trades_per_s: float = 4.0
    volatility_bp: float = 0.45
    spread_ticks: int = 1


@dataclass(frozen=True, slots=True)
class SymbolSpec:
    """One listed symbol.

    `price_decimals` and `size_decimals` say how the venue writes the numbers on the wire; they can be more than
    `tick` and `step` have (spot pads everything to 8). `character` is None for a symbol that only a recording knows.
    """

    market: Market
    symbol: str
    base: str
    quote: str
    tick: Decimal
    step: Decimal
    price_decimals: int
    size_decimals: int
    status: str = "TRADING"
    contract_type: str = ""
    contract_size: int = 0
    delivery_ms: int = _PERPETUAL_DELIVERY_MS
    strike: Decimal | None = None
    option_side: str = ""
    character: Character | None = field(default=None, compare=False)

    @property
    def pair(self) -> str:
        """COIN-M's `pair`: the symbol without its expiry."""
        return self.symbol.split("_", maxsplit=1)[0]

    @property
    def is_trading(self) -> bool:
        """The symbol is open for trading, so that its book moves."""
        return self.status == "TRADING"


def _spot(symbol: str, tick: str, step: str, character: Character, *, status: str = "TRADING") -> SymbolSpec:
    base, quote = split_symbol(symbol)
    return SymbolSpec(
        Market.SPOT, symbol, base, quote, Decimal(tick), Decimal(step), 8, 8, status=status, character=character
    )


def _usdm(symbol: str, tick: str, step: str, decimals: tuple[int, int], character: Character) -> SymbolSpec:
    base, quote = split_symbol(symbol)
    return SymbolSpec(
        Market.USDM, symbol, base, quote, Decimal(tick), Decimal(step), *decimals,
        contract_type="PERPETUAL", character=character,
    )  # fmt: skip


def _coinm(symbol: str, tick: str, contract_size: int, decimals: int, character: Character) -> SymbolSpec:
    base, quote = split_symbol(symbol.split("_", maxsplit=1)[0])
    return SymbolSpec(
        Market.COINM, symbol, base, quote, Decimal(tick), Decimal(1), decimals, 0,
        contract_type="PERPETUAL", contract_size=contract_size, character=character,
    )  # fmt: skip


def _option(symbol: str, expiry_ms: int, character: Character) -> SymbolSpec:
    base, _, strike, side = symbol.split("-")
    return SymbolSpec(
        Market.OPTIONS, symbol, base, "USDT", Decimal("0.1"), Decimal("0.01"), 4, 2,
        contract_size=1, delivery_ms=expiry_ms, strike=Decimal(strike),
        option_side="CALL" if side == "C" else "PUT", character=character,
    )  # fmt: skip


def _like(
    mid: str,
    size: str,
    updates_per_s: float = 120.0,
    trades_per_s: float = 3.0,
    *,
    levels: int = 1500,
    volatility_bp: float = 0.45,
    spread_ticks: int = 1,
) -> Character:
    return Character(Decimal(mid), Decimal(size), levels, updates_per_s, trades_per_s, volatility_bp, spread_ticks)


_XMAS_2026_MS = 1_798_185_600_000  # 2026-12-25 08:00 UTC, when options expire


def listed_symbols() -> tuple[SymbolSpec, ...]:
    """Every symbol of the synthetic market, in the order of exchangeInfo."""
    return (
        _spot("BTCUSDT", "0.01", "0.00001", _like("67412.85", "0.054", 295, 8, levels=5000)),
        _spot("ETHUSDT", "0.01", "0.0001", _like("3288.40", "1.4", 260, 7, levels=3000, volatility_bp=0.6)),
        _spot("BNBUSDT", "0.01", "0.001", _like("584.20", "1.2", 140, 3)),
        _spot("BNBBTC", "0.000001", "0.001", _like("0.008666", "2.5", 60, 1, levels=1000, spread_ticks=2)),
        _spot("SOLUSDT", "0.01", "0.001", _like("171.36", "9", 180, 5, volatility_bp=0.7)),
        _spot("XRPUSDT", "0.0001", "0.1", _like("2.2814", "900", 160, 4, volatility_bp=0.7)),
        _spot("DOGEUSDT", "0.00001", "1", _like("0.17254", "9000", 140, 4, volatility_bp=0.8)),
        _spot("ETHBTC", "0.00001", "0.0001", _like("0.04878", "1.1", 80, 2, levels=1000)),
        _spot("SHIBUSDT", "0.00000001", "1", _like("0.00001742", "18000000", 70, 2, levels=1000, volatility_bp=2)),
        _spot("币安人生USDT", "0.0001", "0.1", _like("0.1483", "1200", 60, 2, levels=1000, volatility_bp=1.2)),
        _spot("WAVESUSDT", "0.001", "0.01", _like("1.062", "250", levels=200), status="HALT"),
        _usdm("BTCUSDT", "0.10", "0.001", (2, 3), _like("67388.10", "0.13", 480, 10, levels=3000)),
        _usdm("ETHUSDT", "0.01", "0.001", (2, 3), _like("3286.91", "2.2", 420, 8, levels=3000, volatility_bp=0.6)),
        _usdm("SOLUSDT", "0.0100", "0.01", (4, 2), _like("171.28", "12", 240, 6, volatility_bp=0.7)),
        _coinm("BTCUSD_PERP", "0.1", 100, 1, _like("67401.3", "75", 420, 5)),
        _coinm("ETHUSD_PERP", "0.01", 10, 2, _like("3287.62", "900", 330, 4, volatility_bp=0.6)),
        _option("BTC-261225-100000-C", _XMAS_2026_MS, _option_character("5120", "4")),
        _option("BTC-261225-80000-P", _XMAS_2026_MS, _option_character("17850", "2")),
        _option("ETH-261225-5000-C", _XMAS_2026_MS, _option_character("214", "30")),
    )


def _option_character(mid: str, size: str) -> Character:
    return _like(mid, size, 25, 0.1, levels=60, volatility_bp=3, spread_ticks=60)


def is_option(symbol: str) -> bool:
    """True for a symbol such as BTC-261225-100000-C."""
    return _OPTION.fullmatch(symbol) is not None


def split_symbol(symbol: str) -> tuple[str, str]:
    """Base and quote of a symbol whose quote is a usual one; quote is "" where none fits."""
    for quote in QUOTES:
        if symbol.endswith(quote) and len(symbol) > len(quote):
            return symbol.removesuffix(quote), quote
    return symbol, ""


def spec_from_prices(market: Market, symbol: str, prices: Iterable[str], sizes: Iterable[str]) -> SymbolSpec:
    """A listing for a symbol that only a recording knows; tick and step are what nearly all its numbers fit."""
    price_decimals, tick = _unit(prices)
    size_decimals, step = _unit(sizes)
    base, quote = split_symbol(symbol.split("_", maxsplit=1)[0])
    contract_size = {Market.COINM: 10, Market.OPTIONS: 1}.get(market, 0)
    if market is Market.COINM and base == "BTC":
        contract_size = 100
    perpetual = market is not Market.SPOT and ("_" not in symbol or symbol.endswith("_PERP"))
    return SymbolSpec(
        market, symbol, base, quote, tick, step, price_decimals, size_decimals,
        contract_type="" if market is Market.SPOT else "PERPETUAL" if perpetual else "CURRENT_QUARTER",
        contract_size=contract_size,
    )  # fmt: skip


def _unit(texts: Iterable[str]) -> tuple[int, Decimal]:
    """Written decimals, and the unit that nearly all fit: orders from before a change of the tick are off it."""
    fractions = [text.partition(".")[2] for text in texts]
    used = sorted(len(fraction.rstrip("0")) for fraction in fractions)
    usual = used[min(len(used) - 1, int(len(used) * _USUAL_SHARE))] if used else 0
    return max(map(len, fractions), default=0), Decimal(1).scaleb(-usual)
