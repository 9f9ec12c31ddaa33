"""A feed that nobody looks at listens to best prices in turns; one that is looked at, always."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from feed.model_venue import ModelVenue, Watch
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.depthcache.audit_turns import AuditTurns
from depthgui.depthcache.feed import FeedState
from depthgui.depthcache.hub import Hub

TICKER = "btcusdt@bookTicker"


async def hidden(venue: ModelVenue, hub: Hub, market: Market = Market.SPOT) -> Watch:
    watch = Watch(hub.feed(SymbolRef(market, "BTCUSDT")), venue.add(market, "BTCUSDT"))
    watch.feed.is_watched = False
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE)
    return watch


def listens(venue: ModelVenue) -> bool:
    return any(TICKER in stream.names for stream in venue.streams if not stream.is_closed)


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_a_hidden_book_is_verified_once_a_minute(venue: ModelVenue, hub: Hub, market: Market) -> None:
    watch = await hidden(venue, hub, market)
    loop = asyncio.get_running_loop()
    times: list[float] = []
    for _ in range(4):
        await until(lambda: listens(venue), 80)
        audits = watch.feed.counters.audits
        await until(lambda: not listens(venue), 12)
        assert watch.feed.counters.audits > audits
        times.append(loop.time())
    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert all(44 < pause < 80 for pause in pauses)
    assert watch.states == ["connecting", "live"]
    assert watch.wrong == []


async def test_one_that_comes_into_view_listens_at_once_and_until_it_goes(venue: ModelVenue, hub: Hub) -> None:
    watch = await hidden(venue, hub)
    await until(lambda: not listens(venue), 12)
    verified_s = watch.feed.counters.verified_s
    watch.feed.is_watched = True
    await until(lambda: listens(venue), 2)
    await until(lambda: watch.feed.counters.verified_s > verified_s, 2)
    await asyncio.sleep(100)
    assert listens(venue)
    assert asyncio.get_running_loop().time() - watch.feed.counters.verified_s < 2
    watch.feed.is_watched = False
    await until(lambda: not listens(venue), 80)
    assert watch.wrong == []


async def test_a_book_whose_best_prices_never_match_gives_up_its_turn(venue: ModelVenue, hub: Hub) -> None:
    venue.renewal_helps = False
    watch = await hidden(venue, hub)
    for stream in venue.streams:
        stream.muted.add(TICKER)
    await until(lambda: not listens(venue), 80)
    await until(lambda: listens(venue), 80)
    took_s = await until(lambda: not listens(venue), 14)
    assert 9 < took_s < 13
    assert watch.feed.state is FeedState.LIVE


@pytest.mark.expected_logs("audit against bookTicker at id .* differs")
async def test_a_wrong_hidden_book_is_found_in_its_turn(venue: ModelVenue, hub: Hub) -> None:
    watch = await hidden(venue, hub)
    await until(lambda: not listens(venue), 12)
    watch.feed._sync.book.asks.apply([("100.00", "777.000")])  # between the sides, where no diff will ever mend it
    await until(lambda: watch.feed.counters.audit_differences > 0, 90)
    await until(lambda: watch.feed.state is FeedState.LIVE, 10)


async def test_a_new_book_is_verified_at_once(venue: ModelVenue, hub: Hub) -> None:
    watch = await hidden(venue, hub)
    await until(lambda: not listens(venue), 12)
    venue.streams[-1].cut()
    await until(lambda: watch.feed.state is FeedState.RECONNECTING, 5)
    await until(lambda: watch.feed.state is FeedState.LIVE, 20)
    audits = watch.feed.counters.audits
    await until(lambda: watch.feed.counters.audits > audits, 5)
    await until(lambda: not listens(venue), 12)
    assert watch.wrong == []


async def test_a_stopped_feed_asks_for_nothing(venue: ModelVenue, hub: Hub) -> None:
    watch = await hidden(venue, hub)
    await watch.feed.stop()
    watch.feed.is_watched = True
    watch.feed.is_watched = False
    await asyncio.sleep(200)
    assert not listens(venue)
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE)
    assert listens(venue)


def test_turns_of_many_symbols_spread() -> None:
    begun = set()
    for number in range(50):
        turns = AuditTurns(f"spot:S{number}USDT")
        assert turns.wants(0.0, is_live=True, verified_s=None)
        assert not turns.wants(1.0, is_live=True, verified_s=0.5)
        begun.add(next(second for second in range(2, 100) if turns.wants(second, is_live=True, verified_s=0.5)))
    assert len(begun) > 15
    assert max(begun) - min(begun) > 20


def test_a_turn_lasts_while_the_book_is_not_live() -> None:
    turns = AuditTurns("X")
    assert all(turns.wants(now_s, is_live=False, verified_s=None) for now_s in range(100))
    assert turns.wants(108.0, is_live=True, verified_s=None)
    assert not turns.wants(109.0, is_live=True, verified_s=None)
