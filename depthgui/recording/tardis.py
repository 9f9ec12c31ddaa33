"""Tardis' CSV files as the venue's messages: `incremental_book_L2` and `trades`, with update ids of our own making.

Rows of one moment make one message. A row of a snapshot after the first means that the recorder had lost the stream:
the ids leave a hole there, so that readers ask for a snapshot, and get that one.
Source: docs.tardis.dev, "Downloadable CSV files".
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from depthgui.binance.checked import plain_number
from depthgui.book.errors import MalformedMessageError
from depthgui.recording.files import RecordingError

BOOK_COLUMNS = ("exchange", "symbol", "timestamp", "local_timestamp", "is_snapshot", "side", "price", "amount")
TRADE_COLUMNS = ("exchange", "symbol", "timestamp", "local_timestamp", "id", "side", "price", "amount")
_HOLE = 1000
# What tells the markets apart in a message: `pu` and `ps` of the derivatives.
_MARKETS = MappingProxyType(
    {"binance": "spot", "binance-us": "spot", "binance-futures": "usdm", "binance-delivery": "coinm"}
)


@dataclass(frozen=True, slots=True)
class TardisMessage:
    """A message, with the number of its first line and its receive time; `stream` is "" for a snapshot."""

    number: int
    received_us: int
    symbol: str
    stream: str
    data: bytes


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that could not be read."""

    number: int
    reason: str


def is_tardis(first_line: bytes) -> bool:
    """Say whether a file begins as tardis' CSV files do."""
    return first_line.startswith(b"exchange,symbol,")


def read_tardis(name: str, lines: Iterable[str]) -> Iterator[TardisMessage | BadRow]:
    """Messages of a CSV file, the header among its lines. Raises RecordingError for other columns."""
    reader = csv.reader(lines)
    header = tuple(next(reader, []))
    if header == BOOK_COLUMNS:
        yield from _Books().read(reader)
    elif header == TRADE_COLUMNS:
        yield from _trades(reader)
    else:
        found, wanted = ", ".join(header), ", ".join(BOOK_COLUMNS)
        raise RecordingError(f"{name}, line 1: expected the columns {wanted} (or those of trades), found {found}")


class _Books:
    """Groups rows to messages; ids go up by one a message, for each symbol."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._has_snapshot: set[str] = set()

    def read(self, reader: Iterable[list[str]]) -> Iterator[TardisMessage | BadRow]:
        key: tuple[str, ...] = ()
        rows: list[list[str]] = []
        first = 0
        for number, row in enumerate(reader, 2):
            if len(row) != len(BOOK_COLUMNS):
                yield BadRow(number, f"expected {len(BOOK_COLUMNS)} columns, found {len(row)}")
                continue
            if tuple(row[:5]) != key:
                yield from self._message(first, key, rows)
                key, rows, first = tuple(row[:5]), [], number
            rows.append(row)
        yield from self._message(first, key, rows)

    def _message(self, number: int, key: tuple[str, ...], rows: list[list[str]]) -> Iterator[TardisMessage | BadRow]:
        if not rows:
            return
        exchange, symbol, timestamp, local_timestamp, is_snapshot = key
        try:
            bids, asks = (
                [[plain_number(row[6], "price"), plain_number(row[7], "size")] for row in rows if row[5] == side]
                for side in ("bid", "ask")
            )
            received_us, time_ms = int(local_timestamp), int(timestamp) // 1000
        except (MalformedMessageError, ValueError) as error:
            yield BadRow(number, str(error))
            return
        market = _MARKETS.get(exchange, "spot")
        symbol = symbol.upper()
        if is_snapshot.lower() == "true":
            yield from self._snapshot(number, received_us, (market, symbol, time_ms), bids, asks)
        else:
            data = self._diff((market, symbol, time_ms), bids, asks)
            yield TardisMessage(number, received_us, symbol, f"{symbol.lower()}@depth@100ms", data)

    def _snapshot(
        self, number: int, received_us: int, what: tuple[str, str, int], bids: list[list[str]], asks: list[list[str]]
    ) -> Iterator[TardisMessage]:
        _, symbol, time_ms = what
        if symbol in self._has_snapshot:
            self._ids[symbol] += _HOLE
            data = self._diff(what, [], [], hole=_HOLE)
            yield TardisMessage(number, received_us, symbol, f"{symbol.lower()}@depth@100ms", data)
        self._has_snapshot.add(symbol)
        body: dict[str, Any] = {
            "lastUpdateId": self._ids.setdefault(symbol, 1),
            "E": time_ms,
            "bids": sorted(bids, key=_price, reverse=True),
            "asks": sorted(asks, key=_price),
        }
        yield TardisMessage(number, received_us, symbol, "", msgspec.json.encode(body))

    def _diff(
        self, what: tuple[str, str, int], bids: list[list[str]], asks: list[list[str]], *, hole: int = 0
    ) -> bytes:
        market, symbol, time_ms = what
        before = self._ids.setdefault(symbol, 1)
        update_id = self._ids[symbol] = before + 1
        event: dict[str, Any] = {"e": "depthUpdate", "E": time_ms, "s": symbol, "U": update_id, "u": update_id}
        if market != "spot":
            event |= {"T": time_ms, "pu": before}
        if market == "coinm":
            event["ps"] = symbol.partition("_")[0]
        if hole and market != "spot":
            event["pu"] = before - 1
        return msgspec.json.encode(event | {"b": bids, "a": asks})


def _trades(reader: Iterable[list[str]]) -> Iterator[TardisMessage | BadRow]:
    for number, row in enumerate(reader, 2):
        if len(row) != len(TRADE_COLUMNS):
            yield BadRow(number, f"expected {len(TRADE_COLUMNS)} columns, found {len(row)}")
            continue
        _, symbol, timestamp, local_timestamp, identity, side, price, amount = row
        try:
            time_ms = int(timestamp) // 1000
            event = {
                "e": "trade",
                "E": time_ms,
                "s": symbol.upper(),
                "t": int(identity) if identity.isdecimal() else number,
                "p": plain_number(price, "price"),
                "q": plain_number(amount, "size"),
                "T": time_ms,
                "m": side == "sell",
            }
            received_us = int(local_timestamp)
        except (MalformedMessageError, ValueError) as error:
            yield BadRow(number, str(error))
            continue
        yield TardisMessage(number, received_us, symbol.upper(), f"{symbol.lower()}@trade", msgspec.json.encode(event))


def _price(level: list[str]) -> float:
    return float(level[0])
