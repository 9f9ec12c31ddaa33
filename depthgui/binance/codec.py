"""The venue's bytes to the book's messages, and back: the only file that knows the venue's field names.

Decoding is typed and exact: prices and sizes stay the text that was sent. Every function raises MalformedMessageError,
and nothing else, for bytes that are not of the documented shape; unknown fields are ignored.
Source: the venue's pages on WebSocket market streams and on the order book endpoint, spot and derivatives.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec
from msgspec.structs import force_setattr

from depthgui.binance.checked import (
    LARGEST_ID,
    are_plain,
    check_ids,
    check_symbol,
    optional_time_ms,
    plain_levels,
    plain_number,
    time_ms,
    update_id,
)
from depthgui.binance.endpoints import Market
from depthgui.book.errors import MalformedMessageError
from depthgui.book.messages import AnyDiff, BestPrices, Diff, Level, NumberDiff, NumberLevel, Snapshot, Spelling, Trade
from depthgui.book.spelling import usual_levels

_field = msgspec.field
_T = TypeVar("_T")


class Frame(msgspec.Struct, frozen=True, gc=False):
    """What one frame of a combined stream holds: a named stream's payload, or an answer to a request of ours."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")
    code: int | None = None
    msg: str = ""
    event: str = _field(name="e", default="")

    @property
    def is_shutdown(self) -> bool:
        """True for the venue's notice that this connection is about to end."""
        return self.event == "serverShutdown" or self.stream == "!serverShutdown"

    @property
    def refusal(self) -> str:
        """The venue's reason for refusing a request of ours, empty if it did not."""
        if self.code is not None:
            return f"{self.code}: {self.msg}"
        error = bytes(self.error)  # a Raw equals no bytes
        return "" if error in {b"", b"null"} else error.decode(errors="replace")


class _DepthEvent(Diff, frozen=True, gc=False):
    first_id: int = _field(name="U")
    last_id: int = _field(name="u")
    event_time_ms: int = _field(name="E")
    bids: list[Level] = _field(name="b")
    asks: list[Level] = _field(name="a")
    prev_id: int | None = _field(name="pu", default=None)
    symbol: str = _field(name="s", default="")


class _NumberEvent(NumberDiff, frozen=True, gc=False):
    first_id: int = _field(name="U")
    last_id: int = _field(name="u")
    event_time_ms: int = _field(name="E")
    bids: list[NumberLevel] = _field(name="b")
    asks: list[NumberLevel] = _field(name="a")
    prev_id: int | None = _field(name="pu", default=None)
    spelling: Spelling = Spelling(0, 0)  # set once the bytes have been looked at
    symbol: str = _field(name="s", default="")


class _DepthAnswer(msgspec.Struct, frozen=True, gc=False):
    bids: list[Level]
    asks: list[Level]
    last_update_id: int | None = _field(name="lastUpdateId", default=None)
    options_update_id: int | None = _field(name="u", default=None)
    event_time_ms: int | None = _field(name="E", default=None)
    options_time_ms: int | None = _field(name="T", default=None)
    covered: tuple[str, str] | None = None  # said by the embedded exchange of a recording, never by the venue


class _PartialEvent(msgspec.Struct, frozen=True, gc=False):
    update_id: int = _field(name="u")
    bids: list[Level] = _field(name="b")
    asks: list[Level] = _field(name="a")
    event_time_ms: int | None = _field(name="E", default=None)
    symbol: str = _field(name="s", default="")
    covered: tuple[str, str] | None = None


class _BookTicker(msgspec.Struct, frozen=True, gc=False):
    update_id: int = _field(name="u")
    bid_price: str = _field(name="b")
    bid_size: str = _field(name="B")
    ask_price: str = _field(name="a")
    ask_size: str = _field(name="A")
    event_time_ms: int | None = _field(name="E", default=None)
    symbol: str = _field(name="s", default="")


class _TradeEvent(msgspec.Struct, frozen=True, gc=False):
    price: str = _field(name="p")
    size: str = _field(name="q")
    time_ms: int = _field(name="T")
    trade_id: int | str = _field(name="t", default=0)
    aggregate_id: int | str = _field(name="a", default=0)  # options: the seller's order
    buyer_is_maker: bool | None = _field(name="m", default=None)
    options_side: str = _field(name="S", default="")
    kind: str = _field(name="X", default="MARKET")
    symbol: str = _field(name="s", default="")


class _ErrorAnswer(msgspec.Struct, frozen=True, gc=False):
    code: int
    msg: str


class _ServerTime(msgspec.Struct, frozen=True, gc=False):
    server_time_ms: int = _field(name="serverTime")


FASTEST_INTERVAL_MS = 100
"""Time between two events of a diff stream where no other interval is asked for."""
# The interval that a diff stream has when its name gives none.
_UNNAMED_INTERVAL_MS = MappingProxyType({Market.SPOT: 1000, Market.USDM: 250, Market.COINM: 250})

_EARLIEST_MS, _FAR_FUTURE_MS = 10**11, 10**14  # beyond these a time is looked at: it may be in another unit

_frame = msgspec.json.Decoder(Frame)
_depth_event = msgspec.json.Decoder(_DepthEvent)
_number_event = msgspec.json.Decoder(_NumberEvent, strict=False)
_depth_answer = msgspec.json.Decoder(_DepthAnswer)
_partial_event = msgspec.json.Decoder(_PartialEvent)
_book_ticker = msgspec.json.Decoder(_BookTicker)
_trade_event = msgspec.json.Decoder(_TradeEvent)
_error_answer = msgspec.json.Decoder(_ErrorAnswer)
_server_time = msgspec.json.Decoder(_ServerTime)


def decode_frame(payload: bytes) -> Frame:
    """Open one frame of a combined stream; `data` stays undecoded until its stream is known."""
    return _decoded(_frame, payload)


class DiffDecoder:
    """Decodes the events of one diff stream (`depthUpdate`), whose numbers are mostly all spelled alike.

    The spelling of the last event is tried first.
    """

    __slots__ = ("_are_usual", "_spelling", "_symbol")

    def __init__(self, symbol: str = "") -> None:
        """Begin a stream, of `symbol` where that is known: another symbol's event is refused."""
        self._symbol = symbol
        self._learn(Spelling(0, 0))

    def decode(self, payload: bytes | msgspec.Raw) -> AnyDiff:
        """Decode one event: as numbers where all prices, and all sizes, have the same number of decimals, else as text.

        Raises MalformedMessageError.
        """
        raw = bytes(payload)
        try:
            event = _number_event.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._checked(raw)
        # One look at the bytes for the whole message: texts that are turned into numbers one by one cost more than all
        # the rest.
        start = raw.find(b'"b":[')
        if start < 0 or not (self._are_usual(raw, start) or self._is_other_spelling(raw, start)):
            return self._checked(raw)
        force_setattr(event, "spelling", self._spelling)  # nobody has seen the event yet
        if not _EARLIEST_MS <= event.event_time_ms < _FAR_FUTURE_MS:
            force_setattr(event, "event_time_ms", _malformed(time_ms, raw, event.event_time_ms))
        if event.symbol != self._symbol or not 0 <= event.first_id <= event.last_id <= LARGEST_ID:
            self._check(event, raw)
        return event

    def _checked(self, raw: bytes) -> Diff:
        """The careful way, for any spelling."""
        event = _decoded(_depth_event, raw)
        self._check(event, raw)
        bids, asks = _malformed(plain_levels, raw, event.bids), _malformed(plain_levels, raw, event.asks)
        event_time_ms = _malformed(time_ms, raw, event.event_time_ms)
        return Diff(event.first_id, event.last_id, event_time_ms, bids, asks, event.prev_id)

    def _check(self, event: _DepthEvent | _NumberEvent, raw: bytes) -> None:
        _malformed(check_symbol, raw, event.symbol, self._symbol)
        _malformed(check_ids, raw, event.first_id, event.last_id)

    def _is_other_spelling(self, raw: bytes, start: int) -> bool:
        price = raw.find(b'[["', start) + 3
        price_end = raw.find(b'"', price)
        size_end = raw.find(b'"', price_end + 3)
        self._learn(Spelling(_decimals(raw, price, price_end), _decimals(raw, price_end + 3, size_end)))
        return self._are_usual(raw, start) is not None

    def _learn(self, spelling: Spelling) -> None:
        self._spelling = spelling
        self._are_usual = _usual_lists(spelling).fullmatch


def _decimals(raw: bytes, start: int, end: int) -> int:
    point = raw.find(b".", start, end)
    return end - point - 1 if point >= 0 else 0


@functools.cache
def _usual_lists(spelling: Spelling) -> re.Pattern[bytes]:
    levels = usual_levels(spelling)
    return re.compile(rf'"b":{levels},"a":{levels}\}}'.encode())


def decode_snapshot(payload: bytes | msgspec.Raw, limit: int | None = None) -> Snapshot:
    """Decode the order book endpoint's answer; `limit` is the number of levels a side that was asked for.

    Options may name the id `u` and the time `T`. The embedded exchange says with `covered` what a recording knows.
    """
    answer = _decoded(_depth_answer, payload)
    found_id = answer.last_update_id if answer.last_update_id is not None else answer.options_update_id
    if found_id is None:
        raise MalformedMessageError("a snapshot without an update id", bytes(payload))
    event_time_ms = answer.event_time_ms if answer.event_time_ms is not None else answer.options_time_ms
    found = _snapshot(payload, found_id, answer.bids, answer.asks, event_time_ms, limit)
    return found if answer.covered is None else msgspec.structs.replace(found, covered=answer.covered)


def _snapshot(
    payload: bytes | msgspec.Raw,
    found_id: int,
    bids: list[Level],
    asks: list[Level],
    event_time_ms: int | None,
    limit: int | None,
) -> Snapshot:
    return Snapshot(
        _malformed(update_id, payload, found_id),
        _malformed(plain_levels, payload, bids),
        _malformed(plain_levels, payload, asks),
        _malformed(optional_time_ms, payload, event_time_ms),
        limit,
    )


def decode_partial(payload: bytes | msgspec.Raw, market: Market, limit: int, symbol: str = "") -> Snapshot:
    """Decode an event of a partial depth stream: the best `limit` levels, whole each time.

    On the derivatives it has the fields of a diff; only the stream's name tells them apart. An event that names another
    symbol than `symbol` is refused.
    """
    if market is Market.SPOT:
        return decode_snapshot(payload, limit)
    event = _decoded(_partial_event, payload)
    _malformed(check_symbol, payload, event.symbol, symbol)
    found = _snapshot(payload, event.update_id, event.bids, event.asks, event.event_time_ms, limit)
    return msgspec.structs.replace(found, bids=sorted(found.bids, key=_price, reverse=True), covered=event.covered)


def decode_best_prices(payload: bytes | msgspec.Raw, symbol: str = "") -> BestPrices:
    """Decode a `bookTicker`. One that names another symbol than `symbol` is refused."""
    event = _decoded(_book_ticker, payload)
    numbers = (event.bid_price, event.bid_size, event.ask_price, event.ask_size)
    sent_ms = event.event_time_ms
    is_known_unit = sent_ms is None or _EARLIEST_MS <= sent_ms < _FAR_FUTURE_MS
    if is_known_unit and event.symbol == symbol and 0 <= event.update_id <= LARGEST_ID and are_plain(numbers):
        return BestPrices(event.update_id, *numbers, sent_ms)
    _malformed(check_symbol, payload, event.symbol, symbol)
    if not are_plain(numbers):
        numbers = (
            _malformed(plain_number, payload, event.bid_price, "price"),
            _malformed(plain_number, payload, event.bid_size, "size"),
            _malformed(plain_number, payload, event.ask_price, "price"),
            _malformed(plain_number, payload, event.ask_size, "size"),
        )
    event_time_ms = _malformed(optional_time_ms, payload, sent_ms)
    return BestPrices(_malformed(update_id, payload, event.update_id), *numbers, event_time_ms)


def decode_trade(payload: bytes | msgspec.Raw, symbol: str = "") -> Trade:
    """Decode a `trade` or an `aggTrade` of any market. One that names another symbol than `symbol` is refused.

    A trade on the market has a price and a size; prints off it, such as fillers, may have none ("0").
    """
    event = _decoded(_trade_event, payload)
    _malformed(check_symbol, payload, event.symbol, symbol)
    is_maker = event.buyer_is_maker
    if is_maker is None:
        is_maker = event.options_side in {"SELL", "-1"}
    identity = event.trade_id or event.aggregate_id
    try:
        trade_id = int(identity)
    except ValueError as error:
        raise MalformedMessageError(f"a trade's id is not a number: {identity!r}", bytes(payload)) from error
    price, size = (
        _malformed(plain_number, payload, event.price, "price"),
        _malformed(plain_number, payload, event.size, "size"),
    )
    is_market = event.kind in {"MARKET", ""}
    if is_market and not (price.strip("0.") and size.strip("0.")):
        raise MalformedMessageError(f"a trade of {size} at {price}", bytes(payload))
    time = _malformed(time_ms, payload, event.time_ms)
    return Trade(_malformed(update_id, payload, trade_id), price, size, time, is_maker, is_market)


def decode_error(payload: bytes) -> tuple[int, str] | None:
    """Decode the venue's error body to code and message; None for anything else, such as a proxy's page."""
    try:
        answer = _error_answer.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return answer.code, answer.msg


def decode_server_time_ms(payload: bytes) -> int:
    """Decode the answer of the `time` endpoint, in milliseconds since 1970."""
    return _malformed(time_ms, payload, _decoded(_server_time, payload).server_time_ms)


def encode_control(method: str, streams: list[str], request_id: int) -> str:
    """Encode SUBSCRIBE or UNSUBSCRIBE."""
    return msgspec.json.encode({"method": method, "params": streams, "id": request_id}).decode()


def diff_stream(market: Market, symbol: str, interval_ms: int | None = None) -> str:
    """Name of a symbol's diff stream; `interval_ms` None takes the fastest one the market has."""
    if interval_ms is not None and interval_ms == _UNNAMED_INTERVAL_MS.get(market):
        return f"{symbol.lower()}@depth"
    return f"{symbol.lower()}@depth@{interval_ms or FASTEST_INTERVAL_MS}ms"


def best_prices_stream(symbol: str) -> str:
    """Name of a symbol's best-price stream."""
    return f"{symbol.lower()}@bookTicker"


def trade_stream(market: Market, symbol: str) -> str:
    """Name of a symbol's trade stream."""
    return f"{symbol.lower()}@{'optionTrade' if market is Market.OPTIONS else 'trade'}"


def partial_stream(symbol: str, levels: int, interval_ms: int | None = None) -> str:
    """Name of a symbol's partial depth stream of 5, 10 or 20 `levels`."""
    speed = "" if interval_ms is None else f"@{interval_ms}ms"
    return f"{symbol.lower()}@depth{levels}{speed}"


def _price(level: Level) -> float:
    return float(level[0])


def _malformed(check: Callable[..., _T], payload: bytes | msgspec.Raw, *values: Any) -> _T:
    """What a check returns; its error names the message that it was about."""
    try:
        return check(*values)
    except MalformedMessageError as error:
        raise MalformedMessageError(error.reason, bytes(payload)) from None


def _decoded(decoder: msgspec.json.Decoder[_T], payload: bytes | msgspec.Raw) -> _T:
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessageError(str(error), bytes(payload)) from error
