"""The engine on real sockets, against the embedded exchange in the same process; its clock goes ten times too fast."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from depthgui.binance.endpoints import Endpoints, Market, SymbolRef
from depthgui.book.sync import SyncLimits
from depthgui.depthcache.connection import ConnectionOptions
from depthgui.depthcache.feed import Feed, FeedOptions, FeedState
from depthgui.depthcache.hub import Hub, HubOptions
from depthgui.exchange import Exchange, ManualClock
from depthgui.transport.backoff import Backoff

STEP_MS = 100
STEP_EVERY_S = 0.01

# Real seconds: a diff comes every 10 ms here.
QUICK = SyncLimits(quiet_grace_s=0.2, silent_min_s=0.3, silent_max_s=0.6, silent_first_s=0.6, prove_s=0.3, owed_s=0.3)


@pytest.hookimpl(tryfirst=True)
def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Callable[[], Any]]:
    """Real sockets need the real loop."""
    return {"asyncio": asyncio.new_event_loop}


@pytest.fixture(autouse=True)
def quick_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks and retries in tenths of a second, so that a test takes one or two."""
    monkeypatch.setattr("depthgui.depthcache.hub._TICK_S", 0.05)
    quick = Backoff(first_s=0.05, most_s=0.2)
    monkeypatch.setattr("depthgui.depthcache.snapshot_fetch.Backoff", lambda **_: quick)
    monkeypatch.setattr("depthgui.depthcache.connection._SILENT_SOCKET_S", 0.2)
    monkeypatch.setattr("depthgui.depthcache.subscriptions.ANSWER_S", 0.3)
    monkeypatch.setattr("depthgui.exchange.market._TABLE", 256)  # the draws of a market are half of what a test costs


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    """An exchange whose time a task drives."""
    async with Exchange(clock=ManualClock(), enforce_limits=False) as exchange:

        async def drive() -> None:
            while True:
                exchange.step(STEP_MS)
                await asyncio.sleep(STEP_EVERY_S)

        driver = asyncio.create_task(drive())
        yield exchange
        driver.cancel()
        await asyncio.gather(driver, return_exceptions=True)


@pytest.fixture
async def hub(exchange: Exchange) -> AsyncIterator[Hub]:
    """A hub on the exchange, with little patience."""
    options = HubOptions(
        connection=ConnectionOptions(backoff=Backoff(first_s=0.05, most_s=0.2)),
        feed=FeedOptions(sync=QUICK),
    )
    async with Hub(Endpoints.at(exchange.base_url), options=options) as hub:
        yield hub


class Truth:
    """Compares a feed's book with the exchange's own at the same id, at every change while the feed says it is live."""

    def __init__(self, exchange: Exchange, feed: Feed) -> None:
        self.feed = feed
        self.checked = 0
        self.wrong: list[str] = []
        self.states: list[FeedState] = []
        self._exchange = exchange
        feed.listen_changes(lambda _: self.check())
        feed.listen(self._on_state)

    def check(self) -> None:
        feed, book = self.feed, self.feed.book
        if feed.state is not FeedState.LIVE or book is None:
            return
        self.checked += 1
        theirs = self._exchange.book_at(feed.market, feed.symbol, book.last_update_id)
        low = float(book.coverage.low or 0)
        high = float(book.coverage.high or "inf")
        for name, mine, truth in (("bid", book.bids, theirs.bids), ("ask", book.asks, theirs.asks)):
            ours = [level for level in mine.levels() if low <= float(level[0]) <= high]
            known = [level for level in truth if low <= float(level[0]) <= high]
            if ours != known:
                levels = sorted(set(ours) ^ set(known))
                self.wrong.append(f"{name}s at {book.last_update_id}: {levels[:3]} ({len(levels)} in all)")

    async def live(self, within_s: float = 10.0, *, more: int = 5) -> None:
        """Wait until the feed is live and has changed `more` times since."""
        await self.until(lambda: self.feed.state is FeedState.LIVE, within_s)
        target = self.checked + more
        await self.until(lambda: self.checked >= target, within_s)

    async def until(self, condition: Callable[[], object], within_s: float = 10.0) -> None:
        """Wait for something that a change or a state brings."""
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - it depends on the exchange, too, which has no event to wait for
                await asyncio.sleep(0.005)

    def _on_state(self, _: Feed) -> None:
        if not self.states or self.states[-1] is not self.feed.state:
            self.states.append(self.feed.state)
        self.check()


SYMBOLS = {
    Market.SPOT: "BNBBTC",
    Market.USDM: "SOLUSDT",
    Market.COINM: "ETHUSD_PERP",
    Market.OPTIONS: "BTC-261225-100000-C",
}


@pytest.fixture
def start(exchange: Exchange, hub: Hub) -> Callable[..., Truth]:
    """Start a feed of a market's quietest symbol and watch it."""

    def start_one(market: Market = Market.SPOT, symbol: str = "", options: FeedOptions | None = None) -> Truth:
        feed = hub.feed(SymbolRef(market, symbol or SYMBOLS[market]), options)
        truth = Truth(exchange, feed)
        feed.start()
        return truth

    return start_one
