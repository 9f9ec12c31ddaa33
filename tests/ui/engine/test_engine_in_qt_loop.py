"""The engine and the embedded exchange inside Qt's event loop, as in the application: live, lost, live again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest
from PySide6.QtWidgets import QApplication

from depthgui.app.event_loop import EventLoop
from depthgui.binance.endpoints import Endpoints, Market, SymbolRef
from depthgui.depthcache.connection import ConnectionOptions
from depthgui.depthcache.feed import Feed, FeedState
from depthgui.depthcache.hub import Hub, HubOptions
from depthgui.exchange import Exchange
from depthgui.transport.backoff import Backoff


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    async with Exchange() as exchange:
        yield exchange


@pytest.fixture
async def hub(exchange: Exchange) -> AsyncIterator[Hub]:
    connection = ConnectionOptions(backoff=Backoff(first_s=0.1, most_s=0.2))
    async with Hub(Endpoints.at(exchange.base_url), options=HubOptions(connection=connection)) as hub:
        yield hub


async def live(feeds: list[Feed], within_s: float = 15.0) -> None:
    changed = asyncio.Event()
    unlisten = [feed.listen(lambda _: changed.set()) for feed in feeds]
    async with asyncio.timeout(within_s):
        while not all(feed.state is FeedState.LIVE for feed in feeds):
            changed.clear()
            await changed.wait()
    for ends in unlisten:
        ends()


async def until(condition: Callable[[], bool], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - books and counters have no event for each change
            await asyncio.sleep(0.01)


def wrong_levels(exchange: Exchange, feed: Feed) -> list[str]:
    book = feed.book
    assert book is not None
    truth = exchange.book_at(feed.market, feed.symbol, book.last_update_id)
    found = []
    for mine, theirs in ((book.bids, truth.bids), (book.asks, truth.asks)):
        ours = dict(mine.levels())
        found += [
            price
            for price in {*ours, *dict(theirs)}
            if book.coverage.covers(Decimal(price)) and ours.get(price) != dict(theirs).get(price)
        ]
    return found


def timers() -> int:
    """How many timers the loop holds, with those cancelled ones that have not been cleared away."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, EventLoop)
    return loop.timers


async def test_feeds_are_live_in_qt_s_loop_and_come_back(exchange: Exchange, hub: Hub) -> None:
    assert isinstance(asyncio.get_running_loop(), EventLoop)
    assert QApplication.platformName() == "offscreen" or sys.platform != "linux"
    feeds = [hub.feed(SymbolRef(Market.SPOT, "BNBBTC")), hub.feed(SymbolRef(Market.USDM, "SOLUSDT"))]
    for feed in feeds:
        feed.start()
    await live(feeds)
    assert [wrong_levels(exchange, feed) for feed in feeds] == [[], []]
    exchange.disconnect()
    await until(lambda: FeedState.RECONNECTING in {feed.state for feed in feeds}, 5)
    await live(feeds)
    assert [wrong_levels(exchange, feed) for feed in feeds] == [[], []]
    before = [feed.counters.diffs for feed in feeds]
    # An open socket is not enough: the books go on.
    await until(lambda: all(feed.counters.diffs > count for feed, count in zip(feeds, before, strict=True)), 5)
    assert hub.loop_lag.lag_ms < 2000


async def test_messages_leave_no_timers_behind(exchange: Exchange, hub: Hub) -> None:
    """20,000 cancelled timers once made this loop 15 times slower: none may be set for each message."""
    feed = hub.feed(SymbolRef(Market.SPOT, "BTCUSDT"))
    feed.start()
    await live([feed])
    before, messages = timers(), feed.counters.messages
    await until(lambda: feed.counters.messages >= messages + 150, 20)
    assert timers() <= before + 10
