"""Changing sockets without a gap: before the 24 hours are over, on the venue's notice, and when it goes wrong."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from feed.conftest import MakeHub
from feed.model_venue import ModelStream, ModelSymbol, ModelVenue, Watch
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.book.errors import ConnectFailedError
from depthgui.depthcache.connection import ConnectionOptions, ConnectionPhase
from depthgui.depthcache.feed import FeedOptions, FeedState
from depthgui.depthcache.hub import Hub

REFUSED = ConnectFailedError("ws://model/spot/stream", "connection refused; nothing listens there")


async def watched(venue: ModelVenue, hub: Hub, market: Market = Market.SPOT, *, every_s: float | None = 0.1) -> Watch:
    watch = Watch(hub.feed(SymbolRef(market, "BTCUSDT")), venue.add(market, "BTCUSDT", every_s=every_s))
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE)
    return watch


def assert_seamless(watch: Watch) -> None:
    assert watch.wrong == []
    assert watch.states == ["connecting", "live"]
    assert watch.feed.counters.gaps == watch.feed.counters.resyncs == 0


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
@pytest.mark.parametrize(("old_s", "new_s"), [(0.005, 0.005), (0.005, 0.9), (0.9, 0.005), (0.3, 0.35), (2.0, 0.0)])
async def test_no_gap_whichever_socket_is_ahead(
    venue: ModelVenue, hub: Hub, market: Market, old_s: float, new_s: float
) -> None:
    venue.frame_delay_s = old_s
    watch = await watched(venue, hub, market)
    await asyncio.sleep(3)
    venue.frame_delay_s = new_s
    hub.rotate()
    await until(lambda: len(venue.streams) == 2 and venue.streams[0].is_closed, 20)
    await asyncio.sleep(5)
    assert_seamless(watch)
    assert watch.ids[-1] > watch.model.last_id - 60
    (status,) = hub.connections.values()
    assert (status.phase, status.attempt, status.lost_at_s) == (ConnectionPhase.OPEN, 0, None)


async def settle() -> None:
    for _ in range(12):
        await asyncio.sleep(0)


async def open_pair(venue: ModelVenue, hub: Hub, market: Market) -> tuple[Watch, ModelStream, ModelStream]:
    """A live feed on two sockets that deliver only what the test gives them."""
    options = FeedOptions(with_tickers=False, with_trades=False)
    watch = Watch(hub.feed(SymbolRef(market, "BTCUSDT"), options), venue.add(market, "BTCUSDT", every_s=None))
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE)
    venue.change(watch.model)
    await asyncio.sleep(0.1)
    hub.rotate()
    await until(lambda: len(venue.streams) == 2 and bool(venue.streams[1].names), 2)
    await asyncio.sleep(0.05)
    old, new = venue.streams
    return watch, old, new


def interleavings(count: int) -> list[tuple[int, ...]]:
    """Every order in which two sequences of `count` can be mixed; 0 is the old socket's turn, 1 the new one's."""
    places = itertools.combinations(range(2 * count), count)
    return [tuple(int(turn in chosen) for turn in range(2 * count)) for chosen in places]


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
@pytest.mark.parametrize("missed", [0, 1, 2])
async def test_the_diffs_of_both_sockets_in_every_order(
    venue: ModelVenue, hub: Hub, market: Market, missed: int
) -> None:
    """The new socket begins `missed` events later than the old one is watched from; after that both deliver all."""
    watch, old, new = await open_pair(venue, hub, market)
    name = f"{watch.model.name}@depth@100ms"
    for order in interleavings(4):
        # One and the same pair of sockets goes through all orders: each round is an overlap of its own.
        watch.feed._overlap.begin(1)
        events = [watch.model.change(0.0, venue.now_ms()) for _ in range(4 + missed)]
        turns = (iter(events), iter(events[missed:]))
        rest = [0] * missed
        for turn in (*order, *rest):
            event = next(turns[turn], None)
            if event is not None:
                (old, new)[turn].say({"stream": name, "data": event})
                await settle()
        assert watch.feed.book.last_update_id == watch.model.last_id, order
        assert watch.feed.state is FeedState.LIVE
    assert_seamless(watch)
    assert watch.checked > 70 * 4


async def test_a_socket_that_ends_in_the_overlap_is_not_missed(venue: ModelVenue, hub: Hub) -> None:
    """Whichever socket was ahead, and whichever ends: the other one's next diff continues the book."""
    watch, old, new = await open_pair(venue, hub, Market.USDM)
    name = f"{watch.model.name}@depth@100ms"
    events = [watch.model.change(0.0, venue.now_ms()) for _ in range(3)]
    for stream, number in ((old, 0), (new, 0), (new, 1), (new, 2)):
        stream.say({"stream": name, "data": events[number]})
        await settle()
    for number in (1, 2):
        old.say({"stream": name, "data": events[number]})
    old.say({"stream": name, "data": watch.model.change(0.0, venue.now_ms())})
    await settle()
    assert watch.feed.book.last_update_id == watch.model.last_id
    assert_seamless(watch)


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_the_very_next_diff_lets_the_new_socket_in(venue: ModelVenue, hub: Hub, market: Market) -> None:
    """The new socket is ahead by one, and the old one ends: nothing it said need be waited for."""
    watch, old, new = await open_pair(venue, hub, market)
    name = f"{watch.model.name}@depth@100ms"
    old.cut()
    await asyncio.sleep(0.01)
    for _ in range(2):
        new.say({"stream": name, "data": watch.model.change(0.0, venue.now_ms())})
        await settle()
        assert watch.feed.book.last_update_id == watch.model.last_id
    assert_seamless(watch)


async def test_trades_are_neither_lost_nor_doubled(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub)
    for trade_id in range(1, 61):
        if trade_id == 20:
            venue.frame_delay_s = 0.25
            hub.rotate()
        trade = {"t": trade_id, "p": "100.00", "q": "1.000", "T": trade_id, "m": True}
        venue.publish("btcusdt@trade", trade, Market.SPOT)
        await asyncio.sleep(0.05)
    await asyncio.sleep(1)
    assert [trade.trade_id for trade in watch.feed.trades] == list(range(1, 61))
    assert len(venue.open_streams) == 1


async def test_the_notice_of_a_shutdown_changes_sockets(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub)
    (old,) = venue.streams
    old.say({"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": venue.now_ms()}})
    await until(lambda: old.is_closed, 3)
    await asyncio.sleep(3)
    assert_seamless(watch)
    assert len(venue.open_streams) == 1
    venue.streams[-1].say({"e": "serverShutdown", "E": venue.now_ms()})  # as on a raw stream
    await until(lambda: len(venue.streams) == 3 and len(venue.open_streams) == 1, 3)
    await asyncio.sleep(3)
    assert_seamless(watch)


async def test_two_days_in_a_row(venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = await watched(venue, hub, every_s=300.0)
    quiet = Watch(hub.feed(SymbolRef(Market.SPOT, "QUIETUSDT")), venue.add(Market.SPOT, "QUIETUSDT", every_s=None))
    quiet.feed.start()
    phases: set[ConnectionPhase] = set()
    await until(lambda: quiet.feed.state is FeedState.LIVE)
    hub.listen(lambda status: phases.add(status.phase))
    born_s = asyncio.get_running_loop().time()
    ages: list[float] = []
    monkeypatch.setattr("depthgui.depthcache.hub._TICK_S", 20.0)  # a tick is most of what two days cost
    for _ in range(3):
        number = len(venue.streams)
        await until(
            lambda number=number: len(venue.streams) > number and venue.streams[-2].is_closed, 90_000, every_s=5
        )
        ages.append(asyncio.get_running_loop().time() - born_s)
        born_s = asyncio.get_running_loop().time()
    assert all(23 * 3600 < age_s < 24 * 3600 for age_s in ages)
    assert phases <= {ConnectionPhase.OPEN}
    assert watch.wrong == quiet.wrong == []
    assert watch.feed.counters.gaps == quiet.feed.counters.gaps == 0
    assert len(venue.open_streams) == 1


@pytest.mark.expected_logs("no second socket, the first goes on")
async def test_a_second_socket_that_cannot_be_had_is_tried_again_later(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub)
    venue.refuse_connect = lambda number: REFUSED if number in {2, 3} else None
    hub.rotate()
    await asyncio.sleep(5)
    assert len(venue.streams) == 1
    assert not venue.streams[0].is_closed
    await until(lambda: venue.streams[0].is_closed, 300)
    assert len(venue.connects_at_s) == 4
    await asyncio.sleep(1)
    assert_seamless(watch)


@pytest.mark.expected_logs("the second socket brings nothing, the first goes on")
@pytest.mark.parametrize("moment_s", [0.021, 0.05, 0.2])
async def test_a_second_socket_that_dies_leaves_the_first_untouched(
    venue: ModelVenue, hub: Hub, moment_s: float
) -> None:
    watch = await watched(venue, hub)
    venue.frame_delay_s = 0.005
    venue.acks = False
    hub.rotate()
    quiet = venue.add(Market.SPOT, "ETHUSDT", every_s=None)  # keeps the overlap open
    other = Watch(hub.feed(SymbolRef(Market.SPOT, "ETHUSDT")), quiet)
    other.feed.start()
    await asyncio.sleep(moment_s)
    await until(lambda: len(venue.streams) == 2, 1)
    venue.streams[1].cut()
    venue.acks = True
    await asyncio.sleep(10)
    assert not venue.streams[0].is_closed
    assert_seamless(watch)
    assert watch.ids[-1] >= watch.model.last_id - 8
    await until(lambda: venue.streams[0].is_closed, 120)  # tried again, and now it works
    await asyncio.sleep(5)
    assert_seamless(watch)


@pytest.mark.parametrize("moment_s", [0.02, 0.03, 0.06, 0.13])
@pytest.mark.parametrize("is_quiet", [False, True])
async def test_a_first_socket_that_dies_in_the_overlap(
    venue: ModelVenue, hub: Hub, moment_s: float, *, is_quiet: bool
) -> None:
    watch = await watched(venue, hub, every_s=None if is_quiet else 0.1)
    hub.rotate()
    await asyncio.sleep(moment_s)
    venue.streams[0].cut()
    await asyncio.sleep(0.5)
    if is_quiet:
        venue.change(watch.model)
    await until(lambda: watch.feed.state is FeedState.LIVE and watch.ids[-1] >= watch.model.last_id - 8, 20)
    await asyncio.sleep(5)
    assert watch.wrong == []
    assert len(venue.open_streams) == 1
    assert watch.ids[-1] >= watch.model.last_id - 8


async def test_both_sockets_die_in_the_overlap(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub, every_s=None)
    hub.rotate()
    await until(lambda: len(venue.streams) == 2, 1)
    venue.streams[0].cut("old")
    venue.streams[1].cut("new")
    await until(lambda: watch.feed.state is FeedState.RECONNECTING, 1)
    await until(lambda: watch.feed.state is FeedState.LIVE, 20)
    assert len(venue.open_streams) == 1
    assert watch.wrong == []


async def test_streams_that_only_the_old_socket_had_are_told_of_its_end(venue: ModelVenue, hub: Hub) -> None:
    """The new socket acknowledges late; until then a book must not be called live that nobody feeds."""
    watch = await watched(venue, hub)
    venue.ack_delay_s = 5.0
    venue.frame_delay_s = 5.0
    hub.rotate()
    await until(lambda: len(venue.streams) == 2, 1)
    await asyncio.sleep(0.5)
    venue.streams[0].cut()
    await until(lambda: watch.feed.state is FeedState.RECONNECTING, 0.5)
    await until(lambda: watch.feed.state is FeedState.LIVE, 20)
    assert len(venue.streams) == 2
    assert watch.wrong == []


@pytest.mark.parametrize("moment_s", [0.0, 0.01, 0.025, 0.04, 0.11, 0.2])
async def test_closing_in_the_middle_of_a_change(venue: ModelVenue, hub: Hub, moment_s: float) -> None:
    venue.frame_delay_s = 0.02
    await watched(venue, hub)
    hub.rotate()
    if moment_s:
        await asyncio.sleep(moment_s)
    await hub.close()
    assert venue.open_streams == []


async def test_closing_while_the_old_socket_takes_its_time(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = ModelStream.close

    async def slow_close(self: ModelStream) -> None:
        await asyncio.sleep(0.5)
        await close(self)

    await watched(venue, hub)
    monkeypatch.setattr(ModelStream, "close", slow_close)
    hub.rotate()
    await until(lambda: len(venue.streams) == 2, 1)
    await asyncio.sleep(0.4)
    await hub.close()
    assert venue.open_streams == []


async def test_tabs_come_and_go_during_a_change(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub)
    venue.frame_delay_s = 0.5
    other = Watch(hub.feed(SymbolRef(Market.SPOT, "ETHUSDT")), venue.add(Market.SPOT, "ETHUSDT"))
    gone = hub.feed(SymbolRef(Market.SPOT, "BNBUSDT"))
    venue.add(Market.SPOT, "BNBUSDT")
    gone.start()
    await until(lambda: gone.state is FeedState.LIVE)
    hub.rotate()
    await asyncio.sleep(0.04)
    other.feed.start()
    await asyncio.sleep(0.02)
    await gone.stop()
    await until(lambda: other.feed.state is FeedState.LIVE and len(venue.open_streams) == 1, 20)
    await asyncio.sleep(10)
    assert_seamless(watch)
    assert other.wrong == []
    assert other.feed.state is FeedState.LIVE
    (stream,) = venue.open_streams
    assert {name.partition("@")[0] for name in stream.names} == {"btcusdt", "ethusdt"}


async def test_an_idle_connection_does_not_open_a_second_socket(venue: ModelVenue, make_hub: MakeHub) -> None:
    hub = make_hub(connection=ConnectionOptions(socket_life_s=20.0))
    watch = await watched(venue, hub)
    await watch.feed.stop()
    await until(lambda: not venue.open_streams)
    await asyncio.sleep(100)
    assert len(venue.connects_at_s) == 1


async def test_a_gap_during_a_change_is_mended(venue: ModelVenue, hub: Hub) -> None:
    watch = await watched(venue, hub)
    venue.frame_delay_s = 1.5
    hub.rotate()
    await asyncio.sleep(0.1)
    lost: ModelSymbol = watch.model
    lost.change(0.0, venue.now_ms())  # neither socket carries it
    await until(lambda: watch.feed.counters.gaps > 0, 5)
    await until(lambda: watch.feed.state is FeedState.LIVE, 30)
    await asyncio.sleep(20)
    assert watch.feed.state is FeedState.LIVE
    assert watch.wrong == []
