"""What the messages of a recording say: their shapes, whose they are, and the same message at other ids and times.

Whose recording it is, is told by its content: a diff without ``pu`` is spot's; one with ``ps`` (or a snapshot with
``pair``) COIN-M's; a symbol such as BTC-261225-100000-C is an option's; everything else is USD-M's. Only where a file
holds no diff at all does its name decide (``spot_``, ``usdm_``, ``coinm_``, ``options_``), and without such a name
a snapshot with ``E`` is USD-M's and one without it spot's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from depthgui.binance.endpoints import Market
from depthgui.book.messages import Level
from depthgui.exchange.stream_names import Kind
from depthgui.exchange.symbols import SymbolSpec, is_option, listed_symbols, spec_from_prices
from depthgui.exchange.venue_format import encode_json

_DIFF_STREAM = re.compile(r"[^@]+@depth(@\d+ms)?")
_KINDS = {"bookTicker": Kind.TICKER, "trade": Kind.TRADE, "optionTrade": Kind.TRADE, "aggTrade": Kind.AGG_TRADE}
_UPDATE_IDS = ("U", "u", "pu")
_TRADE_IDS = {Kind.TRADE: ("t",), Kind.AGG_TRADE: ("a", "f", "l")}


class RecordedDiff(msgspec.Struct):
    """A depthUpdate as the venue writes it."""

    s: str
    U: int
    u: int
    b: list[Level]
    a: list[Level]
    E: int = 0
    pu: int | None = None
    ps: str | None = None


class RecordedSnapshot(msgspec.Struct):
    """A REST snapshot as the venue writes it."""

    lastUpdateId: int  # noqa: N815 - the venue's name
    bids: list[Level]
    asks: list[Level]
    E: int | None = None
    pair: str | None = None


class RecordedIds(msgspec.Struct):
    """The ids of a bookTicker or a trade; those that it has none of are 0."""

    u: int = 0
    t: int | str = 0
    a: int | str = 0


decode_diff = msgspec.json.Decoder(RecordedDiff).decode
decode_snapshot = msgspec.json.Decoder(RecordedSnapshot).decode
decode_ids = msgspec.json.Decoder(RecordedIds).decode
decode_any = msgspec.json.Decoder(dict[str, Any]).decode

DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError)


def kind_of(stream: str) -> Kind | None:
    """The kind of a recorded stream; None for kinds that are not played."""
    if _DIFF_STREAM.fullmatch(stream):
        return Kind.DIFF
    return _KINDS.get(stream.partition("@")[2])


def spec_of(diff: RecordedDiff | None, snapshot: RecordedSnapshot | None, symbol: str, path: Path) -> SymbolSpec:
    """The listing of the recorded symbol, in the venue's present or in the recording's own number format."""
    market = _market_of(diff, snapshot, symbol, path)
    shown = snapshot or RecordedSnapshot(0, diff.b if diff else [], diff.a if diff else [])
    levels = [*shown.bids, *shown.asks, *(diff.b if diff else []), *(diff.a if diff else [])]
    spec = spec_from_prices(market, symbol, [price for price, _ in levels], [size for _, size in levels])
    for known in listed_symbols():
        same_form = (known.price_decimals, known.size_decimals) == (spec.price_decimals, spec.size_decimals)
        if (known.market, known.symbol) == (market, symbol) and same_form:
            return known
    return spec


def _market_of(diff: RecordedDiff | None, snapshot: RecordedSnapshot | None, symbol: str, path: Path) -> Market:
    if is_option(symbol):
        return Market.OPTIONS
    if (diff and diff.ps) or (snapshot and snapshot.pair):
        return Market.COINM
    if diff:
        return Market.SPOT if diff.pu is None else Market.USDM
    for market in Market:
        if path.name.startswith(f"{market.value}_"):
            return market
    return Market.USDM if snapshot and snapshot.E else Market.SPOT


@dataclass(slots=True)
class Shift:
    """What is added to the ids and times of recorded messages in a later round; all 0: nothing."""

    update_id: int = 0
    trade_id: int = 0
    time_ms: int = 0

    def __bool__(self) -> bool:
        return bool(self.update_id or self.trade_id or self.time_ms)


def shifted(data: bytes, kind: Kind, shift: Shift, now_ms: int | None = None) -> bytes:
    """The message with its ids and times shifted; with `now_ms` its event time is that, and others keep their lead."""
    event = decode_any(data)
    for key in _TRADE_IDS.get(kind, _UPDATE_IDS):
        if isinstance(event.get(key), int):
            event[key] += shift.trade_id if kind in _TRADE_IDS else shift.update_id
    offset_ms = shift.time_ms
    if now_ms is not None:
        offset_ms = now_ms - event.get("E", event.get("T", now_ms))
    for key in ("E", "T"):
        if key in event:
            event[key] += offset_ms
    return encode_json(event)
