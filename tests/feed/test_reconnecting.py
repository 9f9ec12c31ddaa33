"""A lost connection: attempts, waits, giving up, and what people are told meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import random

import pytest
from feed.conftest import MakeHub
from feed.model_venue import WALL_START_MS, ModelVenue, Watch
from feed.virtual_loop import VirtualLoop
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.book.errors import (
    BinanceUnableToConnect,
    ConnectFailedError,
    RegionNotServedError,
    RequestTimeoutError,
)
from depthgui.depthcache.connection import ConnectionOptions, ConnectionPhase, ConnectionStatus
from depthgui.depthcache.feed import Feed, FeedState
from depthgui.depthcache.hub import Hub
from depthgui.transport.backoff import Backoff

BTC = SymbolRef(Market.SPOT, "BTCUSDT")
REFUSED = ConnectFailedError("ws://model/spot/stream", "connection refused; nothing listens there")
MAX_REACHED = "Max reconnections 5 reached"


class History:
    """Every status of a hub's connections, with the times."""

    def __init__(self, hub: Hub) -> None:
        self.statuses: list[tuple[float, ConnectionStatus]] = []
        loop = asyncio.get_running_loop()
        hub.listen(lambda status: self.statuses.append((loop.time(), status)))

    def of(self, phase: ConnectionPhase) -> list[ConnectionStatus]:
        return [status for _, status in self.statuses if status.phase is phase]

    @property
    def last(self) -> ConnectionStatus:
        return self.statuses[-1][1]


@pytest.fixture
async def live(venue: ModelVenue, hub: Hub) -> Watch:
    watch = Watch(hub.feed(BTC), venue.add(Market.SPOT, "BTCUSDT"))
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE)
    return watch


def refuse_all(venue: ModelVenue) -> None:
    venue.refuse_connect = lambda _: REFUSED


def accept_all(venue: ModelVenue) -> None:
    venue.refuse_connect = lambda _: None


async def failed(venue: ModelVenue, feed: Feed) -> None:
    refuse_all(venue)
    for stream in venue.open_streams:
        stream.cut()
    await until(lambda: feed.state is FeedState.FAILED, 120)


@pytest.mark.parametrize("code", [1000, 1001, 1006, 1008, 1011])
async def test_any_close_that_was_not_asked_for_leads_to_a_reconnect(
    venue: ModelVenue, hub: Hub, live: Watch, code: int
) -> None:
    history = History(hub)
    stale_id = live.feed.book.last_update_id
    venue.streams[0].cut("bye", code)
    await until(lambda: live.feed.state is FeedState.RECONNECTING, 1)
    assert f"closed with {code}: bye" in live.feed.status.detail
    assert live.feed.book.last_update_id >= stale_id  # the last book stays
    assert await until(lambda: live.feed.state is FeedState.LIVE, 10) < 3
    assert live.states == ["connecting", "live", "reconnecting", "stale", "live"]
    await asyncio.sleep(5)
    assert live.wrong == []
    assert len(venue.streams) == 2
    assert [status.attempt for status in history.of(ConnectionPhase.WAITING)][-1] == 1
    assert history.last.phase is ConnectionPhase.OPEN
    assert (history.last.attempt, history.last.reason, history.last.error) == (0, "", None)
    assert (history.last.lost_at_s, history.last.lost_at_wall_ms, history.last.retry_at_s) == (None, None, None)


@pytest.mark.expected_logs(MAX_REACHED)
async def test_five_attempts_with_growing_pauses_and_then_no_more(venue: ModelVenue, hub: Hub, live: Watch) -> None:
    loop = asyncio.get_running_loop()
    history = History(hub)
    refuse_all(venue)
    lost_s, lost_wall_ms = loop.time(), venue.now_ms()
    venue.streams[0].cut("power failure")
    await until(lambda: live.feed.state is FeedState.FAILED, 120)
    connects_s = venue.connects_at_s[1:]
    assert len(connects_s) == 5
    waiting = history.of(ConnectionPhase.WAITING)
    attempts = sorted({status.attempt for status in waiting})
    assert attempts == [1, 2, 3, 4, 5]
    before_s = [lost_s, *(at_s + venue.connect_delay_s for at_s in connects_s)]
    for number, (began_s, connect_s) in enumerate(zip(before_s, connects_s, strict=False), 1):
        assert 0.5 * 2 ** (number - 1) <= connect_s - began_s + 0.01
        assert connect_s - began_s <= 2 ** (number - 1) + 0.05
        announced = next(status.retry_at_s for status in waiting if status.attempt == number)
        assert announced == pytest.approx(connect_s, abs=0.01)
    assert "power failure" in waiting[0].reason
    assert "connection refused" in waiting[-1].reason
    for status in (*waiting, history.last):
        assert status.lost_at_s == pytest.approx(lost_s, abs=0.01)
        assert status.lost_at_wall_ms == pytest.approx(lost_wall_ms, abs=10)
    assert history.last.phase is ConnectionPhase.FAILED
    assert isinstance(history.last.error, BinanceUnableToConnect)
    expected_ms = [WALL_START_MS + (at_s - 1000.0) * 1000 for at_s in connects_s]
    assert history.last.attempts_wall_ms == pytest.approx(expected_ms, abs=10)
    assert isinstance(live.feed.status.error, BinanceUnableToConnect)
    assert live.feed.status.error.attempts == 5
    assert "connection refused" in live.feed.status.detail
    assert live.feed.book is not None
    venue.stop()
    await asyncio.sleep(1200)
    assert len(venue.connects_at_s) == 6


@pytest.mark.expected_logs(MAX_REACHED)
async def test_retry_now_after_giving_up_makes_five_more_attempts(venue: ModelVenue, hub: Hub, live: Watch) -> None:
    await failed(venue, live.feed)
    (key,) = hub.connections
    lost_at_s = hub.connections[key].lost_at_s
    history = History(hub)
    hub.retry_now(key)
    await until(lambda: history.of(ConnectionPhase.WAITING), 1)
    assert history.last.attempt == 1
    await until(lambda: history.last.phase is ConnectionPhase.FAILED, 120)
    assert len(venue.connects_at_s) == 1 + 5 + 6
    assert history.last.lost_at_s == lost_at_s  # still the same outage
    assert len(history.last.attempts_wall_ms) == 5
    accept_all(venue)
    hub.retry_now(key)
    assert await until(lambda: live.feed.state is FeedState.LIVE, 10) < 2
    assert live.wrong == []


async def test_retry_now_cuts_the_wait_short(venue: ModelVenue, hub: Hub, live: Watch) -> None:
    venue.refuse_connect = lambda number: REFUSED if number < 6 else None
    venue.streams[0].cut()
    await until(lambda: len(venue.connects_at_s) == 5, 120)
    (key,) = hub.connections
    await until(lambda: hub.connections[key].phase is ConnectionPhase.WAITING, 1)
    assert hub.connections[key].retry_at_s > asyncio.get_running_loop().time() + 5
    hub.retry_now(key)
    assert await until(lambda: live.feed.state is FeedState.LIVE, 10) < 2
    hub.retry_now(key)  # not waiting: nothing happens
    hub.retry_now("no such connection")
    await asyncio.sleep(10)
    assert len(venue.streams) == 2


async def test_with_keep_trying_it_goes_on_at_that_pace(venue: ModelVenue, make_hub: MakeHub) -> None:
    hub = make_hub(connection=ConnectionOptions(keep_trying_s=30.0))
    history = History(hub)
    refuse_all(venue)
    venue.add(Market.SPOT, "BTCUSDT")
    feed = hub.feed(BTC)
    feed.start()
    await until(lambda: len(venue.connects_at_s) == 12, 600)
    late = venue.connects_at_s[-6:]
    assert all(30.0 <= after - before < 30.2 for before, after in itertools.pairwise(late))
    assert history.of(ConnectionPhase.FAILED) == []
    assert history.of(ConnectionPhase.WAITING)[-1].attempt > 5
    accept_all(venue)
    await until(lambda: feed.state is FeedState.LIVE, 60)


@pytest.mark.expected_logs("does not serve this region")
async def test_a_region_that_is_not_served_is_not_tried_five_times(venue: ModelVenue, hub: Hub, live: Watch) -> None:
    history = History(hub)
    venue.refuse_connect = lambda _: RegionNotServedError(url="ws://model/spot/stream")
    venue.streams[0].cut()
    await until(lambda: live.feed.state is FeedState.FAILED, 5)
    assert len(venue.connects_at_s) == 2
    assert history.last.is_permanent
    assert history.last.phase is ConnectionPhase.FAILED
    assert live.feed.status.detail == history.last.reason
    assert isinstance(live.feed.status.error, RegionNotServedError)
    accept_all(venue)
    hub.retry_now(history.last.key)
    await until(lambda: live.feed.state is FeedState.LIVE, 5)
    assert not history.last.is_permanent


async def test_a_first_connect_that_fails_is_no_loss(venue: ModelVenue, hub: Hub) -> None:
    history = History(hub)
    venue.refuse_connect = lambda number: REFUSED if number < 3 else None
    venue.add(Market.SPOT, "BTCUSDT")
    feed = hub.feed(BTC)
    feed.start()
    await until(lambda: feed.state is FeedState.LIVE, 60)
    assert [status.attempt for status in history.of(ConnectionPhase.WAITING)][::2] == [1, 2]
    assert {status.lost_at_s for _, status in history.statuses} == {None}


@pytest.mark.expected_logs(MAX_REACHED)
async def test_starting_a_failed_feed_tries_again(venue: ModelVenue, hub: Hub, live: Watch) -> None:
    await failed(venue, live.feed)
    accept_all(venue)
    live.feed.start()
    assert live.feed.state is FeedState.CONNECTING
    assert await until(lambda: live.feed.state is FeedState.LIVE, 10) < 2
    assert live.wrong == []


@pytest.mark.expected_logs(MAX_REACHED)
async def test_a_new_feed_on_a_failed_connection_tries_again(venue: ModelVenue, hub: Hub, live: Watch) -> None:
    await failed(venue, live.feed)
    accept_all(venue)
    venue.add(Market.SPOT, "ETHUSDT")
    other = hub.feed(SymbolRef(Market.SPOT, "ETHUSDT"))
    twin = hub.feed(BTC)
    other.start()
    await until(lambda: other.state is live.feed.state is FeedState.LIVE, 10)
    await failed(venue, live.feed)
    accept_all(venue)
    twin.start()
    await until(lambda: twin.state is live.feed.state is FeedState.LIVE, 10)


@pytest.mark.expected_logs(MAX_REACHED)
async def test_stopping_the_last_feed_ends_the_wait_and_the_failure(venue: ModelVenue, hub: Hub, live: Watch) -> None:
    (key,) = hub.connections
    await failed(venue, live.feed)
    await live.feed.stop()
    await until(lambda: hub.connections[key].phase is ConnectionPhase.CLOSED, 0.5)
    assert hub.connections[key].symbols == ()
    live.feed.start()
    await until(lambda: hub.connections[key].phase is ConnectionPhase.WAITING, 5)
    await live.feed.stop()
    await until(lambda: hub.connections[key].phase is ConnectionPhase.CLOSED, 0.5)
    connects = len(venue.connects_at_s)
    await asyncio.sleep(100)
    assert len(venue.connects_at_s) == connects
    accept_all(venue)
    live.feed.start()
    await until(lambda: live.feed.state is FeedState.LIVE, 5)


@pytest.mark.parametrize(
    ("moment_s", "phase"),
    [(0.01, ConnectionPhase.CONNECTING), (0.1, ConnectionPhase.WAITING), (0.0, ConnectionPhase.CLOSED)],
)
async def test_closing_while_connecting_or_waiting(
    venue: ModelVenue, hub: Hub, moment_s: float, phase: ConnectionPhase
) -> None:
    refuse_all(venue)
    venue.add(Market.SPOT, "BTCUSDT")
    feed = hub.feed(BTC)
    feed.start()
    if moment_s:
        await asyncio.sleep(moment_s)
        assert [status.phase for status in hub.connections.values()] == [phase]
    await hub.close()
    await hub.close()
    assert feed.state is FeedState.STOPPED
    assert all(status.phase is ConnectionPhase.CLOSED for status in hub.connections.values())


@pytest.mark.expected_logs(MAX_REACHED)
async def test_closing_after_giving_up(venue: ModelVenue, hub: Hub, live: Watch) -> None:
    await failed(venue, live.feed)
    await hub.close()
    assert live.feed.state is FeedState.STOPPED


@pytest.mark.parametrize("after_s", [0.005, 0.015, 0.025, 0.045, 0.08, 0.2, 0.6])
async def test_closing_at_any_moment_of_a_start(venue: ModelVenue, hub: Hub, loop: VirtualLoop, after_s: float) -> None:
    for number in range(5):
        venue.add(Market.SPOT, f"S{number}USDT")
        hub.feed(SymbolRef(Market.SPOT, f"S{number}USDT")).start()
    await asyncio.sleep(after_s)
    venue.stop()
    await hub.close()
    await asyncio.sleep(0)
    assert loop.pending_timers() == []


async def test_connections_fail_and_come_back_apart_from_each_other(venue: ModelVenue, hub: Hub, live: Watch) -> None:
    venue.add(Market.USDM, "BTCUSDT")
    other = Watch(hub.feed(SymbolRef(Market.USDM, "BTCUSDT")), venue.symbols[Market.USDM, "BTCUSDT"])
    other.feed.start()
    await until(lambda: other.feed.state is FeedState.LIVE)
    venue.streams[0].cut()
    await until(lambda: live.feed.state is FeedState.RECONNECTING, 1)
    await until(lambda: live.feed.state is FeedState.LIVE, 10)
    assert other.states == ["connecting", "live"]


async def test_a_socket_that_closes_at_once_again_and_again_is_given_up(
    venue: ModelVenue, hub: Hub, live: Watch, expected_logs
) -> None:
    expected_logs.require(MAX_REACHED)
    cuts: list[float] = []

    def cut_soon(_: int) -> None:
        asyncio.get_running_loop().call_later(0.001, lambda: (cuts.append(0), venue.streams[-1].cut("go away")))

    venue.refuse_connect = cut_soon
    venue.streams[0].cut()
    await until(lambda: live.feed.state is FeedState.FAILED, 120)
    assert len(cuts) == 5
    assert "go away" in live.feed.status.detail


async def test_a_quiet_connection_that_is_closed_once_a_day_never_fails(venue: ModelVenue, hub: Hub) -> None:
    venue.add(Market.SPOT, "BTCUSDT", every_s=None)
    feed = hub.feed(BTC)
    feed.start()
    history = History(hub)
    for _ in range(8):
        await asyncio.sleep(600)
        assert feed.state is FeedState.LIVE
        venue.streams[-1].cut("end of life", 1001)
    await asyncio.sleep(60)
    assert feed.state is FeedState.LIVE
    assert {status.attempt for status in history.of(ConnectionPhase.WAITING)} == {1}


async def test_many_attempts_stay_below_300_connects_in_5_minutes(venue: ModelVenue, make_hub: MakeHub) -> None:
    eager = ConnectionOptions(keep_trying_s=0.05, backoff=Backoff(first_s=0.01, most_s=0.01))
    hub = make_hub(connection=eager)
    refuse_all(venue)
    for market in Market:
        venue.add(market, "BTCUSDT", every_s=None)
        hub.feed(SymbolRef(market, "BTCUSDT")).start()
    await asyncio.sleep(1000)
    times = venue.connects_at_s
    assert len(times) > 800
    assert max(sum(start <= at_s < start + 300 for at_s in times) for start in times[:400]) <= 300


async def test_two_clients_that_lost_the_same_server_come_back_at_different_times() -> None:
    one, other = ([Backoff(rng=random.Random(seed)).delay_s(attempt) for attempt in range(1, 6)] for seed in (1, 2))
    assert all(abs(mine - theirs) > 0.01 for mine, theirs in zip(one, other, strict=True))


async def test_a_connect_that_never_answers_is_an_attempt_like_any_other(
    venue: ModelVenue, hub: Hub, live: Watch, expected_logs
) -> None:
    expected_logs.require(MAX_REACHED)
    venue.connect_delay_s = 10.0
    venue.refuse_connect = lambda _: RequestTimeoutError("ws://model/spot/stream", 10.0)
    venue.streams[0].cut()
    await until(lambda: live.feed.state is FeedState.FAILED, 300)
    assert len(venue.connects_at_s) == 6
    assert "within 10 s" in live.feed.status.detail


async def test_60_feeds_lost_at_once_all_come_back(venue: ModelVenue, hub: Hub) -> None:
    watches = []
    for number in range(60):
        name = f"S{number:03}USDT"
        watches.append(Watch(hub.feed(SymbolRef(Market.SPOT, name)), venue.add(Market.SPOT, name, every_s=2.0)))
        watches[-1].feed.start()
    await until(lambda: all(watch.feed.state is FeedState.LIVE for watch in watches), 300, every_s=1.0)
    venue.streams[0].cut()
    await until(lambda: all(watch.feed.state is FeedState.RECONNECTING for watch in watches), 1)
    await until(lambda: all(watch.feed.state is FeedState.LIVE for watch in watches), 300, every_s=1.0)
    assert not any(watch.wrong for watch in watches)
    assert venue.rest.refused == 0
