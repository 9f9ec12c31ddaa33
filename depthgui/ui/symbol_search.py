"""Search over the venue's symbol lists: by symbol, base or quote, ranked; near matches for a typing error. No Qt."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from depthgui.ui.engine import Market, SymbolInfo, SymbolRef

_MARKET_RANK = {Market.SPOT: 0, Market.USDM: 1, Market.COINM: 2, Market.OPTIONS: 3}
# What people trade against most, so that "btc" finds BTCUSDT before BTCZAR.
_QUOTE_RANK = {"USDT": 0, "USDC": 1, "FDUSD": 2, "USD": 3, "BTC": 4, "ETH": 5, "BNB": 6, "EUR": 7}
_SEPARATORS = str.maketrans("", "", "/-_ ")
TRADING = "trading"


@dataclass(frozen=True, slots=True)
class Entry:
    """One symbol of a list, with what the search compares."""

    ref: SymbolRef
    info: SymbolInfo
    name: str
    plain: str
    order: tuple[int, int, int, str]

    @property
    def is_trading(self) -> bool:
        """True unless the venue says that it is halted, in a break or otherwise not traded."""
        return self.info.status.lower() == TRADING


def entry_of(info: SymbolInfo) -> Entry:
    """Prepare one symbol for the search."""
    name = info.symbol.upper()
    is_trading = info.status.lower() == TRADING
    order = (0 if is_trading else 1, _QUOTE_RANK.get(info.quote.upper(), 9), _MARKET_RANK[info.market], name)
    return Entry(SymbolRef(info.market, info.symbol), info, name, name.translate(_SEPARATORS), order)


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed: words that must all match, and a market where one was named (``usdm:``)."""

    words: tuple[str, ...]
    market: Market | None = None

    @property
    def is_empty(self) -> bool:
        """True when nothing was typed."""
        return not self.words


def parse_query(text: str) -> Query:
    """Read the search field: ``btc usdt``, ``BTC/USDT`` and ``usdm:btc`` are all understood."""
    prefix, colon, rest = text.strip().partition(":")
    market = next((market for market in Market if market.value == prefix.strip().lower()), None) if colon else None
    if market is None:
        rest = text.replace(":", " ")
    words = rest.upper().replace("/", " ").split()
    return Query(tuple(word.translate(_SEPARATORS) for word in words if word.translate(_SEPARATORS)), market)


def search(
    entries: Iterable[Entry], query: Query, market: Market | None, preferred: Collection[str] = ()
) -> list[Entry]:
    """The matching symbols, best first.

    `market` is the filter button, None for all. `preferred` (favourites and recent symbols, as on the command line)
    come first, in their order, among equally good matches; they alone come first when nothing was typed.
    """
    wanted = query.market or market
    ranks = {name: rank for rank, name in enumerate(dict.fromkeys(preferred))}
    last = len(ranks)
    found = []
    for entry in entries:
        if wanted is not None and entry.ref.market is not wanted:
            continue
        score = _score(entry, query.words)
        if score is not None:
            found.append((score, ranks.get(str(entry.ref), last), entry.order, entry))
    found.sort(key=lambda item: item[:3])
    return [item[3] for item in found]


def _score(entry: Entry, words: tuple[str, ...]) -> int | None:
    """How well an entry matches, 0 best; None where a word is not in it."""
    if not words:
        return 0
    joined = "".join(words)
    if entry.plain == joined:
        return 0
    base = entry.info.base.upper()
    if base == words[0] and (len(words) == 1 or entry.info.quote.upper().startswith(words[1])):
        return 1
    if entry.plain.startswith(joined):
        return 2
    if all(word in entry.plain for word in words):
        return 3 if entry.plain.startswith(words[0]) else 4
    return None


def near_matches(entries: Iterable[Entry], text: str, market: Market | None = None, most: int = 5) -> list[Entry]:
    """Symbols that look like `text`, best first: for typing errors."""
    wanted = "".join(parse_query(text).words)
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        if market is None or entry.ref.market is market:
            by_name.setdefault(entry.plain, []).append(entry)
    names = difflib.get_close_matches(wanted, by_name, n=most * 2, cutoff=0.6)
    near = [entry for name in names for entry in sorted(by_name[name], key=lambda entry: entry.order)]
    near.sort(key=lambda entry: (names.index(entry.plain), entry.order))
    return near[:most]


def matched_length(entry: Entry, query: Query) -> int:
    """How many leading characters of the symbol's own text were typed, for showing them in bold."""
    joined = "".join(query.words)
    if not joined or not entry.plain.startswith(joined):
        joined = query.words[0] if query.words and entry.plain.startswith(query.words[0]) else ""
    left = len(joined)
    for position, character in enumerate(entry.name):
        if left == 0:
            return position
        if not character.translate(_SEPARATORS):
            continue
        left -= 1
    return len(entry.name) if joined else 0
