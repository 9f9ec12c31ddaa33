"""The venue's bytes: examples from recordings, quoted, and what is not of the documented shape."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from depthgui.binance import codec
from depthgui.binance.endpoints import Market
from depthgui.book.errors import MalformedMessageError
from depthgui.book.messages import BestPrices, NumberDiff, Snapshot, Trade

SPOT_DIFF = (
    b'{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":50093239189,"u":50093239202,'
    b'"b":[["61737.63000000","0.00000000"],["61730.17000000","0.50000000"]],"a":[["61837.64000000","1.54698000"]]}'
)
USDM_DIFF = (
    b'{"e":"depthUpdate","E":1723161256299,"T":1723161256298,"s":"BTCUSDT","U":5123107832006,"u":5123107837557,'
    b'"pu":5123107831937,"b":[["58710.20","0.014"],["61496.50","0.010"]],"a":[]}'
)
COINM_DIFF = (
    b'{"e":"depthUpdate","E":1723161257440,"T":1723161257432,"s":"BTCUSD_PERP","ps":"BTCUSD","U":1007198631260,'
    b'"u":1007198631565,"pu":1007198631198,"b":[["61773.6","1001"],["61778.7","0"]],"a":[["61786.1","3"]]}'
)
OPTIONS_DIFF = (
    b'{"e":"depthUpdate","E":1765983419936,"T":1765983419928,"s":"ETH-251219-3100-C","U":121508743,"u":121509455,'
    b'"pu":121508733,"b":[["16.6000","150.23"],["16.4000","10.00"]],"a":[["18.8000","70.00"]]}'
)


# Frames


def test_a_frame_of_a_combined_stream() -> None:
    frame = codec.decode_frame(b'{"stream":"btcusdt@depth@100ms","data":' + SPOT_DIFF + b"}")
    assert frame.stream == "btcusdt@depth@100ms"
    assert bytes(frame.data) == SPOT_DIFF
    assert not frame.is_shutdown
    assert frame.refusal == ""


def test_an_answer_to_a_request() -> None:
    frame = codec.decode_frame(b'{"result":null,"id":3}')
    assert (frame.id, frame.stream, frame.refusal) == (3, "", "")
    assert codec.decode_frame(b'{"result":["btcusdt@depth"],"id":"x"}').id == "x"


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b'{"code":2,"msg":"Invalid request: unknown variant","id":1}', "2: Invalid request: unknown variant"),
        (b'{"error":{"code":-1121,"msg":"no"},"id":1}', '{"code":-1121,"msg":"no"}'),
        (b'{"error":null,"result":null,"id":1}', ""),
    ],
)
def test_a_refusal(payload: bytes, said: str) -> None:
    assert codec.decode_frame(payload).refusal == said


@pytest.mark.parametrize(
    ("payload", "is_shutdown"),
    [
        (b'{"e":"serverShutdown","E":1770123456789}', True),
        (b'{"stream":"!serverShutdown","data":{"e":"serverShutdown"}}', True),
        (b'{"e":"depthUpdate","E":1}', False),
    ],
)
def test_the_notice_that_a_connection_ends(payload: bytes, is_shutdown: bool) -> None:
    assert codec.decode_frame(payload).is_shutdown is is_shutdown


# Diffs


@pytest.mark.parametrize(
    ("payload", "ids", "decimals", "bids", "asks"),
    [
        (
            SPOT_DIFF,
            (50093239189, 50093239202, None, 1723161255208),
            8,
            [("61737.63000000", "0.00000000"), ("61730.17000000", "0.50000000")],
            [("61837.64000000", "1.54698000")],
        ),
        (
            USDM_DIFF,
            (5123107832006, 5123107837557, 5123107831937, 1723161256299),
            2,
            [("58710.20", "0.014"), ("61496.50", "0.010")],
            [],
        ),
        (
            COINM_DIFF,
            (1007198631260, 1007198631565, 1007198631198, 1723161257440),
            1,
            [("61773.6", "1001"), ("61778.7", "0")],
            [("61786.1", "3")],
        ),
        (
            OPTIONS_DIFF,
            (121508743, 121509455, 121508733, 1765983419936),
            4,
            [("16.6000", "150.23"), ("16.4000", "10.00")],
            [("18.8000", "70.00")],
        ),
    ],
    ids=["spot", "usdm", "coinm", "options"],
)
def test_a_diff_of_each_market(
    payload: bytes,
    ids: tuple[int, int, int | None, int],
    decimals: int,
    bids: list[tuple[str, str]],
    asks: list[tuple[str, str]],
) -> None:
    event = codec.DiffDecoder().decode(payload)
    assert isinstance(event, NumberDiff)
    assert event.spelling.price_decimals == decimals
    text = event.as_text()
    assert (text.first_id, text.last_id, text.prev_id, text.event_time_ms) == ids
    assert (text.bids, text.asks) == (bids, asks)


@pytest.mark.parametrize(
    "lists",
    [
        b'"b":[["1.5","1"],["1.50","1"]],"a":[]',
        b'"b":[["1.5","1"]],"a":[["1.50","1"]]',
        b'"b":[["01.50","1"]],"a":[]',
        b'"b":[["00.50","1"]],"a":[]',
        b'"b":[["1.50","00.1"]],"a":[]',
        b'"b":[["99999999.12345678","1"]],"a":[]',
        b'"b":[["1.50","1"]], "a":[]',
        b'"a":[],"b":[["1.50","1"]]',
        b'"b":[["1.50","1"]],"a":[],"x":[["1.5","1"]]',
        b'"b":[["1.50","\\u0031"]],"a":[]',
    ],
)
def test_what_is_spelled_in_an_unusual_way_stays_text(lists: bytes) -> None:
    payload = b'{"U":1,"u":2,"E":3,' + lists + b"}"
    event = codec.DiffDecoder().decode(payload)
    assert not isinstance(event, NumberDiff)


NO_NUMBERS = [
    *("", " ", "x", "nan", "NaN", "inf", "Infinity", "-1", "+1", "-0", "1.", ".5", "1.2.3", "1,5", "1_000", " 1", "1 "),
    *(
        "0x10",
        "1e",
        "e5",
        "1e5e5",
        "1e99999",
        "1e400",
        "1e-400",
        "１",
        "٣",
        "1\n",
        "9" * 61,
        "1E+",
        "--1",
        "1/2",
        "null",
    ),
]


def as_json(text: str) -> bytes:
    return msgspec.json.encode(text)


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_finite_number_that_is_not_negative_is_malformed_in_every_message(text: str) -> None:
    bad = as_json(text)
    payloads: list[tuple[Callable[[bytes], object], bytes]] = [
        (codec.DiffDecoder().decode, b'{"U":1,"u":2,"E":3,"b":[["1.50","1.0"],[%s,"1.0"]],"a":[]}' % bad),
        (codec.DiffDecoder().decode, b'{"U":1,"u":2,"E":3,"b":[],"a":[["1.50",%s]]}' % bad),
        (codec.decode_snapshot, b'{"lastUpdateId":5,"bids":[["1","1"],["1",%s]],"asks":[]}' % bad),
        (codec.decode_snapshot, b'{"lastUpdateId":5,"bids":[],"asks":[[%s,"1"]]}' % bad),
        (lambda raw: codec.decode_partial(raw, Market.USDM, 5), b'{"u":1,"b":[[%s,"1"]],"a":[]}' % bad),
        *(
            (codec.decode_best_prices, msgspec.json.encode({"u": 1, "b": "1", "B": "1", "a": "2", "A": "1", key: text}))
            for key in "bBaA"
        ),
        *(
            (codec.decode_trade, msgspec.json.encode({"t": 1, "p": "1", "q": "1", "T": 7, "m": True, key: text}))
            for key in "pq"
        ),
    ]
    for decode, payload in payloads:
        with pytest.raises(MalformedMessageError):
            decode(payload)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("1.0E+2", "100"), ("1e-7", "0.0000001"), ("1.25E1", "12.5"), ("0E-8", "0"), ("5e0", "5"), ("1.e3", "1000")],
)
def test_a_number_in_exponent_form_is_the_same_number_written_plainly(text: str, plain: str) -> None:
    number = text.encode()
    diff = codec.DiffDecoder().decode(b'{"U":1,"u":2,"E":3,"b":[["61000.5","%s"]],"a":[]}' % number)
    assert diff.as_text().bids == [("61000.5", plain)]
    assert codec.decode_snapshot(b'{"lastUpdateId":5,"bids":[["1","%s"]],"asks":[]}' % number).bids == [("1", plain)]
    best = codec.decode_best_prices(b'{"u":1,"b":"1","B":"%s","a":"2","A":"1"}' % number)
    assert best.bid_size == plain
    if plain != "0":
        assert codec.decode_trade(b'{"t":1,"p":"61000.5","q":"%s","T":7,"m":true}' % number).size == plain


@pytest.mark.parametrize(
    ("sent", "time_ms"),
    [
        (1723161255123, 1723161255123),
        (1723161255123456, 1723161255123),
        (1723161255123456789, 1723161255123),
        (1723161255, 1723161255000),
        (7, 7),
    ],
)
def test_the_unit_of_a_time_is_told_by_its_digits(sent: int, time_ms: int) -> None:
    assert codec.decode_trade(b'{"t":1,"p":"1","q":"1","T":%d,"m":true}' % sent).time_ms == time_ms
    for levels in (b'"b":[["1.5","1"]],"a":[]', b'"a":[],"b":[["1.50","1"],["1","1"]]'):
        assert codec.DiffDecoder().decode(b'{"U":1,"u":2,"E":%d,%s}' % (sent, levels)).event_time_ms == time_ms
    assert codec.decode_snapshot(b'{"lastUpdateId":5,"E":%d,"bids":[],"asks":[]}' % sent).event_time_ms == time_ms
    assert codec.decode_server_time_ms(b'{"serverTime":%d}' % sent) == time_ms


@pytest.mark.parametrize("time", ["-1", "100000000000000000000", "1.5", '"x"', "null", "1e30"])
def test_a_time_that_cannot_be_is_malformed(time: str) -> None:
    with pytest.raises(MalformedMessageError):
        codec.decode_trade(b'{"t":1,"p":"1","q":"1","T":%s,"m":true}' % time.encode())
    with pytest.raises(MalformedMessageError):
        codec.DiffDecoder().decode(b'{"U":1,"u":2,"E":%s,"b":[["1.5","1"]],"a":[]}' % time.encode())


@pytest.mark.parametrize("ids", ['"U":3,"u":2', '"U":-5,"u":2', '"U":1,"u":9223372036854775808'])
def test_ids_that_cannot_be_are_malformed(ids: str) -> None:
    for levels in (b'"b":[["1.5","1"]],"a":[]', b'"a":[],"b":[["1.50","1"],["1","1"]]'):
        with pytest.raises(MalformedMessageError):
            codec.DiffDecoder().decode(b'{%s,"E":3,%s}' % (ids.encode(), levels))


def test_a_message_of_another_symbol_is_refused() -> None:
    levels = b'"b":[["1.5","1"]],"a":[]'
    with pytest.raises(MalformedMessageError, match="ETHUSDT"):
        codec.DiffDecoder("BTCUSDT").decode(b'{"U":1,"u":2,"E":3,"s":"ETHUSDT",%s}' % levels)
    with pytest.raises(MalformedMessageError, match="ETHUSDT"):
        codec.decode_trade(b'{"s":"ETHUSDT","t":1,"p":"1","q":"1","T":7,"m":true}', "BTCUSDT")
    with pytest.raises(MalformedMessageError, match="ETHUSDT"):
        codec.decode_best_prices(b'{"s":"ETHUSDT","u":1,"b":"1","B":"1","a":"2","A":"1"}', "BTCUSDT")
    with pytest.raises(MalformedMessageError, match="ETHUSDT"):
        codec.decode_partial(b'{"s":"ETHUSDT","u":1,"b":[],"a":[]}', Market.USDM, 5, "BTCUSDT")
    assert codec.DiffDecoder("BTCUSDT").decode(b'{"U":1,"u":2,"E":3,%s}' % levels).last_id == 2  # it names none


def test_a_trade_on_the_market_has_a_price_and_a_size() -> None:
    for price, size in (("0", "1"), ("1", "0.000")):
        raw = msgspec.json.encode({"t": 1, "p": price, "q": size, "T": 7, "m": True})
        with pytest.raises(MalformedMessageError):
            codec.decode_trade(raw)
    assert not codec.decode_trade(b'{"t":1,"p":"0","q":"0","T":7,"m":true,"X":"NA"}').is_market


def test_sizes_of_many_digits_before_the_point_are_numbers_too_whatever_came_before() -> None:
    decoder = codec.DiffDecoder()
    for size in ("12.50000000", "123456789.00000000", "12.50000000", "123456789.00000000"):
        event = decoder.decode(b'{"U":1,"u":2,"E":3,"b":[["0.00001234","%s"]],"a":[]}' % size.encode())
        assert isinstance(event, NumberDiff)
        assert event.bids == [(0.00001234, float(size))]
        assert event.as_text().bids == [("0.00001234", size)]
    event = decoder.decode(b'{"U":1,"u":2,"E":3,"b":[["0.00001234","123456789.00000001"]],"a":[]}')
    assert not isinstance(event, NumberDiff)


def test_whole_prices_are_numbers_too() -> None:
    event = codec.DiffDecoder().decode(b'{"U":1,"u":2,"E":3,"b":[["60","7.31"]],"a":[["65","8.28"],["70","38.88"]]}')
    assert isinstance(event, NumberDiff)
    assert event.as_text().asks == [("65", "8.28"), ("70", "38.88")]


def test_unknown_fields_are_ignored() -> None:
    payload = b'{"st":{"x":[1]},"U":1,"ps":"BTCUSD","u":2,"E":3,"T":9,"b":[],"a":[["1.50","1"]],"pu":0,"new":null}'
    event = codec.DiffDecoder().decode(payload).as_text()
    assert (event.first_id, event.last_id, event.prev_id, event.asks) == (1, 2, 0, [("1.50", "1")])


def test_an_empty_diff() -> None:
    event = codec.DiffDecoder().decode(b'{"U":1,"u":2,"E":3,"b":[],"a":[]}').as_text()
    assert (event.bids, event.asks) == ([], [])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"nonsense",
        b"\xff\xfe",
        b'{"U":1,"u":2,"E":3,"b":[["1.50",1]],"a":[]}',
        b'{"U":1,"u":2,"E":3,"b":[[1.50,"1"]],"a":[]}',
        b'{"U":1,"u":2,"E":3,"b":[["1.50"]],"a":[]}',
        b'{"U":1,"u":2,"E":3,"b":[["1.50","1","2"]],"a":[]}',
        b'{"U":1,"u":2,"E":3,"b":[null],"a":[]}',
        b'{"U":1,"u":2,"E":3,"b":null,"a":[]}',
        b'{"U":1,"u":2,"E":3,"b":[]}',
        b'{"U":1.5,"u":2,"E":3,"b":[],"a":[]}',
        b'{"u":1925729,"pu":1925729,"E":3,"b":[["60","7.31"]],"a":[]}',  # an options frame of the old shape
        b'{"U":1,"u":2,"E":3,"b":[["\xff","1"]],"a":[]}',
        b'{"U":1,"u":2,"E":3,"b":[["1.50","1"]["1.40","1"]],"a":[]}',
        b'{"U":1,"u":2,"E":3,"b":[["1.50","1"],],"a":[]}',
        b'{"U":1,"u":2,"E":3,"b":[,["1.50","1"]],"a":[]}',
        SPOT_DIFF[:-1],
        SPOT_DIFF + b"}",
    ],
)
def test_what_is_no_diff(payload: bytes) -> None:
    with pytest.raises(MalformedMessageError) as caught:
        codec.DiffDecoder().decode(payload)
    assert caught.value.excerpt == payload[:200]
    assert caught.value.is_retryable


# Snapshots


def test_a_spot_snapshot() -> None:
    payload = b'{"lastUpdateId":50093239218,"bids":[["61800.00000000","1.0"]],"asks":[["61800.01000000","2.5"]]}'
    assert codec.decode_snapshot(payload, 1000) == Snapshot(
        50093239218, [("61800.00000000", "1.0")], [("61800.01000000", "2.5")], None, 1000
    )


def test_a_derivatives_snapshot_has_a_time() -> None:
    payload = (
        b'{"lastUpdateId":600859618836,"E":1626992741986,"T":1626992741972,"bids":[["1.01000","85782"]],"asks":[]}'
    )
    snapshot = codec.decode_snapshot(payload)
    assert (snapshot.event_time_ms, snapshot.limit, snapshot.asks) == (1626992741986, None, [])


def test_an_options_snapshot_may_name_id_and_time_otherwise() -> None:
    snapshot = codec.decode_snapshot(b'{"T":1591695934010,"u":37874657,"bids":[["60","7.31"]],"asks":[]}', 10)
    assert (snapshot.last_update_id, snapshot.event_time_ms) == (37874657, 1591695934010)
    assert codec.decode_snapshot(b'{"lastUpdateId":5,"u":7,"E":1,"T":2,"bids":[],"asks":[]}') == Snapshot(5, [], [], 1)


@pytest.mark.parametrize(
    "payload",
    [b'{"bids":[],"asks":[]}', b'{"lastUpdateId":1,"bids":[]}', b'{"lastUpdateId":"1","bids":[],"asks":[]}', b""],
)
def test_what_is_no_snapshot(payload: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        codec.decode_snapshot(payload)


# Partial books


def test_a_partial_spot_book_is_a_snapshot() -> None:
    payload = b'{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}'
    assert codec.decode_partial(payload, Market.SPOT, 5) == Snapshot(
        160, [("0.0024", "10")], [("0.0026", "100")], None, 5
    )


@pytest.mark.parametrize("market", [Market.USDM, Market.COINM, Market.OPTIONS])
def test_a_partial_book_of_a_derivative_looks_like_a_diff_and_bids_come_in_any_order(market: Market) -> None:
    payload = b'{"e":"depthUpdate","E":7,"T":6,"U":1,"u":9,"pu":0,"b":[["9.5","1"],["10.5","2"]],"a":[["11.0","3"]]}'
    assert codec.decode_partial(payload, market, 20) == Snapshot(
        9, [("10.5", "2"), ("9.5", "1")], [("11.0", "3")], 7, 20
    )


def test_a_partial_options_book_of_the_old_shape() -> None:
    payload = (
        b'{"e":"depth","E":1696118400038,"T":1696118399082,"s":"BTC-231027-34000-C","u":1925729,"pu":1925729,'
        b'"b":[["60","7.31"]],"a":[["65","8.28"],["70","38.88"]]}'
    )
    assert codec.decode_partial(payload, Market.OPTIONS, 100) == Snapshot(
        1925729, [("60", "7.31")], [("65", "8.28"), ("70", "38.88")], 1696118400038, 100
    )


def test_a_partial_book_with_a_price_that_is_no_number() -> None:
    with pytest.raises(MalformedMessageError):
        codec.decode_partial(b'{"u":1,"b":[["x","1"]],"a":[]}', Market.USDM, 5)


# Tickers and trades


@pytest.mark.parametrize(
    ("payload", "best"),
    [
        (
            b'{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}',
            BestPrices(400900217, "25.35190000", "31.21000000", "25.36520000", "40.66000000"),
        ),
        (
            b'{"e":"bookTicker","u":121509445,"s":"ETH-251218-3100-C","b":"5.8000","B":"38.47","a":"6.4000",'
            b'"A":"96.37","T":1765983419927,"E":1765983419927}',
            BestPrices(121509445, "5.8000", "38.47", "6.4000", "96.37", 1765983419927),
        ),
    ],
)
def test_best_prices(payload: bytes, best: BestPrices) -> None:
    decoded = codec.decode_best_prices(payload)
    fields = ("update_id", "bid_price", "bid_size", "ask_price", "ask_size", "event_time_ms")
    assert [getattr(decoded, name) for name in fields] == [getattr(best, name) for name in fields]


@pytest.mark.parametrize(
    ("payload", "trade"),
    [
        (
            b'{"e":"trade","E":1,"s":"BTCUSDT","t":3721874,"p":"61800.01","q":"0.5","T":1723161255,"m":true,"M":true}',
            Trade(3721874, "61800.01", "0.5", 1723161255000, True),
        ),
        (
            b'{"e":"trade","E":1,"T":2,"s":"ETHUSDT","t":9,"p":"2681.6","q":"1","X":"INSURANCE_FUND","m":false}',
            Trade(9, "2681.6", "1", 2, False, False),
        ),
        (
            b'{"e":"aggTrade","E":1,"s":"X","a":26129,"p":"0.01","q":"2","f":100,"l":105,"T":123,"m":true}',
            Trade(26129, "0.01", "2", 123, True),
        ),
        (  # options, old shape
            b'{"e":"trade","E":1696118425335,"s":"BTC-231001-27500-C","t":"144","p":"5","q":"0.1",'
            b'"b":"4674871954869534720","a":"4665864737475194880","T":1696118425333,"S":"1"}',
            Trade(144, "5", "0.1", 1696118425333, False),
        ),
        (
            b'{"t":"144","p":"5","q":"0.1","T":7,"S":"-1"}',
            Trade(144, "5", "0.1", 7, True),
        ),
        (  # options, new shape
            b'{"e":"trade","E":1,"T":1765983420778,"s":"BTC-251219-89000-C","t":200,"p":"1420.000","q":"1.54",'
            b'"X":"MARKET","S":"BUY","m":false}',
            Trade(200, "1420.000", "1.54", 1765983420778, False),
        ),
    ],
)
def test_trades_of_every_shape(payload: bytes, trade: Trade) -> None:
    assert codec.decode_trade(payload) == trade


@pytest.mark.parametrize("payload", [b'{"t":"x","p":"5","q":"1","T":7}', b'{"t":1,"p":5,"q":"1","T":7}', b"{}"])
def test_what_is_no_trade(payload: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        codec.decode_trade(payload)


# Errors, time, names


@pytest.mark.parametrize(
    ("payload", "decoded"),
    [
        (b'{"code":-1121,"msg":"Invalid symbol."}', (-1121, "Invalid symbol.")),
        (b'{"code":-1003,"msg":"Too many requests","data":{"serverTime":1}}', (-1003, "Too many requests")),
        (b"<html>502 Bad Gateway</html>", None),
        (b"", None),
        (b'{"code":"x","msg":1}', None),
        (b"\xff\xff", None),
        (b'{"x":' + b"[" * 200_000, None),
    ],
)
def test_an_error_of_the_venue(payload: bytes, decoded: tuple[int, str] | None) -> None:
    assert codec.decode_error(payload) == decoded


def test_server_time() -> None:
    assert codec.decode_server_time_ms(b'{"serverTime":1499827319559}') == 1499827319559
    with pytest.raises(MalformedMessageError):
        codec.decode_server_time_ms(b'{"servertime":1}')


DECODERS: list[Callable[[bytes], object]] = [
    codec.decode_frame,
    codec.DiffDecoder().decode,
    codec.decode_snapshot,
    codec.decode_best_prices,
    codec.decode_trade,
    codec.decode_server_time_ms,
    lambda payload: codec.decode_partial(payload, Market.USDM, 5),
]


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize(
    "payload", [b"[" * 200_000, b'{"x":' * 100_000, b'{"b":' + b"[" * 200_000, b"\x00", b"\xf0\x9f"]
)
def test_hostile_bytes_are_malformed_and_nothing_else(decode: Callable[[bytes], object], payload: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode(payload)


def test_a_control_message() -> None:
    assert codec.encode_control("SUBSCRIBE", ["btcusdt@depth"], 7) == (
        '{"method":"SUBSCRIBE","params":["btcusdt@depth"],"id":7}'
    )


@pytest.mark.parametrize(
    ("market", "interval_ms", "name"),
    [
        (Market.SPOT, None, "btcusdt@depth@100ms"),
        (Market.SPOT, 1000, "btcusdt@depth"),
        (Market.SPOT, 100, "btcusdt@depth@100ms"),
        (Market.USDM, 250, "btcusdt@depth"),
        (Market.USDM, 500, "btcusdt@depth@500ms"),
        (Market.COINM, 250, "btcusdt@depth"),
        (Market.OPTIONS, 500, "btcusdt@depth@500ms"),
        (Market.OPTIONS, None, "btcusdt@depth@100ms"),
    ],
)
def test_names_of_diff_streams(market: Market, interval_ms: int | None, name: str) -> None:
    assert codec.diff_stream(market, "BTCUSDT", interval_ms) == name


def test_names_of_other_streams() -> None:
    assert codec.best_prices_stream("BTCUSDT") == "btcusdt@bookTicker"
    assert codec.trade_stream(Market.SPOT, "BTCUSDT") == "btcusdt@trade"
    assert codec.trade_stream(Market.OPTIONS, "BTC-261225-100000-C") == "btc-261225-100000-c@optionTrade"
    assert codec.partial_stream("BTCUSDT", 20) == "btcusdt@depth20"
    assert codec.partial_stream("BTCUSDT", 20, 100) == "btcusdt@depth20@100ms"
