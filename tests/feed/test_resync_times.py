"""How long a book is stale after a mishap: no longer than the snapshot takes, while the request budget has room."""

from __future__ import annotations

import asyncio
from statistics import median, quantiles

import pytest
from feed.model_venue import ModelVenue, Watch
from feed.virtual_loop import VirtualLoop
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.book.messages import Diff
from depthgui.depthcache.feed import Feed, FeedState
from depthgui.depthcache.hub import Hub


class StaleTimes:
    """For how long a feed was not live, each time."""

    def __init__(self, feed: Feed, loop: VirtualLoop) -> None:
        self.seconds: list[float] = []
        self._loop = loop
        self._since_s: float | None = None
        feed.listen(self._note)

    def _note(self, feed: Feed) -> None:
        if feed.state is not FeedState.LIVE:
            self._since_s = self._loop.time() if self._since_s is None else self._since_s
        elif self._since_s is not None:
            self.seconds.append(self._loop.time() - self._since_s)
            self._since_s = None


async def live_watches(venue: ModelVenue, hub: Hub, market: Market, count: int) -> list[Watch]:
    watches = [
        Watch(hub.feed(SymbolRef(market, f"S{number:02}USDT")), venue.add(market, f"S{number:02}USDT"))
        for number in range(count)
    ]
    for watch in watches:
        watch.feed.start()
    await until(lambda: all(watch.feed.state is FeedState.LIVE for watch in watches), 60)
    return watches


@pytest.mark.parametrize(("market", "limit_per_minute"), [(Market.SPOT, 6000), (Market.USDM, 2400)])
async def test_a_gap_every_two_seconds_in_each_of_20_symbols(
    venue: ModelVenue, hub: Hub, loop: VirtualLoop, market: Market, limit_per_minute: int
) -> None:
    venue.rest.limit_per_minute = limit_per_minute
    watches = await live_watches(venue, hub, market, 20)
    times = [StaleTimes(watch.feed, loop) for watch in watches]
    asked = len(venue.rest.asked)
    for _ in range(35):
        for watch in watches:
            watch.model.change(loop.time(), venue.now_ms())  # and nobody is told
            await asyncio.sleep(0.1)
    await asyncio.sleep(5)
    seconds = sorted(second for one in times for second in one.seconds)
    answer_s = venue.rest.delay_s
    print(
        f"{market.value}: median {median(seconds):.2f} s, 99 of 100 {quantiles(seconds, n=100)[98]:.2f} s, "
        f"longest {seconds[-1]:.2f} s, weight {venue.rest.most_used(market)}, {len(venue.rest.asked) - asked} requests"
    )
    assert len(seconds) > 20 * 30
    assert median(seconds) <= 0.3 + answer_s
    assert quantiles(seconds, n=100)[98] <= 1.5 + answer_s
    assert venue.rest.most_used(market) <= limit_per_minute / 2
    assert all(watch.feed.state is FeedState.LIVE for watch in watches)
    assert [wrong for watch in watches for wrong in watch.wrong] == []
    for watch in watches:  # once it is calm the books are as deep as before
        await until(lambda watch=watch: len(watch.feed.book.bids) == len(watch.model.bids), 120)


async def test_one_mishap_s_wait_is_not_added_to_the_next_one_s(venue: ModelVenue, hub: Hub, loop: VirtualLoop) -> None:
    (watch,) = await live_watches(venue, hub, Market.SPOT, 1)
    times = StaleTimes(watch.feed, loop)
    for _ in range(40):
        watch.model.change(loop.time(), venue.now_ms())
        await asyncio.sleep(5)
    assert len(times.seconds) == 40
    assert max(times.seconds) <= 0.3 + venue.rest.delay_s
    assert watch.wrong == []


@pytest.mark.expected_logs("differs")
async def test_other_mishaps_are_mended_as_soon(venue: ModelVenue, hub: Hub, loop: VirtualLoop) -> None:
    (watch,) = await live_watches(venue, hub, Market.SPOT, 1)
    times = StaleTimes(watch.feed, loop)
    for number in range(20):
        watch.feed.resync() if number % 2 else _spoil(watch)
        await until(lambda mishap=number: len(times.seconds) > mishap, 10)
        await asyncio.sleep(1)
    assert len(times.seconds) == 20
    assert max(times.seconds) <= 0.3 + venue.rest.delay_s
    assert watch.feed.state is FeedState.LIVE


def _spoil(watch: Watch) -> None:
    """Let the book have another best size than the venue's, as a diff with one wrong size would."""
    book = watch.feed.book
    assert book is not None
    price, _ = book.bids.levels(1)[0]
    book.apply(Diff(book.last_update_id, book.last_update_id, book.event_time_ms or 0, [(price, "0.001")], []))
