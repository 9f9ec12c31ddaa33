"""Recordings as people have them: formats, clocks, packings, several symbols, snapshots that are short or absent."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from depthgui.binance.codec import decode_partial, decode_snapshot
from depthgui.binance.endpoints import Market
from depthgui.book import OrderBook
from depthgui.exchange import RecordingError, Replay
from depthgui.exchange.playback import PlaybackSource, replays_of
from depthgui.exchange.stream_names import Kind, Topic
from depthgui.exchange.venue_format import Dialect
from depthgui.recording.lines import RecordingLines

T0_MS = 1_700_000_000_000


@pytest.fixture(autouse=True)
def quiet_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of a recording is logged as well; these tests look at what is said."""
    monkeypatch.setattr(logging.getLogger("depthgui.exchange.playback"), "level", logging.ERROR)
    logging.getLogger("depthgui.exchange.playback").manager._clear_cache()  # type: ignore[attr-defined]


def diff(
    update_id: int, *, symbol: str = "BTCUSDT", price: float = 100.0, at_ms: int = 0, pu: int | None = None
) -> Any:
    event: dict[str, Any] = {"e": "depthUpdate", "E": T0_MS + at_ms, "s": symbol, "U": update_id, "u": update_id}
    if pu is not None:
        event |= {"T": T0_MS + at_ms, "pu": pu}
    return event | {"b": [[f"{price - 1:.2f}", f"{update_id}.000"]], "a": [[f"{price + 1:.2f}", "2.000"]]}


def frame(event: Any) -> Any:
    return {"stream": f"{event['s'].lower()}@depth@100ms", "data": event}


def snapshot(update_id: int, price: float = 100.0, levels: int = 5) -> Any:
    sides = [[[f"{price + sign * (1 + step):.2f}", "1.000"] for step in range(levels)] for sign in (-1, 1)]
    return {"lastUpdateId": update_id, "bids": sides[0], "asks": sides[1]}


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def simple(times: Callable[[int], str]) -> list[str]:
    """A snapshot and nine diffs, 100 ms apart; `times` writes a receive time, with what separates it."""
    messages = [snapshot(10), *(frame(diff(10 + step, at_ms=100 * step)) for step in range(1, 10))]
    return [f"{times(T0_MS + 100 * step)}{json.dumps(message)}" for step, message in enumerate(messages)]


def played(path: Path, until_ms: int = 10_000, step_ms: int = 10, symbol: str = "", **replay: Any) -> PlaybackSource:
    source = PlaybackSource(Replay(path, symbol=symbol, **replay), history=1000)
    for now_ms in range(0, until_ms + 1, step_ms):
        source.advance(now_ms, [], lambda *_: None)
    return source


FORMATS: dict[str, tuple[Callable[[int], str], str]] = {
    "nanoseconds": (lambda ms: f"{ms * 1_000_000} ", ""),
    "microseconds": (lambda ms: f"{ms * 1000} ", "receive times are in microseconds"),
    "milliseconds": (lambda ms: f"{ms} ", "receive times are in milliseconds"),
    "seconds": (lambda ms: f"{ms // 1000}.{ms % 1000:03} ", "receive times are in seconds"),
    "cryptofeed": (lambda ms: f"{ms // 1000}.{ms % 1000:03}: ", "receive times are in seconds"),
    "no time": (lambda ms: "", "lines have no receive time"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_unit_of_receive_times_is_told_by_their_digits_and_said(tmp_path: Path, name: str) -> None:
    times, said = FORMATS[name]
    path = written(tmp_path / "recording.ndjson", simple(times))
    lines = RecordingLines(path)
    at_ms = [line.recv_ns / 1e6 for line in lines]
    assert len(at_ms) == 10
    assert at_ms[-1] - at_ms[1] == pytest.approx(800, abs=1)
    assert [said in warning for warning in lines.warnings] == ([True] if said else [])
    half = played(path, until_ms=int(at_ms[5]) + 10)
    assert 4 <= half.lines_played <= 7
    assert played(path).book.last_id == 19


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "marked.ndjson"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(simple(FORMATS["nanoseconds"][0])).encode())
    source = played(path)
    assert source.warnings == []
    assert (source.book.last_id, source.lines_played) == (19, 10)


@pytest.mark.parametrize("packed", ["gzip", "zstd"])
def test_packed_files(tmp_path: Path, packed: str) -> None:
    content = "\n".join(simple(FORMATS["nanoseconds"][0])).encode()
    if packed == "zstd":
        zstd = pytest.importorskip("backports.zstd", reason="backports.zstd is not installed")
        content = zstd.compress(content)
    else:
        content = gzip.compress(content)
    path = tmp_path / "recording.bin"
    path.write_bytes(content)
    assert played(path).book.last_id == 19


@pytest.mark.parametrize("name_snapshots", [True, False])
def test_two_symbols_in_one_file_are_two_playbacks(tmp_path: Path, *, name_snapshots: bool) -> None:
    lines = []
    names = ({"symbol": "BTCUSDT"}, {"symbol": "ETHUSDT"}) if name_snapshots else ({}, {})
    for at, message in enumerate(
        [
            snapshot(10, 100.0) | names[0],
            snapshot(900, 5.0) | names[1],
            *(
                frame(diff(first + step, symbol=symbol, price=price, at_ms=step))
                for step in range(1, 10)
                for symbol, price, first in (("BTCUSDT", 100.0, 10), ("ETHUSDT", 5.0, 900))
            ),
        ]
    ):
        lines.append(f"{(T0_MS + 10 * at) * 1_000_000} {json.dumps(message)}")
    path = written(tmp_path / "two.ndjson", lines)
    replays = replays_of(Replay(path))
    assert [replay.symbol for replay in replays] == ["BTCUSDT", "ETHUSDT"]
    for replay, last_id, best_bid in zip(replays, (19, 909), ("99.00", "4.00"), strict=True):
        source = played(path, symbol=replay.symbol)
        assert source.spec.symbol == replay.symbol
        assert source.book.last_id == last_id
        assert max(source.book.bids, key=float) == best_bid
        assert all(abs(float(price) / float(best_bid) - 1) < 2 for price in (*source.book.bids, *source.book.asks))
        assert source.warnings == []


def test_a_snapshot_that_fits_to_no_symbol_is_named(tmp_path: Path) -> None:
    messages = [
        snapshot(5, 777.0),
        frame(diff(11, symbol="BTCUSDT", price=100.0)),
        frame(diff(901, symbol="ETHUSDT", price=5.0)),
    ]
    path = written(tmp_path / "x", [f"{T0_MS}000000 {json.dumps(message)}" for message in messages])
    source = played(path, symbol="BTCUSDT")
    assert any("fits to none" in warning for warning in source.warnings)
    assert "777.00" not in "".join(source.book.bids)


def served(source: PlaybackSource, limit: int = 1000) -> OrderBook:
    """The book that a client makes from the exchange's answer."""
    answer = Dialect(source.spec).snapshot(source.snapshot(limit, 0))
    return OrderBook.from_snapshot("BTCUSDT", decode_snapshot(answer, limit))


def test_a_short_snapshot_proves_no_more_than_it_covers(tmp_path: Path) -> None:
    source = played(written(tmp_path / "x", simple(FORMATS["nanoseconds"][0])))
    coverage = served(source).coverage
    assert (str(coverage.low), str(coverage.high)) == ("95.00", "105.00")
    assert coverage.covers(99.0)
    assert not coverage.covers(94.0)
    assert not coverage.covers(106.0)
    assert served(source, 2).coverage.low == 98


def test_without_a_snapshot_nothing_is_proven_and_it_is_said(tmp_path: Path) -> None:
    source = played(written(tmp_path / "x", simple(FORMATS["nanoseconds"][0])[1:]))
    book = served(source)
    assert book.coverage.is_empty
    assert len(book.bids) == 1
    assert not book.coverage.covers(99.0)
    assert any("only levels that were seen are known" in warning for warning in source.warnings)


@pytest.mark.parametrize("pu", [None, 0])
def test_a_partial_book_of_a_recording_claims_no_more_either(tmp_path: Path, pu: int | None) -> None:
    ids = [None if pu is None else 10 + step for step in range(3)]
    messages = [snapshot(10), *(frame(diff(11 + step, pu=ids[step])) for step in range(3))]
    lines = [f"{(T0_MS + 100 * at) * 1_000_000} {json.dumps(message)}" for at, message in enumerate(messages)]
    source = played(written(tmp_path / "x", lines))
    raw = Dialect(source.spec).partial(source.snapshot(20, 0), first_id=11, prev_id=10)
    book = OrderBook.from_snapshot("BTCUSDT", decode_partial(raw, source.spec.market, 20, "BTCUSDT"))
    assert (str(book.coverage.low), str(book.coverage.high)) == ("95.00", "105.00")


def test_after_a_hole_nothing_is_proven_until_the_next_snapshot(tmp_path: Path) -> None:
    messages = [
        snapshot(10),
        frame(diff(11)),
        frame(diff(20)),
        frame(diff(21)),
        snapshot(25, levels=3),
        frame(diff(26)),
    ]
    lines = [f"{(T0_MS + 100 * at) * 1_000_000} {json.dumps(message)}" for at, message in enumerate(messages)]
    path = written(tmp_path / "x", lines)
    assert served(played(path, until_ms=350)).coverage.is_empty
    assert str(served(played(path)).coverage.low) == "97.00"


@pytest.mark.parametrize("jump_s", [3600, -3600])
def test_a_recorder_s_clock_that_jumps_does_not_stop_the_playback(tmp_path: Path, jump_s: int) -> None:
    def times(ms: int) -> str:
        return f"{(ms + (jump_s * 1000 if ms > T0_MS + 400 else 0)) * 1_000_000} "

    path = written(tmp_path / "x", simple(times))
    source = played(path, until_ms=4000)
    assert source.is_finished
    assert source.book.last_id == 19
    assert len(source.warnings) == 1
    said = "pauses of more than 2 s are shortened" if jump_s > 0 else "clock went backwards"
    assert said in source.warnings[0]
    if jump_s > 0:
        assert not played(path, until_ms=60_000, step_ms=100, keeps_pauses=True).is_finished


def test_a_raw_capture_of_cryptofeed(tmp_path: Path) -> None:
    folder = tmp_path / "capture"
    folder.mkdir()
    ws = [f"{T0_MS // 1000}.{ms:03}: {json.dumps(frame(diff(10 + ms, at_ms=ms)))}" for ms in range(1, 10)]
    written(folder / "BINANCE.ws.1", ["configuration: {'BINANCE': {}}", f"wss://x <- {T0_MS}: {{}}", *ws])
    address = "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000"
    info = f"https://api.binance.com/api/v3/exchangeInfo -> {T0_MS // 1000}.0: {json.dumps({'symbols': []})}"
    written(folder / "BINANCE.http.0", [info, f"{address} -> {T0_MS // 1000}.0005: {json.dumps(snapshot(10))}"])
    source = played(folder)
    assert source.book.last_id == 19
    assert str(served(source).coverage.low) == "95.00"
    assert [warning for warning in source.warnings if "skipped" in warning] == []


def test_daily_files_in_a_folder_follow_one_another(tmp_path: Path) -> None:
    lines = simple(FORMATS["nanoseconds"][0])
    (tmp_path / "btcusdt_20231114.gz").write_bytes(gzip.compress("\n".join(lines[:4]).encode()))
    (tmp_path / "btcusdt_20231115.gz").write_bytes(gzip.compress("\n".join(lines[4:]).encode()))
    assert played(tmp_path).book.last_id == 19


TARDIS = """exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount
{exchange},BTCUSDT,1700000000000000,1700000000001000,true,bid,99.5,2
{exchange},BTCUSDT,1700000000000000,1700000000001000,true,bid,99.0,1
{exchange},BTCUSDT,1700000000000000,1700000000001000,true,ask,100.5,3
{exchange},BTCUSDT,1700000000100000,1700000000101000,false,bid,99.5,0
{exchange},BTCUSDT,1700000000100000,1700000000101000,false,ask,100.0,1e-05
{exchange},BTCUSDT,1700000000200000,1700000000201000,false,bid,99.7,4
{exchange},BTCUSDT,1700000000300000,1700000000301000,false,bid,much,4
"""


@pytest.mark.parametrize(
    ("exchange", "market"),
    [("binance", Market.SPOT), ("binance-futures", Market.USDM), ("binance-delivery", Market.COINM)],
)
def test_tardis_rows_with_trades_beside_them(tmp_path: Path, exchange: str, market: Market) -> None:
    path = tmp_path / "binance_incremental_book_L2_2023-11-14_BTCUSDT.csv.gz"
    path.write_bytes(gzip.compress(TARDIS.format(exchange=exchange).encode()))
    trades = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
    trades += f"{exchange},BTCUSDT,1700000000150000,1700000000151000,77,sell,99.5,1e2\n"
    (tmp_path / "binance_trades_2023-11-14_BTCUSDT.csv.gz").write_bytes(gzip.compress(trades.encode()))
    heard: list[bytes] = []
    source = PlaybackSource(Replay(path), history=100)
    topic = Topic(market, "BTCUSDT", Kind.TRADE)
    for now_ms in range(0, 2000, 10):
        source.advance(now_ms, [topic], lambda _, message: heard.append(message.payload))
    assert source.spec.market is market
    assert source.book.bids == {"99.0": "1", "99.7": "4"}
    assert source.book.asks == {"100.5": "3", "100.0": "0.00001"}
    (trade,) = map(json.loads, heard)
    assert (trade["t"], trade["p"], trade["q"], trade["m"], trade["T"]) == (77, "99.5", "100", True, 1_700_000_000_150)
    assert any("line 8" in warning and "not a price: 'much'" in warning for warning in source.warnings)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "holds no recorded market data"),
        (b"\n\n\n", "holds no recorded market data"),
        (b"hello\nworld\n", "expected '<receive time> <JSON>'"),
        (bytes(range(256)) * 20, "holds no recorded market data"),
        (b"exchange,symbol,price\nbinance,BTCUSDT,1\n", "line 1: expected the columns exchange, symbol, timestamp"),
        (b'{"result":null,"id":1}\n', "holds no recorded market data"),
        (b"[1,2,3]\n", "holds no recorded market data"),
    ],
)
def test_what_is_no_recording_is_refused_in_a_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.ndjson"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"x\.ndjson") as error:
        replays_of(Replay(path))
    assert said in str(error.value)


def test_an_empty_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="a folder without a file"):
        replays_of(Replay(tmp_path))


def test_levels_and_events_of_another_shape_are_left_out_and_named(tmp_path: Path) -> None:
    bad = diff(12)
    bad["b"] = [["much", "1.0"], ["98.50", "1.0E+2"]]
    future = frame(diff(13, pu=12))
    messages = [snapshot(10), frame(diff(11)), frame(bad), future, frame(diff(13)), frame(diff(14))]
    lines = [f"{(T0_MS + 100 * at) * 1_000_000} {json.dumps(message)}" for at, message in enumerate(messages)]
    source = played(written(tmp_path / "x", lines))
    assert source.book.last_id == 14
    assert source.book.bids["98.50"] == "100"
    assert "much" not in source.book.bids
    assert any("not an event of Spot" in warning for warning in source.warnings)
