"""A stream that is acknowledged and brings nothing: another subscription, another socket, another host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from feed.conftest import MakeHub
from feed.hosts import with_other_hosts
from feed.model_venue import ModelStream, ModelVenue, Watch
from feed.waiting import until

from depthgui.binance.endpoints import Market, Route, SymbolRef
from depthgui.book.errors import ConnectFailedError
from depthgui.depthcache.connection import ConnectionOptions
from depthgui.depthcache.feed import FeedState
from depthgui.depthcache.hub import Hub
from depthgui.depthcache.stream_remedies import Remedy, StreamRemedies

DEPTH = "btcusdt@depth@100ms"
STEP_S = 3.0


async def live(venue: ModelVenue, hub: Hub, *symbols: str, every_s: float = 0.1) -> list[Watch]:
    watches = []
    for symbol in symbols:
        model = venue.add(Market.SPOT, symbol, every_s=every_s)
        watches.append(Watch(hub.feed(SymbolRef(Market.SPOT, symbol)), model))
        watches[-1].feed.start()
    await until(lambda: all(watch.feed.state is FeedState.LIVE for watch in watches))
    await asyncio.sleep(1)
    return watches


def assert_seamless(watch: Watch) -> None:
    assert watch.states == ["connecting", "live"]
    assert watch.wrong == []
    assert watch.feed.counters.gaps == watch.feed.counters.resyncs == 0
    assert watch.ids[-1] >= watch.model.last_id - 8


async def complain(hub: Hub, name: str = DEPTH, *, until_s: float = 60.0, is_over: Callable[[], bool]) -> float:
    """As a feed does that proved the stream silent: say so, and again after some seconds."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while loop.time() - began_s < until_s:
        hub.renew(Market.SPOT, Route.PUBLIC, name)
        end_s = loop.time() + STEP_S
        while loop.time() < end_s:
            await asyncio.sleep(0.02)
            if is_over():
                return loop.time() - began_s
    pytest.fail("it was not over in time")


async def test_first_another_subscription(venue: ModelVenue, hub: Hub) -> None:
    watch, other = await live(venue, hub, "BTCUSDT", "ETHUSDT")
    (stream,) = venue.streams
    stream.muted.add(DEPTH)
    assert await complain(hub, is_over=lambda: watch.feed.state is FeedState.LIVE) < 1
    assert [one.method for one in stream.sent[-2:]] == ["UNSUBSCRIBE", "SUBSCRIBE"]
    assert watch.feed.counters.resyncs == 1
    await asyncio.sleep(5)
    assert len(venue.streams) == 1
    assert_seamless(other)


async def test_then_another_socket_without_a_gap_for_the_others(venue: ModelVenue, hub: Hub) -> None:
    venue.mute = lambda stream, name: name == DEPTH and stream.number == 1 and len(stream.sent) > 2
    watch, *others = await live(venue, hub, "BTCUSDT", "ETHUSDT", "BNBUSDT")
    seen: list[str] = []
    watch.feed.listen(lambda feed: seen.append(feed.status.detail))
    hub.listen(lambda status: seen.append(status.note))
    first_id = watch.model.last_id
    flows = lambda: watch.ids[-1] > first_id + 100  # noqa: E731
    assert await complain(hub, is_over=flows) < 3 * STEP_S
    await asyncio.sleep(8)
    assert [stream.is_closed for stream in venue.streams] == [True, False]
    why = f": {DEPTH} was acknowledged but brings no data"
    assert seen.count(f"Subscribing again{why}") == seen.count(f"Changing to another socket{why}") == 2
    for other in others:
        assert_seamless(other)
    assert watch.wrong == []


async def test_then_another_host_if_there_is_one(venue: ModelVenue, make_hub: MakeHub) -> None:
    hub = make_hub(endpoints=with_other_hosts("ws://model2/spot", "ws://model3/spot"))
    watch, other = await live(venue, hub, "BTCUSDT", "ETHUSDT")
    venue.mute = lambda stream, name: name == DEPTH and "model3" not in stream.url
    first_id = watch.model.last_id
    took_s = await complain(hub, is_over=lambda: watch.ids[-1] > first_id + 100)
    urls = [stream.url.split("/")[2] for stream in venue.streams]
    assert urls[:3] == ["model", "model", "model2"]
    assert urls[-1] == "model3"
    assert took_s < 45
    await asyncio.sleep(10)
    assert_seamless(other)
    assert watch.wrong == []
    (status,) = hub.connections.values()
    assert status.url == "ws://model3/spot"
    assert len(venue.open_streams) == 1


async def test_a_host_that_cannot_be_reached_costs_the_others_nothing(
    venue: ModelVenue, make_hub: MakeHub, expected_logs
) -> None:
    expected_logs.require("no second socket, the first goes on")
    hub = make_hub(endpoints=with_other_hosts("ws://model2/spot"))
    watch, other = await live(venue, hub, "BTCUSDT", "ETHUSDT")
    refused = ConnectFailedError("ws://model2/spot", "connection refused")
    venue.mute = lambda _, name: name == DEPTH
    connects: list[str] = []
    usual = venue.open

    async def open_stream(url: str) -> ModelStream:
        connects.append(url)
        if "model2" in url:
            raise refused
        return await usual(url)

    venue.open = open_stream  # type: ignore[method-assign]
    began_s = asyncio.get_running_loop().time()
    await complain(hub, is_over=lambda: asyncio.get_running_loop().time() - began_s > 58)
    assert any("model2" in url for url in connects)
    venue.mute = lambda *_: False
    await until(lambda: watch.feed.state is FeedState.LIVE, 60)
    await asyncio.sleep(10)
    assert_seamless(other)
    assert watch.wrong == []


async def test_data_in_between_begins_the_count_anew(venue: ModelVenue, hub: Hub) -> None:
    watch, _ = await live(venue, hub, "BTCUSDT", "ETHUSDT")
    (stream,) = venue.streams
    for _ in range(5):
        stream.muted.add(DEPTH)
        await complain(hub, is_over=lambda: watch.feed.state is FeedState.LIVE)
        await asyncio.sleep(2)
    assert len(venue.streams) == 1
    assert watch.wrong == []


async def test_streams_that_stay_silent_for_an_hour_cost_few_connects(venue: ModelVenue, make_hub: MakeHub) -> None:
    hub = make_hub(endpoints=with_other_hosts("ws://model2/spot"))
    names = [f"S{number}USDT" for number in range(8)]
    *silent, other = await live(venue, hub, *names, "BTCUSDT", every_s=1.5)
    streams = [f"{watch.model.name}@depth@100ms" for watch in silent]
    venue.mute = lambda _, name: name in streams
    for number in range(3600 // 3):
        for name in streams:
            hub.renew(Market.SPOT, Route.PUBLIC, name)
        await asyncio.sleep(STEP_S)
        if number == 100:
            assert len(venue.connects_at_s) < 25
    times = venue.connects_at_s
    assert max(sum(start <= at_s < start + 300 for at_s in times) for start in times) <= 20
    assert max(len(venue.open_streams), 1) <= 2
    assert_seamless(other)
    venue.mute = lambda *_: False
    await until(lambda: all(watch.feed.state is FeedState.LIVE for watch in silent), 400)
    await asyncio.sleep(30)
    assert not any(watch.wrong for watch in silent)
    assert len(venue.open_streams) == 1


async def test_two_feeds_of_one_stream_that_complain_at_once_take_one_step(venue: ModelVenue, hub: Hub) -> None:
    watch, _ = await live(venue, hub, "BTCUSDT", "ETHUSDT")
    (stream,) = venue.streams
    sent = len(stream.sent)
    venue.mute = lambda _, name: name == DEPTH
    for _ in range(4):
        hub.renew(Market.SPOT, Route.PUBLIC, DEPTH)
        await asyncio.sleep(0.2)
    assert [one.method for one in stream.sent[sent:]] == ["UNSUBSCRIBE", "SUBSCRIBE"]
    assert len(venue.streams) == 1
    venue.mute = lambda *_: False
    await until(lambda: watch.feed.state is FeedState.LIVE, 5)


async def test_a_stream_given_up_in_the_middle_of_a_step(venue: ModelVenue, hub: Hub) -> None:
    watch, other = await live(venue, hub, "BTCUSDT", "ETHUSDT")
    venue.mute = lambda _, name: name == DEPTH
    for _ in range(4):
        hub.renew(Market.SPOT, Route.PUBLIC, DEPTH)
    hub.renew(Market.SPOT, Route.PUBLIC, "nobody@reads")
    await asyncio.sleep(1)
    await watch.feed.stop()
    assert all(status.note == "" for status in hub.connections.values())
    await asyncio.sleep(60)
    assert len(venue.open_streams) == 1
    assert_seamless(other)


@pytest.mark.parametrize("moment_s", [0.0, 0.01, 0.03, 0.1, 0.5, 2.1, 3.0, 5.0])
async def test_a_complaint_during_a_change_of_sockets_is_not_lost(venue: ModelVenue, hub: Hub, moment_s: float) -> None:
    watch, other = await live(venue, hub, "BTCUSDT", "ETHUSDT")
    quiet = Watch(hub.feed(SymbolRef(Market.SPOT, "QUIETUSDT")), venue.add(Market.SPOT, "QUIETUSDT", every_s=None))
    quiet.feed.start()  # it has nothing to catch up by: the change takes its time
    await until(lambda: quiet.feed.state is FeedState.LIVE)
    venue.mute = lambda stream, name: name == DEPTH and stream.number == 1
    hub.rotate()
    await asyncio.sleep(moment_s)
    hub.renew(Market.SPOT, Route.PUBLIC, DEPTH)
    await until(lambda: watch.feed.state is FeedState.LIVE, 20)
    await asyncio.sleep(30)
    assert watch.feed.state is FeedState.LIVE
    assert watch.ids[-1] >= watch.model.last_id - 8
    assert watch.wrong == []
    assert_seamless(other)


async def test_three_failures_on_one_host_lead_to_the_next(venue: ModelVenue, make_hub: MakeHub) -> None:
    hub = make_hub(
        endpoints=with_other_hosts("ws://model2/spot", "ws://model3/spot"),
        connection=ConnectionOptions(keep_trying_s=10.0),
    )
    refused = ConnectFailedError("ws://model/spot/stream", "connection refused")
    connects: list[str] = []
    usual = venue.open

    async def open_stream(url: str) -> ModelStream:
        connects.append(url.split("/")[2])
        if len(connects) < 9:
            raise refused
        return await usual(url)

    venue.open = open_stream  # type: ignore[method-assign]
    venue.add(Market.SPOT, "BTCUSDT")
    feed = hub.feed(SymbolRef(Market.SPOT, "BTCUSDT"))
    feed.start()
    await until(lambda: feed.state is FeedState.LIVE, 200)
    assert connects == ["model"] * 3 + ["model2", "model3", "model", "model2", "model3", "model"]


def test_the_order_and_the_pauses_of_the_steps() -> None:
    remedies = StreamRemedies(has_other_hosts=True)
    steps = [remedies.next_step("a", 0.0) for _ in range(9)]
    assert [step.remedy for step in steps] == [*Remedy] * 3
    assert [step.due_s for step in steps] == [0.0, 2.0, 4.0, 9.0, 11.0, 13.0, 23.0, 25.0, 27.0]
    remedies.end("a")
    assert remedies.next_step("a", 100.0).remedy is Remedy.SUBSCRIBE_AGAIN
    assert remedies.next_step("b", 0.0, at_least=Remedy.NEW_SOCKET).remedy is Remedy.NEW_SOCKET
    assert remedies.next_step("b", 5.0).remedy is Remedy.OTHER_HOST
    assert remedies.next_step("b", 3600.0).remedy is Remedy.SUBSCRIBE_AGAIN
    without = StreamRemedies(has_other_hosts=False)
    assert [without.next_step("a", 0.0).remedy.name for _ in range(3)] == [
        "SUBSCRIBE_AGAIN",
        "NEW_SOCKET",
        "SUBSCRIBE_AGAIN",
    ]
    for _ in range(200):
        last = without.next_step("a", 0.0)
    assert without.next_step("a", 0.0).due_s - last.due_s <= 300.0
