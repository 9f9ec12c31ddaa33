"""Once a connection has given up, only a user's wish makes it begin again."""

from __future__ import annotations

import asyncio

import pytest
from feed.conftest import MakeHub
from feed.model_venue import ModelVenue, Watch
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.book.errors import BinanceUnableToConnect, ConnectFailedError
from depthgui.depthcache.connection import ConnectionPhase
from depthgui.depthcache.feed import Feed, FeedOptions, FeedState
from depthgui.depthcache.hub import Hub

REFUSED = ConnectFailedError("ws://model/spot/stream", "connection refused; nothing listens there")
pytestmark = pytest.mark.expected_logs("Max reconnections 5 reached")
BUSY = FeedOptions(refresh_s=20.0, partial_after_s=5.0)


def all_failed(hub: Hub) -> bool:
    return all(status.phase is ConnectionPhase.FAILED for status in hub.connections.values())


def cut_off(venue: ModelVenue) -> None:
    venue.refuse_connect = lambda _: REFUSED
    for stream in venue.open_streams:
        stream.cut("power failure")


async def test_nothing_but_a_wish_ends_it_for_an_hour(venue: ModelVenue, make_hub: MakeHub, expected_logs) -> None:
    """Feeds of all markets, watched and not, with audits, look-ups and the partial books of options."""
    expected_logs.require("partial books stand in")
    hub = make_hub()
    option = SymbolRef(Market.OPTIONS, "BTC-261225-100000-C")
    venue.add(option.market, option.symbol, every_s=1.0)
    venue.rest.refuse = lambda asked: REFUSED if (asked.market, asked.path) == (Market.OPTIONS, "depth") else None
    refs = [SymbolRef(market, f"S{number}USDT") for market in (Market.SPOT, Market.USDM) for number in range(70)]
    for ref in refs:
        venue.add(ref.market, ref.symbol, every_s=2.0)  # best prices come, and so unwatched feeds' turns end
    feeds = [hub.feed(ref, BUSY) for ref in (*refs, option)]
    for number, feed in enumerate(feeds):
        feed.is_watched = number % 3 == 0
        feed.start()
    await until(lambda: feeds[-1].state is FeedState.LIVE, 60)
    assert "partial books" in feeds[-1].status.detail
    await asyncio.sleep(100)
    phases: dict[str, list[str]] = {}
    hub.listen(lambda status: phases.setdefault(status.key, []).append(status.phase.value))
    cut_off(venue)
    venue.stop()
    await until(lambda: all_failed(hub), 120)
    await until(lambda: all(feed.state is FeedState.FAILED for feed in feeds), 5)
    for told in phases.values():  # also while others were still trying
        assert set(told[told.index("failed") :]) == {"failed"}
    connects = len(venue.connects_at_s)
    changes: list[object] = []
    hub.listen(lambda status: changes.append(status.phase))
    for feed in feeds:
        feed.listen(lambda feed: changes.append(feed.state))
    venue.refuse_connect = lambda _: None  # it would succeed at once
    for number in range(60):
        await asyncio.sleep(60)
        for feed in feeds:
            feed.is_watched = not feed.is_watched  # tabs come to the front and go
        feeds[number].resync()
        feeds[number].refresh()
        hub.rotate()
        await hub.symbols(Market.SPOT)
        for name in ("depth@100ms", "bookTicker"):
            hub.renew(Market.SPOT, next(iter(hub._streams))[1], f"s{number}usdt@{name}")
    assert len(venue.connects_at_s) == connects
    assert {phase for phase in changes if isinstance(phase, ConnectionPhase)} <= {ConnectionPhase.FAILED}
    assert {state for state in changes if isinstance(state, FeedState)} == set()
    assert all_failed(hub)
    assert all(feed.state is FeedState.FAILED for feed in feeds)
    assert all(isinstance(feed.status.error, BinanceUnableToConnect) for feed in feeds)
    assert venue.open_streams == []
    feeds[0].start()
    await until(lambda: feeds[0].state is FeedState.LIVE, 120)


async def given_up(venue: ModelVenue, hub: Hub, *symbols: str) -> list[Feed]:
    feeds = []
    for symbol in symbols:
        venue.add(Market.SPOT, symbol)
        feeds.append(hub.feed(SymbolRef(Market.SPOT, symbol)))
        feeds[-1].start()
    await until(lambda: all(feed.state is FeedState.LIVE for feed in feeds))
    cut_off(venue)
    await until(lambda: all(feed.state is FeedState.FAILED for feed in feeds), 120)
    venue.refuse_connect = lambda _: None
    return feeds


async def test_streams_that_come_and_go_are_no_wish(venue: ModelVenue, hub: Hub) -> None:
    """Down to the last stream and up again: the connection stays as it was."""
    (feed,) = await given_up(venue, hub, "BTCUSDT")
    connects = len(venue.connects_at_s)
    reader = next(iter(feed._readers.values()))
    (key,) = hub.connections
    (_, route, _) = next(iter(hub._streams))
    await feed.stop()
    await until(lambda: hub.connections[key].phase is ConnectionPhase.CLOSED, 1)
    for pause_s in (0.0, 0.001, 1.0, 60.0):
        hub.subscribe(Market.SPOT, route, "ethusdt@bookTicker", reader)
        await asyncio.sleep(pause_s)
        if pause_s:
            assert hub.connections[key].phase is ConnectionPhase.FAILED
        hub.unsubscribe(Market.SPOT, route, "ethusdt@bookTicker", reader)
        await asyncio.sleep(pause_s)
        if pause_s:
            assert hub.connections[key].phase is ConnectionPhase.CLOSED
    assert len(venue.connects_at_s) == connects


@pytest.mark.parametrize("way", ["start", "new feed", "twin", "retry", "connect"])
async def test_what_is_a_wish(venue: ModelVenue, hub: Hub, way: str) -> None:
    btc, eth = await given_up(venue, hub, "BTCUSDT", "ETHUSDT")
    await asyncio.sleep(600)
    (key,) = hub.connections
    match way:
        case "start":
            btc.start()
        case "new feed":
            hub.feed(SymbolRef(Market.SPOT, "BNBUSDT")).start()
        case "twin":
            hub.feed(SymbolRef(Market.SPOT, "BTCUSDT")).start()
        case "retry":
            hub.retry_now(key)
        case "connect":
            hub.connect(Market.SPOT)
    assert await until(lambda: eth.state is FeedState.LIVE and hub.connections[key].attempt == 0, 5) < 2


async def test_a_wish_of_another_market_is_none_of_this_one(venue: ModelVenue, hub: Hub) -> None:
    (feed,) = await given_up(venue, hub, "BTCUSDT")
    connects = len(venue.connects_at_s)
    venue.add(Market.USDM, "BTCUSDT")
    other = hub.feed(SymbolRef(Market.USDM, "BTCUSDT"))
    other.start()
    await until(lambda: other.state is FeedState.LIVE)
    await asyncio.sleep(60)
    assert feed.state is FeedState.FAILED
    assert len(venue.connects_at_s) == connects + 1


async def test_tab_and_connection_say_the_same_while_it_is_tried_again(venue: ModelVenue, hub: Hub) -> None:
    """Failed, then trying, then failed again: never one of the two without the other."""
    (feed,) = await given_up(venue, hub, "BTCUSDT")
    (key,) = hub.connections
    venue.refuse_connect = lambda _: REFUSED
    pairs: set[tuple[str, str]] = set()

    async def look() -> None:
        while True:
            pairs.add((hub.connections[key].phase.value, feed.state.value))
            await asyncio.sleep(0.05)

    hub.retry_now(key)
    await asyncio.sleep(0.001)
    watching = asyncio.ensure_future(look())
    await until(lambda: feed.state is FeedState.FAILED, 120)
    await asyncio.sleep(10)
    watching.cancel()
    assert pairs == {("connecting", "reconnecting"), ("waiting", "reconnecting"), ("failed", "failed")}


async def test_a_feed_that_is_watched_again_is_told_that_nothing_will_come(venue: ModelVenue, hub: Hub) -> None:
    watch = Watch(hub.feed(SymbolRef(Market.SPOT, "BTCUSDT")), venue.add(Market.SPOT, "BTCUSDT"))
    watch.feed.is_watched = False
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE)
    cut_off(venue)
    await until(lambda: watch.feed.state is FeedState.FAILED, 120)
    watch.feed.is_watched = True
    await asyncio.sleep(60)
    assert watch.feed.state is FeedState.FAILED
    assert watch.states[-1] == "failed"
