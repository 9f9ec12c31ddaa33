"""Subscriptions: what is asked of the venue, how often, and what happens when tabs come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from feed.conftest import MakeHub
from feed.model_venue import ModelStream, ModelVenue, Sent, Watch
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.binance.limits import MARKET_LIMITS
from depthgui.depthcache.connection import ConnectionPhase
from depthgui.depthcache.feed import Feed, FeedOptions, FeedState
from depthgui.depthcache.hub import Hub


def spot(symbol: str) -> SymbolRef:
    return SymbolRef(Market.SPOT, symbol)


def most_within(sent: Sequence[Sent], period_s: float) -> int:
    return max(sum(one.at_s <= other.at_s < one.at_s + period_s for other in sent) for one in sent)


def are_live(feeds: Sequence[Feed]) -> bool:
    return all(feed.state is FeedState.LIVE for feed in feeds)


async def test_one_request_asks_for_all_streams_of_a_feed(venue: ModelVenue, hub: Hub) -> None:
    venue.add(Market.SPOT, "BTCUSDT")
    feed = hub.feed(spot("BTCUSDT"))
    feed.start()
    await until(lambda: feed.state is FeedState.LIVE)
    (stream,) = venue.streams
    assert stream.url == "ws://model/spot/stream"
    (request,) = stream.sent
    assert request.method == "SUBSCRIBE"
    assert request.names == ("btcusdt@depth@100ms", "btcusdt@bookTicker", "btcusdt@trade")
    (status,) = hub.connections.values()
    assert status.phase is ConnectionPhase.OPEN
    assert status.streams == 3
    assert status.symbols == (spot("BTCUSDT"),)


async def test_data_may_overtake_the_acknowledgement(venue: ModelVenue, hub: Hub) -> None:
    venue.ack_delay_s = 5.0
    watch = Watch(hub.feed(spot("BTCUSDT")), venue.add(Market.SPOT, "BTCUSDT"))
    watch.feed.start()
    assert await until(lambda: watch.feed.state is FeedState.LIVE) < 1
    await asyncio.sleep(10)
    assert watch.wrong == []
    assert watch.states == ["connecting", "live"]


async def test_a_quiet_symbol_goes_live_without_a_diff(venue: ModelVenue, hub: Hub) -> None:
    model = venue.add(Market.SPOT, "BTCUSDT", every_s=None)
    watch = Watch(hub.feed(spot("BTCUSDT")), model)
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE, 8)
    assert watch.feed.book is not None
    await asyncio.sleep(1)
    venue.change(model)
    await until(lambda: watch.ids[-1] == model.last_id, 1)
    assert watch.feed.counters.gaps == 0
    assert watch.wrong == []


@pytest.mark.parametrize("market", list(Market))
async def test_200_symbols_at_once_stay_below_the_message_rate(
    venue: ModelVenue, make_hub: MakeHub, market: Market
) -> None:
    hub = make_hub()
    venue.most_streams = MARKET_LIMITS[market].streams_per_socket
    names = [f"S{number:03}USDT" for number in range(200)]
    for name in names:
        venue.add(market, name, every_s=1.0)
    feeds = [hub.feed(SymbolRef(market, name)) for name in names]
    for feed in feeds:
        feed.start()
    await until(lambda: sum(len(stream.names) for stream in venue.streams) == 600, 60)
    allowed = MARKET_LIMITS[market].control_messages_per_second
    for stream in venue.streams:
        # A pong and a ping of websockets' own may fall into the same second, and the network may bunch messages up.
        assert most_within(stream.sent, 1.2) <= allowed - 2
    assert len(venue.streams) == (1 if market is Market.SPOT else 3)
    assert len(hub.connections) == len(venue.streams)
    for feed in feeds:
        await feed.stop()
    await until(lambda: not venue.open_streams, 60)
    for stream in venue.streams:
        assert most_within(stream.sent, 1.2) <= allowed - 2


async def test_more_streams_than_a_socket_takes_open_a_second_connection(venue: ModelVenue, make_hub: MakeHub) -> None:
    hub = make_hub()
    venue.most_streams = 200
    names = [f"S{number:02}USDT" for number in range(70)]
    models = [venue.add(Market.USDM, name) for name in names]
    watches = [Watch(hub.feed(SymbolRef(Market.USDM, name)), model) for name, model in zip(names, models, strict=True)]
    for watch in watches:
        watch.feed.start()
    await until(lambda: are_live([watch.feed for watch in watches]), 60)
    assert [status.label for status in hub.connections.values()] == ["http://model USD-M", "http://model USD-M (2)"]
    assert sum(status.streams for status in hub.connections.values()) == 210
    assert not any(watch.wrong for watch in watches)


async def test_a_feed_split_over_two_connections_keeps_its_trades_after_one_reconnects(
    venue: ModelVenue, make_hub: MakeHub
) -> None:
    hub = make_hub()
    names = [f"S{number:02}USDT" for number in range(70)]
    for name in names:
        venue.add(Market.USDM, name)
    feeds = [hub.feed(SymbolRef(Market.USDM, name)) for name in names]
    for feed in feeds:
        feed.start()
    await until(lambda: are_live(feeds), 60)
    first, second = venue.streams
    split = [feed for feed in feeds if f"{feed.symbol.lower()}@trade" in second.names
             and f"{feed.symbol.lower()}@depth@100ms" in first.names]  # fmt: skip
    assert split  # else this test shows nothing
    first.cut()
    await until(lambda: len(venue.streams) == 3 and are_live(feeds), 60)
    for feed in split:
        trade = {"t": 1, "p": "100.00", "q": "1.000", "T": 1, "m": True}
        venue.publish(f"{feed.symbol.lower()}@trade", trade, Market.USDM)
    await until(lambda: all(len(feed.trades) == 1 for feed in split), 1)


async def test_stopping_one_feed_unsubscribes_it_while_others_go_on(venue: ModelVenue, hub: Hub) -> None:
    stay = Watch(hub.feed(spot("BTCUSDT")), venue.add(Market.SPOT, "BTCUSDT"))
    leave = Watch(hub.feed(spot("ETHUSDT")), venue.add(Market.SPOT, "ETHUSDT"))
    for watch in (stay, leave):
        watch.feed.start()
    await until(lambda: are_live([stay.feed, leave.feed]))
    await leave.feed.stop()
    await asyncio.sleep(1)
    (stream,) = venue.streams
    assert stream.sent[-1].method == "UNSUBSCRIBE"
    assert {name.partition("@")[0] for name in stream.names} == {"btcusdt"}
    before = stay.checked
    await asyncio.sleep(5)
    assert stay.checked > before + 40
    assert stay.states == ["connecting", "live"]
    (status,) = hub.connections.values()
    assert status.symbols == (spot("BTCUSDT"),)
    leave.feed.start()
    await until(lambda: leave.feed.state is FeedState.LIVE)
    assert stay.wrong == leave.wrong == []
    assert len(venue.streams) == 1


@pytest.mark.parametrize("pause_s", [0.0, 0.001, 0.3, 4.0])
@pytest.mark.parametrize("is_quiet", [False, True])
async def test_a_feed_stopped_and_started_again_becomes_live(
    venue: ModelVenue, hub: Hub, *, pause_s: float, is_quiet: bool
) -> None:
    other = hub.feed(spot("ETHUSDT"))
    venue.add(Market.SPOT, "ETHUSDT")
    model = venue.add(Market.SPOT, "BTCUSDT", every_s=None if is_quiet else 0.1)
    watch = Watch(hub.feed(spot("BTCUSDT")), model)
    other.start()
    for _ in range(3):
        watch.feed.start()
        assert await until(lambda: watch.feed.state is FeedState.LIVE, 10) < 5
        await watch.feed.stop()
        if pause_s:
            await asyncio.sleep(pause_s)
    assert watch.wrong == []
    assert other.state is FeedState.LIVE


@pytest.mark.parametrize("is_quiet", [False, True])
async def test_a_feed_started_again_before_the_socket_learns_of_the_stop(
    venue: ModelVenue, hub: Hub, *, is_quiet: bool
) -> None:
    model = venue.add(Market.SPOT, "BTCUSDT", every_s=None if is_quiet else 0.1)
    watch = Watch(hub.feed(spot("BTCUSDT")), model)
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE)
    stopping = asyncio.ensure_future(watch.feed.stop())
    await asyncio.sleep(0)
    assert watch.feed.state is FeedState.STOPPED
    watch.feed.start()
    await stopping
    assert await until(lambda: watch.feed.state is FeedState.LIVE, 10) < 5
    assert watch.wrong == []


async def test_late_frames_after_a_stop_reach_nobody(venue: ModelVenue, hub: Hub) -> None:
    venue.frame_delay_s = 2.0
    model = venue.add(Market.SPOT, "BTCUSDT")
    feed = hub.feed(spot("BTCUSDT"))
    feed.start()
    await until(lambda: feed.state is FeedState.LIVE)
    await feed.stop()
    assert feed.book is not None
    version, messages = feed.book.version, feed.counters.messages
    await asyncio.sleep(1.5)
    (stream,) = venue.streams
    stream.say({"stream": "btcusdt@depth@100ms", "data": model.change(0.0, 0)})
    await asyncio.sleep(0.1)
    assert (feed.book.version, feed.counters.messages, feed.state) == (version, messages, FeedState.STOPPED)


async def test_an_idle_socket_is_closed_and_opened_again_when_wanted(venue: ModelVenue, hub: Hub) -> None:
    venue.add(Market.SPOT, "BTCUSDT")
    feed = hub.feed(spot("BTCUSDT"))
    feed.start()
    await until(lambda: feed.state is FeedState.LIVE)
    await feed.stop()
    took_s = await until(lambda: not venue.open_streams)
    assert 3 < took_s < 10
    (status,) = hub.connections.values()
    assert status.phase is ConnectionPhase.CLOSED
    assert status.symbols == ()
    feed.start()
    assert await until(lambda: feed.state is FeedState.LIVE) < 2
    assert len(venue.streams) == 2


async def test_a_new_feed_need_not_wait_for_the_idle_time(venue: ModelVenue, hub: Hub) -> None:
    venue.add(Market.SPOT, "BTCUSDT")
    venue.add(Market.SPOT, "ETHUSDT")
    first, second = hub.feed(spot("BTCUSDT")), hub.feed(spot("ETHUSDT"))
    first.start()
    await until(lambda: first.state is FeedState.LIVE)
    await first.stop()
    await asyncio.sleep(1)
    second.start()
    assert await until(lambda: second.state is FeedState.LIVE) < 1.5
    assert len(venue.streams) == 1


async def test_a_feed_started_while_the_idle_socket_closes_is_served(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = ModelStream.close

    async def slow_close(self: ModelStream) -> None:
        await asyncio.sleep(0.5)
        await close(self)

    monkeypatch.setattr(ModelStream, "close", slow_close)
    venue.add(Market.SPOT, "BTCUSDT")
    feed = hub.feed(spot("BTCUSDT"))
    feed.start()
    await until(lambda: feed.state is FeedState.LIVE)
    for moment_s in (4.9, 5.0, 5.1, 5.2, 5.3, 5.4, 5.5, 5.6):
        await feed.stop()
        await asyncio.sleep(moment_s)
        feed.start()
        assert await until(lambda: feed.state is FeedState.LIVE, 5) < 3


async def test_two_feeds_of_one_symbol_are_both_served(venue: ModelVenue, hub: Hub) -> None:
    model = venue.add(Market.SPOT, "BTCUSDT")
    first, second = Watch(hub.feed(spot("BTCUSDT")), model), Watch(hub.feed(spot("BTCUSDT")), model)
    first.feed.start()
    await until(lambda: first.feed.state is FeedState.LIVE)
    second.feed.start()
    await until(lambda: second.feed.state is FeedState.LIVE)
    await asyncio.sleep(2)
    assert first.ids[-1] == second.ids[-1] == model.last_id
    await first.feed.stop()
    count = second.checked
    await asyncio.sleep(5)
    assert second.checked > count + 40
    assert second.feed.state is FeedState.LIVE
    await second.feed.stop()
    await until(lambda: not venue.open_streams)
    assert first.wrong == second.wrong == []


async def test_a_feed_stopped_from_within_another_s_news_is_left_alone(venue: ModelVenue, hub: Hub) -> None:
    model = venue.add(Market.SPOT, "BTCUSDT")
    first, second = hub.feed(spot("BTCUSDT")), hub.feed(spot("BTCUSDT"))
    stopping: list[asyncio.Future[None]] = []
    for feed in (first, second):
        feed.start()
    await until(lambda: are_live([first, second]))
    diffs: list[int] = []

    def stop_second(_: object) -> None:
        if not stopping:
            second._end()
            diffs.append(second.counters.messages)
            stopping.append(asyncio.ensure_future(second.stop()))

    first.listen_changes(stop_second)
    await until(lambda: stopping)
    await asyncio.gather(*stopping)
    await asyncio.sleep(1)
    assert diffs == [second.counters.messages]
    assert first.book.last_update_id >= model.last_id - 8


async def test_feeds_of_one_symbol_at_different_paces(venue: ModelVenue, hub: Hub) -> None:
    model = venue.add(Market.SPOT, "BTCUSDT")
    fast, slow = hub.feed(spot("BTCUSDT")), hub.feed(spot("BTCUSDT"), FeedOptions(interval_ms=1000))
    fast.start()
    slow.start()
    await until(lambda: fast.state is FeedState.LIVE)
    (stream,) = venue.streams
    assert {"btcusdt@depth@100ms", "btcusdt@depth"} <= stream.names
    await fast.stop()
    await asyncio.sleep(1)
    assert stream.names == {"btcusdt@depth", "btcusdt@bookTicker", "btcusdt@trade"}
    assert model.last_id > 0


@pytest.mark.expected_logs("refused SUBSCRIBE of")
async def test_a_refused_subscription_is_told_and_asked_for_again(venue: ModelVenue, hub: Hub) -> None:
    model = venue.add(Market.SPOT, "BTCUSDT")
    refusals = iter(["Invalid request: too many streams"])
    venue.refuse_request = lambda *_: next(refusals, None)
    watch = Watch(hub.feed(spot("BTCUSDT")), model)
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.RECONNECTING, 5)
    assert "too many streams" in watch.feed.status.detail
    await until(lambda: watch.feed.state is FeedState.LIVE, 60)
    assert watch.wrong == []


@pytest.mark.expected_logs("a listener of BTCUSDT failed", "a listener of connections failed")
async def test_a_listener_that_raises_harms_nobody(venue: ModelVenue, hub: Hub) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    model = venue.add(Market.SPOT, "BTCUSDT")
    feed = hub.feed(spot("BTCUSDT"))
    hub.listen(fail)
    feed.listen(fail)
    feed.listen_changes(fail)
    watch = Watch(feed, model)
    feed.start()
    await until(lambda: feed.state is FeedState.LIVE)
    await asyncio.sleep(10)
    assert watch.states == ["connecting", "live"]
    assert watch.checked > 80
    assert len(venue.streams) == 1


async def test_a_callback_can_be_taken_back(venue: ModelVenue, hub: Hub) -> None:
    venue.add(Market.SPOT, "BTCUSDT")
    feed = hub.feed(spot("BTCUSDT"))
    calls: list[object] = []
    for ends in (feed.listen(calls.append), feed.listen_changes(calls.append), hub.listen(calls.append)):
        ends()
        ends()
    feed.start()
    await until(lambda: feed.state is FeedState.LIVE)
    assert calls == []


async def test_a_market_that_the_environment_lacks(venue: ModelVenue, hub: Hub, expected_logs) -> None:
    from depthgui.binance.endpoints import Endpoints

    expected_logs.require("Binance.US has no USD-M market")
    hub.endpoints = hub.rest.endpoints = Endpoints.us()
    feed = hub.feed(SymbolRef(Market.USDM, "BTCUSDT"))
    feed.start()
    assert feed.state is FeedState.FAILED
    assert feed.status.detail == "Binance.US has no USD-M market"
    await asyncio.sleep(1)
    assert venue.streams == []
