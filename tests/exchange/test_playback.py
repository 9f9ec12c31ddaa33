"""Playback: the recording's own chain and book, again and again without a hole."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from depthgui.binance.endpoints import Market
from depthgui.exchange import ManualClock, Replay
from depthgui.exchange.playback import PlaybackSource
from depthgui.exchange.source import Message
from depthgui.exchange.stream_names import Kind, Topic

RECORDINGS = [
    "spot_BTCUSDT_hft20240808_60s.ndjson.gz",
    "spot_NKNUSDT_cryptofeed.ndjson.gz",
    "usdm_BTCUSDT_hft20240808_60s.ndjson.gz",
    "usdm_CTKUSDT_cryptofeed.ndjson.gz",
    "usdm_SUSHIUSDT_cryptofeed.ndjson.gz",
    "coinm_BTCUSD_PERP_hft20240808_60s.ndjson.gz",
    "coinm_ETHUSD_210924_cryptofeed.ndjson.gz",
]
LONG_RECORDINGS = [
    "spot_BTCUSDT_hft20240808.ndjson.gz",
    "usdm_ETHUSDT_hft20240808.ndjson.gz",
    "coinm_BTCUSD_PERP_hft20240808.ndjson.gz",
]


class Listener:
    """Plays a source to its end, or for some time, and keeps what it publishes."""

    def __init__(self, source: PlaybackSource) -> None:
        spec = source.spec
        self.source = source
        self.now_ms = 1_700_000_000_000
        self.topics = [Topic(spec.market, spec.symbol, Kind.DIFF, 100)]
        self.topics += [Topic(spec.market, spec.symbol, kind) for kind in (Kind.TICKER, Kind.TRADE, Kind.AGG_TRADE)]
        self.events: list[tuple[Kind, bytes]] = []

    def publish(self, topic: Topic, message: Message) -> None:
        self.events.append((topic.kind, message.payload))

    def play(self, *, ms: int | None = None, rounds: int | None = None) -> list[tuple[Kind, bytes]]:
        """All that comes until the end, for `ms`, or until so many rounds are over."""
        until_ms = None if ms is None else self.now_ms + ms
        for _ in range(1_000_000):
            self.source.advance(self.now_ms, self.topics, self.publish)
            if self.source.is_finished or (rounds is not None and self.source.rounds >= rounds):
                break
            if until_ms is not None and self.now_ms >= until_ms:
                break
            self.now_ms += 50
        return self.events

    def of(self, kind: Kind) -> list[dict[str, Any]]:
        return [json.loads(payload) for one, payload in self.events if one is kind]


def recorded_messages(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path) as lines:
        return [json.loads(line.split(b" ", 1)[1]) for line in lines]


def put(sides: tuple[dict[str, str], dict[str, str]], diff: dict[str, Any]) -> None:
    for side, levels in zip(sides, (diff["b"], diff["a"]), strict=True):
        for price, size in levels:
            if float(size):
                side[price] = size
            else:
                side.pop(price, None)


def independent_replay(messages: list[dict[str, Any]]) -> tuple[dict[str, str], dict[str, str]]:
    """The book at the end, by the simplest rules: the snapshot, then every diff that ends after it."""
    snapshot = next(message for message in messages if "lastUpdateId" in message)
    sides = (dict(snapshot["bids"]), dict(snapshot["asks"]))
    for message in messages:
        data = message.get("data", {})
        if data.get("e") == "depthUpdate" and data["u"] > snapshot["lastUpdateId"]:
            put(sides, data)
    return sides


def whole(source: PlaybackSource) -> tuple[dict[str, str], dict[str, str]]:
    snapshot = source.snapshot(None, 0)
    return dict(snapshot.bids), dict(snapshot.asks)


def as_played(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = ("depth", "bookTicker", "trade", "aggTrade")
    return [one["data"] for one in messages if "stream" in one and one["stream"].split("@")[1] in wanted]


def check_chain(diffs: list[dict[str, Any]], *, is_spot: bool) -> None:
    for before, after in pairwise(diffs):
        assert (after["U"] == before["u"] + 1) if is_spot else (after["pu"] == before["u"])


@pytest.mark.parametrize("name", [*RECORDINGS, *(pytest.param(one, marks=pytest.mark.slow) for one in LONG_RECORDINGS)])
def test_everything_is_played_as_it_was_recorded(data_dir: Path, name: str) -> None:
    messages = recorded_messages(data_dir / name)
    listener = Listener(PlaybackSource(Replay(data_dir / name, speed=100), history=0))
    played = [json.loads(payload) for _, payload in listener.play()]
    assert played == as_played(messages)
    assert whole(listener.source) == independent_replay(messages)
    assert listener.source.warnings == []
    assert listener.source.spec.market.value == name.partition("_")[0]


def test_bytes_are_those_of_the_recording(data_dir: Path) -> None:
    path = data_dir / RECORDINGS[0]
    listener = Listener(PlaybackSource(Replay(path, speed=100), history=0))
    with gzip.open(path) as lines:
        content = lines.read()
    for _, payload in listener.play()[:500]:
        assert payload in content


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_market_is_told_by_the_content_not_the_name(data_dir: Path, tmp_path: Path, name: str) -> None:
    other = tmp_path / ("coinm_wrong.gz" if name.startswith("spot") else "spot_wrong.gz")
    other.write_bytes((data_dir / name).read_bytes())
    assert PlaybackSource(Replay(other), history=0).spec.market.value == name.partition("_")[0]


@pytest.mark.parametrize("name", RECORDINGS)
def test_loops_keep_chain_and_book(data_dir: Path, name: str) -> None:
    """Three rounds: no hole, tickers that rise and agree, and a client's book equal to the source's throughout."""
    source = PlaybackSource(Replay(data_dir / name, speed=100, loop=True), history=0)
    listener = Listener(source)
    is_spot = source.spec.market is Market.SPOT
    seed = source.snapshot(None, 0)
    mine = (dict(seed.bids), dict(seed.asks))
    tickers: dict[int, tuple[str, ...]] = {}
    highest, equal, seen = 0, 0, 0
    for rounds in (1, 2, 3):
        listener.play(rounds=rounds)
        for kind, payload in listener.events[seen:]:
            event = json.loads(payload)
            if kind is Kind.TICKER:
                assert event["u"] > highest
                highest = event["u"]
                tickers[highest] = (event["b"], event["B"], event["a"], event["A"])
            elif kind is Kind.DIFF and event["u"] > seed.last_update_id:
                put(mine, event)
                if event["u"] in tickers:
                    bid, ask = max(mine[0], key=float), min(mine[1], key=float)
                    assert tickers[event["u"]] == (bid, mine[0][bid], ask, mine[1][ask])
                    equal += 1
        seen = len(listener.events)
        assert mine == whole(source)
        assert mine == (dict(seed.bids), dict(seed.asks))  # the bridge has just led back to the seed
    diffs = listener.of(Kind.DIFF)
    check_chain(diffs, is_spot=is_spot)
    assert all(after["E"] >= before["E"] for before, after in pairwise(diffs))
    trades = listener.of(Kind.TRADE)
    assert len({trade["t"] for trade in trades}) == len(trades)
    assert equal > 0 or source.spec.market is not Market.SPOT


def test_a_hole_in_the_recording_is_played_as_it_is(data_dir: Path) -> None:
    name = "spot_BTCUSDT_hft20240808_60s_gap100.ndjson.gz"
    listener = Listener(PlaybackSource(Replay(data_dir / name, speed=100), history=0))
    listener.play()
    diffs = listener.of(Kind.DIFF)
    holes = [after["U"] for before, after in pairwise(diffs) if after["U"] != before["u"] + 1]
    assert len(holes) == 1


# --- recordings made here, so that these always run ---------------------------------------------------------------

Make = Callable[..., Path]


@pytest.mark.parametrize(
    ("market", "symbol"),
    [(Market.SPOT, "BTCUSDT"), (Market.USDM, "ETHUSDT"), (Market.COINM, "BTCUSD_PERP"),
     (Market.OPTIONS, "BTC-261225-80000-P")],
)  # fmt: skip
def test_a_capture_of_the_synthetic_market(make_recording: Make, market: Market, symbol: str) -> None:
    path = make_recording(market, symbol, seconds=6)
    messages = recorded_messages(path)
    source = PlaybackSource(Replay(path, speed=100, loop=True), history=50_000)
    listener = Listener(source)
    assert (source.spec.market, source.spec.symbol) == (market, symbol)
    assert [json.loads(payload) for _, payload in listener.play(rounds=1)][: len(messages) - 1] == as_played(messages)
    listener.play(rounds=4)
    diffs = listener.of(Kind.DIFF)
    check_chain(diffs, is_spot=market is Market.SPOT)
    seed = next(message for message in messages if "lastUpdateId" in message)
    mine = (dict(seed["bids"]), dict(seed["asks"]))
    for diff in diffs:
        if diff["u"] > seed["lastUpdateId"]:
            put(mine, diff)
            assert max(map(float, mine[0])) < min(map(float, mine[1]))
    assert mine == whole(source)
    middle = diffs[len(diffs) // 2]["u"]
    assert source.book_at(middle).last_update_id == middle


def test_speed_and_hold(make_recording: Make) -> None:
    source = PlaybackSource(Replay(make_recording(seconds=10), speed=10, hold=True), history=0)
    listener = Listener(source)
    source.advance(listener.now_ms, [], listener.publish)
    assert not source.runs_unheard
    assert source.snapshot(5, 0).last_update_id == source.book.last_id
    listener.now_ms += 60_000
    source.advance(listener.now_ms, listener.topics, listener.publish)
    assert source.runs_unheard
    start_ms = listener.now_ms
    listener.play()
    assert source.is_finished
    assert 900 <= listener.now_ms - start_ms <= 1100
    assert source.snapshot(5, 0).bids  # the last book stays


def test_the_snapshot_is_the_recorded_one_until_the_stream_has_passed_it(make_recording: Make) -> None:
    path = make_recording(seconds=6, snapshot_after_s=3)
    recorded = next(message for message in recorded_messages(path) if "lastUpdateId" in message)
    source = PlaybackSource(Replay(path), history=0)
    listener = Listener(source)
    listener.play(ms=1500)
    assert listener.of(Kind.DIFF)[-1]["u"] < recorded["lastUpdateId"]
    assert source.snapshot(1000, 0).last_update_id == recorded["lastUpdateId"]
    listener.play(ms=3500)
    assert source.snapshot(1000, 0).last_update_id == listener.of(Kind.DIFF)[-1]["u"]


def test_present_times(make_recording: Make) -> None:
    listener = Listener(PlaybackSource(Replay(make_recording(Market.USDM, "BTCUSDT"), now=True), history=0))
    listener.play(ms=2000)
    diff = listener.of(Kind.DIFF)[-1]
    assert abs(diff["E"] - listener.now_ms) <= 100
    assert diff["E"] - diff["T"] == 6


@pytest.mark.expected_logs("damage|cut off")
def test_a_capture_that_is_cut_off_is_played_to_the_cut(make_recording: Make, tmp_path: Path) -> None:
    content = make_recording(seconds=20).read_bytes()
    cut = tmp_path / "cut.ndjson.gz"
    cut.write_bytes(content[: len(content) * 2 // 3])
    listener = Listener(PlaybackSource(Replay(cut, speed=100), history=0))
    listener.play()
    diffs = listener.of(Kind.DIFF)
    assert len(diffs) > 50
    check_chain(diffs, is_spot=True)
    assert "cut off" in listener.source.warnings[0]
    assert "line " in listener.source.warnings[0]


@pytest.mark.expected_logs("skipped")
def test_a_bad_line_costs_that_line(make_recording: Make, tmp_path: Path) -> None:
    raw = gzip.decompress(make_recording(seconds=6).read_bytes()).splitlines(keepends=True)
    at = next(number for number, line in enumerate(raw) if b"depthUpdate" in line and number > len(raw) // 2)
    raw[at] = raw[at].replace(b'"u":', b'"u":"what",', 1)
    bad = tmp_path / "bad.ndjson"
    bad.write_bytes(b"".join(raw))
    listener = Listener(PlaybackSource(Replay(bad, speed=100), history=0))
    listener.play()
    assert listener.source.warnings[0].startswith(f"bad.ndjson, line {at + 1}: skipped")
    assert len(listener.of(Kind.DIFF)) == sum(b"depthUpdate" in line for line in raw) - 1


def test_no_snapshot_is_named_and_the_book_begins_empty(make_recording: Make, tmp_path: Path, expected_logs) -> None:
    expected_logs.allow("no snapshot")
    raw = gzip.decompress(make_recording(seconds=2).read_bytes()).splitlines(keepends=True)
    path = tmp_path / "diffs.ndjson"
    path.write_bytes(b"".join(line for line in raw if b"lastUpdateId" not in line))
    source = PlaybackSource(Replay(path, speed=100), history=0)
    assert "no snapshot" in source.warnings[0]
    Listener(source).play()
    assert source.snapshot(10, 0).bids


def test_a_speed_that_makes_no_sense(make_recording: Make) -> None:
    with pytest.raises(ValueError, match="speed"):
        PlaybackSource(Replay(make_recording(), speed=0), history=0)


# --- through the sockets ------------------------------------------------------------------------------------------


async def test_a_replayed_symbol_takes_the_place_of_the_synthetic_one(talking, make_recording: Make, make_book) -> None:
    path = make_recording(Market.COINM, "BTCUSD_PERP", seconds=8)
    recorded = [one["data"] for one in recorded_messages(path) if one.get("stream", "").endswith("@depth@100ms")]
    replay = Replay(path, hold=True)
    clock = ManualClock()
    stream_path = "/coinm/stream?streams=btcusd_perp@depth/btcusd_perp@depth20@100ms"
    async with talking(replays=[replay], clock=clock) as client, client.stream(stream_path) as stream:
        await stream.drain()
        client.exchange.step(1000)
        early = await stream.drain()
        book = make_book(await client.json("/coinm/dapi/v1/depth", symbol="BTCUSD_PERP", limit=1000), is_spot=False)
        client.exchange.step(9000)
        events = early + await stream.drain()
        diffs = [one["data"] for one in events if one["stream"] == "btcusd_perp@depth"]
        assert diffs == recorded  # whatever speed was asked for, and from the first event on
        partial = [one["data"] for one in events if one["stream"] != "btcusd_perp@depth"][-1]
        assert len(partial["b"]) == 20
        joined = False
        for diff in diffs:
            if joined:
                book.apply(diff)
            else:
                joined = book.join(diff)
        truth = client.exchange.book("coinm", "BTCUSD_PERP")
        assert (book.bids, book.asks) == (dict(truth.bids), dict(truth.asks))
        state = (await client.json("/control/state"))["playbacks"][0]
        assert (state["finished"], state["symbol"], state["problems"]) == (True, "BTCUSD_PERP", 0)


async def test_a_symbol_only_a_recording_knows_is_listed(talking, data_dir: Path) -> None:
    replays = [data_dir / "spot_NKNUSDT_cryptofeed.ndjson.gz", data_dir / "coinm_ETHUSD_210924_cryptofeed.ndjson.gz"]
    async with talking(replays=replays) as client:
        spot = await client.json("/spot/api/v3/exchangeInfo", symbol="NKNUSDT")
        assert spot["symbols"][0]["filters"][0]["tickSize"] == "0.00010000"
        coinm = (await client.json("/coinm/dapi/v1/exchangeInfo"))["symbols"][-1]
        assert (coinm["symbol"], coinm["contractType"], coinm["pair"]) == ("ETHUSD_210924", "CURRENT_QUARTER", "ETHUSD")
        assert (await client.json("/spot/api/v3/depth", symbol="NKNUSDT"))["bids"]
        assert (await client.json("/spot/api/v3/depth", symbol="BTCUSDT"))["bids"]


def test_two_recordings_of_one_symbol_are_an_error(make_recording: Make) -> None:
    from depthgui.exchange import Exchange

    path = make_recording()
    with pytest.raises(ValueError, match="spot:BTCUSDT"):
        Exchange(replays=[path, path])
