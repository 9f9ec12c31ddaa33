"""What the engine watches: silence of a stream and of a socket, frames it cannot read, its own lag, the clocks."""

from __future__ import annotations

import asyncio
import json

import pytest
from feed.model_venue import ModelRest, ModelVenue, Watch
from feed.virtual_loop import VirtualLoop
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.book.errors import ConnectFailedError
from depthgui.book.sync import SyncLimits
from depthgui.depthcache.feed import FeedOptions, FeedState
from depthgui.depthcache.hub import Hub
from depthgui.depthcache.venue_rest import VenueRest

BTC = SymbolRef(Market.SPOT, "BTCUSDT")
DEPTH = "btcusdt@depth@100ms"


# The rate of a symbol takes minutes to be known well; a test need not wait for that.
IMPATIENT = FeedOptions(sync=SyncLimits(silent_max_s=5.0))


async def watched(
    venue: ModelVenue,
    hub: Hub,
    market: Market = Market.SPOT,
    symbol: str = "BTCUSDT",
    *,
    options: FeedOptions | None = IMPATIENT,
) -> Watch:
    watch = Watch(hub.feed(SymbolRef(market, symbol), options), venue.add(market, symbol))
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE)
    await asyncio.sleep(2)
    return watch


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_a_silent_stream_on_a_socket_that_lives_is_subscribed_anew(
    venue: ModelVenue, hub: Hub, market: Market
) -> None:
    watch = await watched(venue, hub, market)
    other = await watched(venue, hub, market, "ETHUSDT")
    (stream,) = venue.streams
    stream.muted.add(DEPTH)
    sent = len(stream.sent)
    told: list[str] = []
    watch.feed.listen(lambda feed: told.append(feed.status.detail.partition(" (")[0]))
    took_s = await until(lambda: watch.feed.state is FeedState.STALE, 15)
    assert took_s < 3
    assert "No data; waiting for the stream to be subscribed anew" in told
    assert any("was acknowledged but brings no data" in detail for detail in told)
    await until(lambda: watch.feed.state is FeedState.LIVE, 15)
    assert [(one.method, one.names) for one in stream.sent[sent:]] == [
        ("UNSUBSCRIBE", (DEPTH,)),
        ("SUBSCRIBE", (DEPTH,)),
    ]
    await asyncio.sleep(5)
    assert len(venue.streams) == 1
    assert other.states == ["connecting", "live"]
    assert watch.wrong == other.wrong == []
    assert watch.ids[-1] >= watch.model.last_id - 8


async def test_a_silent_socket_is_replaced(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub)
    (stream,) = venue.streams
    stream.is_stalled = True  # half-open: nothing arrives, nothing says so
    took_s = await until(lambda: watch.feed.state is FeedState.RECONNECTING, 20)
    assert took_s < 12
    assert "no data for" in watch.feed.status.detail
    await until(lambda: watch.feed.state is FeedState.LIVE, 10)
    assert stream.is_closed
    await asyncio.sleep(5)
    assert watch.wrong == []


@pytest.mark.parametrize("every_s", [0.1, 0.25, 1.0])
async def test_silence_is_noticed_in_proportion_to_the_symbol_s_own_pace(
    venue: ModelVenue, hub: Hub, every_s: float
) -> None:
    watch = await watched(venue, hub, options=None)
    venue.move(watch.model, every_s)
    await asyncio.sleep(120)
    venue.streams[0].is_stalled = True
    took_s = await until(lambda: watch.feed.state is not FeedState.LIVE, 70)
    assert took_s < max(3.0, 20 * every_s) * 1.5


async def test_a_quiet_symbol_is_not_taken_for_a_dead_one(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub, options=None)
    venue.move(watch.model, None)
    await until(lambda: watch.feed.state is FeedState.STALE, 20)
    await until(lambda: watch.feed.state is FeedState.LIVE, 5)
    before, states = len(venue.rest.snapshots()), len(watch.states)
    await asyncio.sleep(600)
    assert watch.feed.state is FeedState.LIVE
    assert len(watch.states) == states  # what was proved once is proved again in the background
    again = venue.rest.snapshots()[before:]
    assert 10 <= len(again) <= 15  # once a minute in the end
    assert {asked.weight for asked in again} == {5}
    assert len(venue.streams) == 1
    assert len(venue.streams[0].sent) == 1
    venue.move(watch.model, 0.1)
    await asyncio.sleep(5)
    assert watch.wrong == []
    assert watch.ids[-1] >= watch.model.last_id - 8


async def test_a_quiet_symbol_whose_snapshot_cannot_be_had_is_asked_about_again(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub)
    venue.move(watch.model, None)
    venue.rest.refuse = lambda asked: ConnectFailedError("http://model", "down") if asked.path == "depth" else None
    await until(lambda: watch.feed.state is not FeedState.LIVE, 20)
    await asyncio.sleep(60)
    assert watch.feed.state is not FeedState.LIVE
    venue.rest.refuse = lambda _: None
    await until(lambda: watch.feed.state is FeedState.LIVE, 60)
    assert watch.wrong == []


@pytest.mark.expected_logs("not a price")
async def test_a_malformed_snapshot_while_stale(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub)
    venue.move(watch.model, None)
    bad = ModelRest.answer(200, {"lastUpdateId": watch.model.last_id, "bids": [["much", "1.0"]], "asks": []})
    answers = iter([bad])
    venue.rest.refuse = lambda asked: next(answers, None) if asked.path == "depth" else None
    await until(lambda: watch.feed.state is FeedState.STALE, 20)
    await until(lambda: watch.feed.state is FeedState.LIVE, 20)
    await asyncio.sleep(5)
    assert watch.feed.counters.malformed == 1
    assert watch.wrong == []


@pytest.mark.expected_logs("further ones are only counted")
@pytest.mark.parametrize(
    "frame",
    [b"", b"{", b"null", b"[]", b"\xff\xfe\x00", b'{"stream": 7, "data": {}}', b"upstream connect error", b"{" * 5000],
)
async def test_a_frame_that_is_no_frame_is_counted_and_told_once(
    venue: ModelVenue, hub: Hub, frame: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    watch = await watched(venue, hub)
    for _ in range(5):
        venue.streams[0].say(frame)
    await asyncio.sleep(5)
    assert hub.malformed == 5
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1
    assert watch.states == ["connecting", "live"]
    assert watch.wrong == []
    assert len(venue.streams) == 1


@pytest.mark.expected_logs("further ones are only counted")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda event: {key: value for key, value in event.items() if key != "u"},
        lambda event: event | {"b": "none"},
        lambda event: event | {"b": [["not a price", "1.0"]]},
        lambda event: event | {"a": [["100.05", "much"]]},
        lambda event: event | {"a": [["100.05", "-1"]]},
        lambda event: event | {"a": [["100.05", "NaN"]]},
        lambda event: event | {"a": [["1e9999", "1.0"]]},
        lambda event: event | {"u": str(event["u"])},
        lambda event: [event],
        lambda _: None,
    ],
)
async def test_a_malformed_diff_resyncs_and_is_counted_and_told_once(
    venue: ModelVenue, hub: Hub, spoil, caplog: pytest.LogCaptureFixture
) -> None:
    watch = await watched(venue, hub)
    for _ in range(3):
        event = watch.model.change(asyncio.get_running_loop().time(), venue.now_ms())
        venue.streams[0].say(json.dumps({"stream": DEPTH, "data": spoil(event)}).encode())
        await until(lambda: watch.feed.state is not FeedState.LIVE, 1)
        await until(lambda: watch.feed.state is FeedState.LIVE, 5)
        await asyncio.sleep(1)
    assert watch.feed.counters.malformed == 3
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1
    assert watch.wrong == []
    assert watch.feed.counters.resyncs == 3
    assert len(venue.streams) == 1


@pytest.mark.expected_logs("further ones are only counted")
async def test_a_malformed_diff_is_not_sat_out_until_the_next_one_comes(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub)
    venue.move(watch.model, None)
    await asyncio.sleep(0.5)
    watch.model.change(0.0, venue.now_ms())
    venue.streams[0].say({"stream": DEPTH, "data": {}})
    await until(lambda: watch.feed.state is FeedState.STALE, 0.1)
    await until(lambda: watch.feed.state is FeedState.LIVE, 3)
    assert watch.feed.book.last_update_id == watch.model.last_id
    assert watch.wrong == []


@pytest.mark.expected_logs("BTCUSDT: malformed message")
@pytest.mark.parametrize("name", ["btcusdt@bookTicker", "btcusdt@trade"])
async def test_a_malformed_ticker_or_trade_leaves_the_book_alone(venue: ModelVenue, hub: Hub, name: str) -> None:
    watch = await watched(venue, hub)
    for data in ({}, [], {"u": "x"}, {"t": "x", "p": "1", "q": "1", "T": 1}):
        venue.streams[0].say({"stream": name, "data": data})
    await asyncio.sleep(2)
    assert watch.feed.counters.malformed == 4
    assert watch.states == ["connecting", "live"]


async def test_prints_off_the_market_are_no_trades(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub, Market.USDM)
    for number, kind in enumerate(("MARKET", "INSURANCE_FUND", "MARKET"), 1):
        trade = {"t": number, "p": "100.00", "q": "1.000", "T": 1, "m": True, "X": kind}
        venue.publish("btcusdt@trade", trade, Market.USDM)
    await asyncio.sleep(1)
    assert [trade.trade_id for trade in watch.feed.trades] == [1, 3]
    assert watch.feed.last_trade.trade_id == 3
    assert watch.feed.trade_version == 2


async def test_a_venue_that_counts_its_trades_anew(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub)
    for number in (500, 1):
        trade = {"t": number, "p": "100.00", "q": "1.000", "T": 1, "m": True}
        venue.publish("btcusdt@trade", trade, Market.SPOT)
        await asyncio.sleep(1)
        venue.streams[-1].cut("restart")
        await until(lambda: watch.feed.state is FeedState.RECONNECTING)
        await until(lambda: watch.feed.state is FeedState.LIVE)
    assert [trade.trade_id for trade in watch.feed.trades] == [500, 1]


async def test_the_loop_measures_its_own_lag(venue: ModelVenue, hub: Hub, loop: VirtualLoop) -> None:
    await watched(venue, hub)
    assert hub.loop_lag.lag_ms < 5
    await asyncio.sleep(0.01)
    loop.hang(0.8)
    await asyncio.sleep(1.0)
    assert 250 < hub.loop_lag.lag_ms < 900
    await asyncio.sleep(20)
    assert hub.loop_lag.lag_ms < 5


async def test_a_loop_that_was_busy_does_not_take_the_venue_for_dead(
    venue: ModelVenue, hub: Hub, loop: VirtualLoop
) -> None:
    watch = await watched(venue, hub)
    loop.hang(30.0)  # the machine slept: everything is late, nothing is lost
    await asyncio.sleep(10)
    assert watch.feed.state is FeedState.LIVE
    assert watch.wrong == []


@pytest.mark.parametrize("ahead_ms", [2000.0, -1500.0, 0.0])
async def test_the_clock_offset_is_measured_and_the_lag_corrected(venue: ModelVenue, hub: Hub, ahead_ms: float) -> None:
    venue.clock_ahead_ms = ahead_ms
    now_ms = venue.now_ms
    venue.now_ms = lambda: now_ms() + int(ahead_ms)  # type: ignore[method-assign]
    venue.clock_ahead_ms = 0.0
    venue.frame_delay_s = 0.04
    watch = await watched(venue, hub)
    await asyncio.sleep(20)
    assert hub.clock_offset_ms(Market.SPOT) == pytest.approx(ahead_ms, abs=60)
    assert watch.feed.counters.lag_ms == pytest.approx(40, abs=60)
    assert hub.clock_offset_ms(Market.COINM) == 0.0
    asked = len([one for one in venue.rest.asked if one.path == "time"])
    assert asked == 3


async def test_the_clock_is_measured_again_once_the_start_is_over(venue: ModelVenue, hub: Hub) -> None:
    usual_s, venue.rest.delay_s = venue.rest.delay_s, 0.8  # the answers wait for a program that is busy
    watch = await watched(venue, hub)
    await asyncio.sleep(5)
    assert hub.clock_offset_ms(Market.SPOT) < -300
    venue.rest.delay_s = usual_s
    await asyncio.sleep(60)
    assert hub.clock_offset_ms(Market.SPOT) == pytest.approx(0, abs=60)
    assert watch.feed.counters.lag_ms == pytest.approx(5, abs=60)
    await asyncio.sleep(600)
    assert len([one for one in venue.rest.asked if one.path == "time"]) == 6


async def test_the_clock_is_not_asked_for_again_while_an_answer_is_awaited(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Market] = []

    async def wait(_: VenueRest, market: Market) -> int:  # as behind a pause of all requests
        asked.append(market)
        await asyncio.sleep(500)
        return venue.now_ms()

    monkeypatch.setattr(VenueRest, "server_time_ms", wait)
    await watched(venue, hub)
    await asyncio.sleep(200)
    assert asked == [Market.SPOT]


async def test_an_unknown_clock_is_asked_for_again_before_long(venue: ModelVenue, hub: Hub) -> None:
    offline = [ConnectFailedError("http://model", "down")]
    venue.rest.refuse = lambda asked: offline.pop() if asked.path == "time" and offline else None
    venue.clock_ahead_ms = 5000.0
    await watched(venue, hub)
    assert hub.clock_offset_ms(Market.SPOT) == 0.0
    await until(lambda: hub.clock_offset_ms(Market.SPOT) > 4000, 90)


async def test_rates_and_lags_are_counted(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub)
    await asyncio.sleep(20)
    counters = watch.feed.counters
    assert counters.updates_per_s == pytest.approx(10, abs=1)
    assert counters.diffs == pytest.approx(220, abs=15)
    assert counters.messages > counters.diffs * 1.9  # a ticker for each
    assert 0 <= asyncio.get_running_loop().time() - counters.last_data_s < 0.2


async def test_a_feed_that_was_never_started_and_one_stopped_twice(venue: ModelVenue, hub: Hub) -> None:
    idle = hub.feed(BTC)
    await idle.stop()
    watch = await watched(venue, hub)
    watch.feed.start()  # it is running: nothing happens
    await watch.feed.stop()
    await watch.feed.stop()
    await asyncio.sleep(10)
    assert idle.state is watch.feed.state is FeedState.STOPPED
    assert len(venue.streams) == 1


async def test_after_a_stop_nothing_is_told_to_listeners(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub)
    venue.rest.delay_s = 2.0
    watch.feed.resync()
    await watch.feed.stop()
    states = list(watch.states)
    await asyncio.sleep(20)
    assert watch.states == states
    assert states[-1] == "stopped"
