"""Arbitrary and damaged bytes: nothing but the documented error comes out, and a live book never believes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from depthgui.binance import codec
from depthgui.binance.endpoints import Endpoints, Market, parse_symbol_ref
from depthgui.binance.symbols import decode_exchange_info, suggest
from depthgui.book import BookSync, Snapshot, SyncState
from depthgui.book.errors import MalformedMessageError, UsageError
from depthgui.book.sequence import DerivativeRules, SpotRules
from depthgui.book.sync import FetchSnapshot

DECODERS: dict[str, Callable[[bytes], Any]] = {
    "frame": codec.decode_frame,
    "diff": codec.DiffDecoder().decode,
    "snapshot": codec.decode_snapshot,
    "spot partial": lambda payload: codec.decode_partial(payload, Market.SPOT, 5),
    "partial": lambda payload: codec.decode_partial(payload, Market.USDM, 5),
    "best prices": codec.decode_best_prices,
    "trade": codec.decode_trade,
    "time": codec.decode_server_time_ms,
    "spot symbols": lambda payload: decode_exchange_info(Market.SPOT, payload),
    "usdm symbols": lambda payload: decode_exchange_info(Market.USDM, payload),
    "coinm symbols": lambda payload: decode_exchange_info(Market.COINM, payload),
    "options symbols": lambda payload: decode_exchange_info(Market.OPTIONS, payload),
}

EXAMPLES = [
    b'{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":3,"s":"X","U":1,"u":2,"b":[],"a":[]}}',
    b'{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":101,"u":103,"pu":98,'
    b'"b":[["61737.63000000","0.00000000"],["61730.17000000","0.50000000"]],"a":[["61837.64000000","1.54698000"]]}',
    b'{"lastUpdateId":102,"E":1,"T":2,"bids":[["1.01000","85782"],["1.00900","1"]],"asks":[["1.01300","17718"]]}',
    b'{"e":"bookTicker","u":121509445,"s":"X","b":"5.8000","B":"38.47","a":"6.4000","A":"96.37","T":1,"E":2}',
    b'{"e":"trade","E":1,"s":"X","t":"144","p":"5","q":"0.1","b":"46","a":"47","T":1696118425333,"S":"1"}',
    b'{"error":{"code":2,"msg":"x"},"code":-1121,"msg":"Invalid symbol.","id":1,"result":null}',
    b'{"serverTime":1499827319559}',
    b'{"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000}],"symbols":[{'
    b'"symbol":"BTCUSD_PERP","contractType":"PERPETUAL","deliveryDate":4133404800000,"contractStatus":"TRADING",'
    b'"status":"TRADING","contractSize":100,"baseAsset":"BTC","quoteAsset":"USD","filters":[{"filterType":'
    b'"PRICE_FILTER","tickSize":"0.1"},{"filterType":"LOT_SIZE","stepSize":"1"}]}]}',
    b'{"optionSymbols":[{"symbol":"BTC-261225-100000-C","side":"CALL","underlying":"BTCUSDT","unit":1,'
    b'"expiryDate":1798185600000,"quoteAsset":"USDT","priceScale":1,"quantityScale":2}]}',
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def damaged(draw: st.DrawFn, texts: list[bytes] = EXAMPLES) -> bytes:
    """An example with bytes changed, cut out or put in, or with one of its values replaced by another."""
    text = draw(st.sampled_from(texts))
    if draw(st.booleans()):
        return draw(with_another_value(msgspec.json.decode(text)))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(start + 6, len(text))))
        text = text[:start] + draw(st.binary(max_size=4) | st.sampled_from(GRAINS)) + text[end:]
    return text


GRAINS = [b"0", b".", b"-", b"e", b"_", b'"', b",", b"[", b"]", b"{", b"null", b"1e999", b'""', b"\\ud800", b"9" * 25]


@st.composite
def with_another_value(draw: st.DrawFn, message: Any) -> bytes:
    holder, key = draw(st.sampled_from(places(message)))
    holder[key] = draw(JSON)
    return msgspec.json.encode(message)


def places(node: Any) -> list[tuple[Any, Any]]:
    """All places in a message whose value can be replaced."""
    keys = node.keys() if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    return [place for key in keys for place in [(node, key), *places(node[key])]]


@pytest.mark.parametrize("name", DECODERS)
@given(payload=damaged() | st.binary(max_size=60) | JSON.map(msgspec.json.encode))
@example(payload=b'{"x":' + b"[" * 100_000)
def test_decoders_raise_nothing_but_the_documented_error(name: str, payload: bytes) -> None:
    try:
        DECODERS[name](payload)
    except MalformedMessageError as caught:
        error = caught
    else:
        return
    assert error.excerpt in {payload[:200], b""}
    assert error.is_retryable


@given(damaged() | st.binary(max_size=60))
@example(b'{"x":' + b"[" * 100_000)
def test_an_error_body_is_an_error_or_none(payload: bytes) -> None:
    decoded = codec.decode_error(payload)
    assert decoded is None or (isinstance(decoded[0], int) and isinstance(decoded[1], str))


@given(damaged())
def test_a_frame_that_opens_answers_every_question(payload: bytes) -> None:
    try:
        frame = codec.decode_frame(payload)
    except MalformedMessageError:
        return
    assert isinstance(frame.is_shutdown, bool)
    assert isinstance(frame.refusal, str)


@given(damaged([EXAMPLES[1]]))
def test_both_forms_of_a_diff_say_the_same(payload: bytes) -> None:
    """What the keyed decoder makes of any bytes, the plain one makes of them too."""
    try:
        event = codec.DiffDecoder().decode(payload)
    except MalformedMessageError:
        return
    lenient = json.loads(payload.decode(errors="replace"))  # an unknown field may hold anything at all
    assert [list(level) for level in event.as_text().bids] == [list(level) for level in lenient["b"]]
    assert [list(level) for level in event.as_text().asks] == [list(level) for level in lenient["a"]]


@pytest.mark.parametrize("rules", [SpotRules(), DerivativeRules()], ids=["spot", "derivative"])
@given(
    diffs=st.lists(damaged([EXAMPLES[1]]), max_size=4),
    snapshots=st.lists(damaged([EXAMPLES[2]]), max_size=3),
    state=st.sampled_from(SyncState),
)
def test_the_machine_takes_whatever_can_be_decoded(
    rules: SpotRules | DerivativeRules, diffs: list[bytes], snapshots: list[bytes], state: SyncState
) -> None:
    sync = BookSync("X", rules)
    order = 0
    now_s = 0.0

    def note(outcomes: tuple[object, ...]) -> None:
        nonlocal order
        for outcome in outcomes:
            order = outcome.number if isinstance(outcome, FetchSnapshot) else order
        book = sync.book
        if sync.state is SyncState.LIVE:
            assert book is not None
            assert not book.is_crossed

    if state is not SyncState.DISCONNECTED:
        note(sync.stream_opened(now_s))
    if state in {SyncState.LIVE, SyncState.STALE}:
        good = codec.DiffDecoder().decode(EXAMPLES[1])
        note(sync.diff(good, now_s))
        note(sync.snapshot(Snapshot(102, [], [], None, None), order, now_s))
        assert sync.state is SyncState.LIVE
        note(sync.refresh_due(now_s))
    if state is SyncState.STALE:
        note(sync.tick(100.0))
        assert sync.state is SyncState.STALE
    for index in range(max(len(diffs), len(snapshots))):
        now_s += 1.0
        if index < len(diffs):
            try:
                event = codec.DiffDecoder().decode(diffs[index])
            except MalformedMessageError:
                continue
            note(sync.diff(event, 100.0 + now_s))
        if index < len(snapshots):
            try:
                snapshot = codec.decode_snapshot(snapshots[index], 5)
            except MalformedMessageError:
                continue
            note(sync.snapshot(snapshot, order, 100.0 + now_s))
        note(sync.tick(100.0 + now_s))


@given(st.text(max_size=20) | st.from_regex(r"(https?|ws|)(://)?[\[\]a-z0-9.:@/%]{0,12}", fullmatch=True))
def test_an_endpoint_is_an_address_or_a_usage_error(text: str) -> None:
    try:
        environment = Endpoints.at(text)
    except UsageError:
        return
    for market in Market:
        assert environment.rest_url(market).startswith(("http://", "https://"))
        assert environment.stream_url(market).startswith(("ws://", "wss://"))


@given(st.text(max_size=20))
def test_a_symbol_reads_back_or_is_a_usage_error(text: str) -> None:
    try:
        ref = parse_symbol_ref(text)
    except UsageError:
        return
    assert parse_symbol_ref(str(ref)) == ref


@given(st.text(max_size=8), st.lists(st.text(max_size=8), max_size=8))
def test_suggestions_are_known_names(text: str, known: list[str]) -> None:
    assert set(suggest(text, known)) <= set(known)
