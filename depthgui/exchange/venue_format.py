"""How the venue writes: stream events and snapshots of each market as JSON bytes, and WebSocket frames around them.

Field sets, their order and the direction of the sides are those of recorded messages (protocol.md section 3): spot
sends bids descending, futures both sides ascending; futures add `T` and `pu`, COIN-M `ps`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from depthgui.binance.endpoints import Market
from depthgui.book.messages import BestPrices, Diff, Level, Snapshot
from depthgui.exchange.symbols import SymbolSpec

#: What the venue's transaction time `T` is behind its event time `E`, in milliseconds (typical of recordings).
MATCHING_DELAY_MS = 6

_CACHED_TEXTS = 60_000

encode_json = msgspec.json.encode


class DecimalText:
    """Whole numbers of a unit (a tick, a step) as the venue's decimal text.

    `unit` is the value of 1, `decimals` how many digits the venue writes after the point.
    """

    __slots__ = ("_cache", "_decimals", "_factor", "_scale")

    def __init__(self, unit: Decimal, decimals: int) -> None:
        """ValueError where `decimals` are too few to write one unit exactly."""
        factor = unit.scaleb(decimals)
        if factor != int(factor):
            raise ValueError(f"{decimals} decimals cannot show steps of {unit}")
        self._factor = int(factor)
        self._decimals = decimals
        self._scale = 10**decimals
        self._cache: dict[int, str] = {}

    def __call__(self, units: int) -> str:
        """The text of `units` times the unit."""
        text = self._cache.get(units)
        if text is None:
            if len(self._cache) >= _CACHED_TEXTS:
                self._cache.clear()
            text = self._cache[units] = self._text(units)
        return text

    def _text(self, units: int) -> str:
        if not self._decimals:
            return str(units * self._factor)
        whole, fraction = divmod(units * self._factor, self._scale)
        return f"{whole}.{fraction:0{self._decimals}d}"


class Dialect:
    """The wire format of one symbol.

    Levels go in as they come (any order within a side is the caller's; `diff` expects bids and asks best first and
    turns them round where the market wants that).
    """

    __slots__ = ("_is_spot", "market", "price", "size", "spec", "symbol")

    def __init__(self, spec: SymbolSpec) -> None:
        self.spec = spec
        self.market = spec.market
        self.symbol = spec.symbol
        self._is_spot = spec.market is Market.SPOT
        self.price = DecimalText(spec.tick, spec.price_decimals)
        self.size = DecimalText(spec.step, spec.size_decimals)

    def diff(self, diff: Diff) -> bytes:
        """A depthUpdate event."""
        return encode_json(self._depth_update(diff, bids=diff.bids if self._is_spot else diff.bids[::-1]))

    def partial(self, snapshot: Snapshot, *, first_id: int, prev_id: int) -> bytes:
        """A partial book. Spot has its own shape; elsewhere it looks like a diff and only its stream tells."""
        # What a recording covers is said beside the venue's own fields, as in a snapshot.
        covered = {} if snapshot.covered is None else {"covered": snapshot.covered}
        if self._is_spot:
            body = {"lastUpdateId": snapshot.last_update_id, "bids": snapshot.bids, "asks": snapshot.asks}
            return encode_json(body | covered)
        event_ms = snapshot.event_time_ms or 0
        looks_like = Diff(first_id, snapshot.last_update_id, event_ms, snapshot.bids, snapshot.asks, prev_id)
        return encode_json(self._depth_update(looks_like, bids=snapshot.bids) | covered)

    def _depth_update(self, diff: Diff, *, bids: list[Level]) -> dict[str, Any]:
        event: dict[str, Any] = {"e": "depthUpdate", "E": diff.event_time_ms}
        if not self._is_spot:
            event["T"] = diff.event_time_ms - MATCHING_DELAY_MS
        event["s"] = self.symbol
        if self.market is Market.COINM:
            event["ps"] = self.spec.pair
        event["U"] = diff.first_id
        event["u"] = diff.last_id
        if not self._is_spot:
            event["pu"] = diff.prev_id
        event["b"] = bids
        event["a"] = diff.asks
        return event

    def ticker(self, best: BestPrices) -> bytes:
        """A bookTicker event."""
        prices = {"b": best.bid_price, "B": best.bid_size, "a": best.ask_price, "A": best.ask_size}
        if self._is_spot:
            return encode_json({"u": best.update_id, "s": self.symbol, **prices})
        now_ms = best.event_time_ms or 0
        times = {"T": now_ms - MATCHING_DELAY_MS, "E": now_ms}
        if self.market is Market.COINM:
            head = {"u": best.update_id, "e": "bookTicker", "s": self.symbol, "ps": self.spec.pair}
            return encode_json({**head, **prices, **times})
        return encode_json({"e": "bookTicker", "u": best.update_id, "s": self.symbol, **prices, **times})

    def trade(self, trade_id: int, price: str, size: str, now_ms: int, *, maker: bool, kind: str = "MARKET") -> bytes:
        """A trade event; `maker` says that the buyer was the maker, `kind` is futures' `X`."""
        if self._is_spot:
            event: dict[str, Any] = {"e": "trade", "E": now_ms, "s": self.symbol, "t": trade_id, "p": price, "q": size}
            return encode_json({**event, "T": now_ms - 1, "m": maker, "M": True})
        event = {"e": "trade", "E": now_ms, "T": now_ms - MATCHING_DELAY_MS, "s": self.symbol, "t": trade_id}
        event.update(p=price, q=size, X=kind)
        if self.market is Market.OPTIONS:
            event["S"] = "SELL" if maker else "BUY"
        return encode_json({**event, "m": maker})

    def agg_trade(self, agg_id: int, price: str, size: str, ids: tuple[int, int], now_ms: int, *, maker: bool) -> bytes:
        """An aggTrade event; `ids` are the first and last trade it sums up."""
        head: dict[str, Any] = {"e": "aggTrade", "E": now_ms}
        head |= {"s": self.symbol, "a": agg_id} if self._is_spot else {"a": agg_id, "s": self.symbol}
        first, last = ids
        done_ms = now_ms - (1 if self._is_spot else MATCHING_DELAY_MS)
        event = {**head, "p": price, "q": size, "f": first, "l": last, "T": done_ms, "m": maker}
        if self._is_spot:
            event["M"] = True
        return encode_json(event)

    def mark_price(self, price: str, now_ms: int) -> bytes:
        """A markPriceUpdate event; the index is said to be where the mark is, the funding rate a usual one."""
        next_funding_ms = (now_ms // 28_800_000 + 1) * 28_800_000
        event: dict[str, Any] = {"e": "markPriceUpdate", "E": now_ms, "s": self.symbol, "p": price, "P": price}
        if self.market is not Market.COINM:
            event["i"] = price
        return encode_json({**event, "r": "0.00010000", "T": next_funding_ms})

    def snapshot(self, snapshot: Snapshot) -> bytes:
        """The answer to a REST depth request."""
        body: dict[str, Any] = {"lastUpdateId": snapshot.last_update_id}
        if snapshot.covered is not None:  # beyond the venue's own fields; other clients ignore it
            body["covered"] = snapshot.covered
        now_ms = snapshot.event_time_ms or 0
        if self.market is Market.OPTIONS:
            # Options name no event time, and older versions call the id `u`.
            body = {"bids": snapshot.bids, "asks": snapshot.asks, "T": now_ms - MATCHING_DELAY_MS, **body}
            return encode_json(body)
        if not self._is_spot:
            body |= {"E": now_ms, "T": now_ms - MATCHING_DELAY_MS}
        if self.market is Market.COINM:
            body |= {"symbol": self.symbol, "pair": self.spec.pair}
        return encode_json({**body, "bids": snapshot.bids, "asks": snapshot.asks})


def combined(stream: str, payload: bytes) -> bytes:
    """The payload as a combined stream wraps it."""
    return b'{"stream":' + encode_json(stream) + b',"data":' + payload + b"}"


def text_frame(payload: bytes) -> bytes:
    """A whole unmasked WebSocket text frame: made once, its bytes go to every subscriber (RFC 6455, 5.2)."""
    return _frame(0x81, payload)


def binary_frame(payload: bytes) -> bytes:
    """The same as a binary frame, which the venue never sends: for the fault that does."""
    return _frame(0x82, payload)


def ping_frame(payload: bytes) -> bytes:
    """A ping frame; ValueError above 125 bytes."""
    if len(payload) > 125:
        raise ValueError("a control frame holds at most 125 bytes")
    return _frame(0x89, payload)


def _frame(first_byte: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes((first_byte, length)) + payload
    if length < 65536:
        return bytes((first_byte, 126)) + length.to_bytes(2, "big") + payload
    return bytes((first_byte, 127)) + length.to_bytes(8, "big") + payload
