"""A synthetic market as a source of venue events: what happened in each step, written as each stream wants it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from depthgui.binance.endpoints import Market
from depthgui.book.messages import BestPrices, Diff, Level, Snapshot
from depthgui.exchange.market import STEP_MS, Fill, SyntheticMarket, Touch, UpdateIds
from depthgui.exchange.source import Message, Publish
from depthgui.exchange.stream_names import Kind, Topic
from depthgui.exchange.symbols import SymbolSpec
from depthgui.exchange.truth_book import best_first
from depthgui.exchange.venue_format import Dialect

#: After a longer sleep the market goes on where it stood, instead of living through what nobody saw.
_LONGEST_CATCH_UP_MS = 1000
_REMEMBERED_STEPS = 60_000 // STEP_MS

OnEvent = Callable[[Market, str, Diff], None]


class _Chain:
    """The events of one depth topic: what was touched since the last event, and the ids that link them."""

    __slots__ = ("asks", "bids", "due_ms", "first_id", "last_id", "topic")

    def __init__(self, topic: Topic, last_id: int, now_ms: int) -> None:
        self.topic = topic
        self.last_id = last_id
        self.first_id = 0
        self.due_ms = now_ms
        self.bids: set[int] = set()
        self.asks: set[int] = set()
        self.set_due(now_ms)

    def set_due(self, now_ms: int) -> None:
        """The next event comes at the next multiple of the stream's interval."""
        every_ms = self.topic.speed_ms or STEP_MS
        self.due_ms = (now_ms // every_ms + 1) * every_ms


class SyntheticSource:
    """Runs one `SyntheticMarket` against the clock.

    `on_event` is called with every diff event of every speed, before any fault; `history` is the number of level
    changes that `book_at` can go back.
    """

    def __init__(
        self, spec: SymbolSpec, ids: UpdateIds, *, seed: int, history: int, on_event: OnEvent | None = None
    ) -> None:
        self.spec = spec
        self.market = SyntheticMarket(spec, ids, seed=seed, history=history)
        self._dialect = Dialect(spec)
        self._on_event = on_event
        self._time_ms = 0
        self._chains: dict[Topic, _Chain] = {}
        self._ids_at: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED_STEPS)
        self._trade_id = 1_000_000 + 7919 * (sum(spec.symbol.encode()) % 997)
        self._agg_id = self._trade_id // 3
        self._mark_due: dict[Topic, int] = {}

    @property
    def runs_unheard(self) -> bool:
        """A synthetic market sleeps when nobody listens."""
        return False

    def advance(self, now_ms: int, topics: Sequence[Topic], publish: Publish) -> None:
        """Live through the steps up to `now_ms`."""
        if now_ms - self._time_ms > _LONGEST_CATCH_UP_MS:
            self._time_ms = now_ms // STEP_MS * STEP_MS - STEP_MS
        self._follow(topics)
        while self._time_ms + STEP_MS <= now_ms:
            self._time_ms += STEP_MS
            if self.spec.is_trading:
                self.market.step()
            self._ids_at.append((self._time_ms, self.market.book.last_id))
            self._collect()
            self._publish_prints(topics, publish)
            self._publish_due(publish)
            self._publish_mark_price(topics, publish)

    # --- books -----------------------------------------------------------------------------------------------------

    def snapshot(self, limit: int | None, now_ms: int, *, age_ms: int = 0) -> Snapshot:
        """The best levels now, or some time ago."""
        book = self.market.book
        if not age_ms:
            return self._as_snapshot(book.last_id, book.bids, book.asks, limit, now_ms)
        then_ms = now_ms - age_ms
        past = [update_id for time_ms, update_id in self._ids_at if time_ms <= then_ms]
        update_id = max(past[-1] if past else book.oldest_id, book.oldest_id)
        bids, asks = book.at(update_id)
        return self._as_snapshot(update_id, bids, asks, limit, then_ms)

    def book_at(self, update_id: int) -> Snapshot:
        """The whole book at an id."""
        bids, asks = self.market.book.at(update_id)
        return self._as_snapshot(update_id, bids, asks, None, self._time_ms)

    def _as_snapshot(
        self, update_id: int, bids: dict[int, int], asks: dict[int, int], limit: int | None, now_ms: int
    ) -> Snapshot:
        return Snapshot(
            update_id,
            self._levels(best_first(bids, is_bid=True, order=None, limit=limit)),
            self._levels(best_first(asks, is_bid=False, order=None, limit=limit)),
            now_ms,
            limit,
        )

    def _levels(self, pairs: list[tuple[int, int]]) -> list[Level]:
        price, size = self._dialect.price, self._dialect.size
        return [(price(tick), size(steps)) for tick, steps in pairs]

    # --- depth -----------------------------------------------------------------------------------------------------

    def _follow(self, topics: Sequence[Topic]) -> None:
        """Begin a chain for each new depth topic, drop those that nobody hears any more."""
        wanted = [topic for topic in topics if topic.kind in (Kind.DIFF, Kind.PARTIAL)]
        if len(wanted) == len(self._chains) and all(topic in self._chains for topic in wanted):
            return
        last_id = self.market.book.last_id
        self._chains = {topic: self._chains.get(topic) or _Chain(topic, last_id, self._time_ms) for topic in wanted}

    def _collect(self) -> None:
        market = self.market
        if not market.first_id:
            return
        for chain in self._chains.values():
            chain.first_id = chain.first_id or market.first_id
            chain.bids |= market.bids_touched
            chain.asks |= market.asks_touched

    def _publish_due(self, publish: Publish) -> None:
        for chain in self._chains.values():
            if self._time_ms < chain.due_ms:
                continue
            chain.set_due(self._time_ms)
            if not chain.first_id:
                continue
            publish(chain.topic, self._depth_message(chain))
            chain.last_id = self.market.book.last_id
            chain.first_id = 0
            chain.bids, chain.asks = set(), set()

    def _depth_message(self, chain: _Chain) -> Message:
        book = self.market.book
        if chain.topic.kind is Kind.PARTIAL:
            snapshot = self.snapshot(chain.topic.levels, self._time_ms)
            return Message(self._dialect.partial(snapshot, first_id=chain.first_id, prev_id=chain.last_id))
        is_spot = self.spec.market is Market.SPOT
        diff = Diff(
            first_id=chain.last_id + 1 if is_spot else chain.first_id,
            last_id=book.last_id,
            event_time_ms=self._time_ms,
            bids=self._levels([(tick, book.bids.get(tick, 0)) for tick in sorted(chain.bids, reverse=True)]),
            asks=self._levels([(tick, book.asks.get(tick, 0)) for tick in sorted(chain.asks)]),
            prev_id=None if is_spot else chain.last_id,
        )
        if self._on_event is not None:
            self._on_event(self.spec.market, self.spec.symbol, diff)
        return Message(self._dialect.diff(diff), diff)

    # --- best prices, trades, mark price ---------------------------------------------------------------------------

    def _publish_prints(self, topics: Sequence[Topic], publish: Publish) -> None:
        prints = self.market.prints
        if not prints or not self.spec.is_trading:
            return
        for topic in topics:
            if topic.kind is Kind.TICKER:
                for touch in prints:
                    if isinstance(touch, Touch):
                        publish(topic, Message(self._ticker(touch)))
        fills = [fill for fill in prints if isinstance(fill, Fill)]
        if fills:
            self._publish_trades(fills, topics, publish)

    def _ticker(self, touch: Touch) -> bytes:
        price, size = self._dialect.price, self._dialect.size
        best = BestPrices(
            touch.update_id,
            price(touch.bid), size(touch.bid_size), price(touch.ask), size(touch.ask_size),
            self._time_ms,
        )  # fmt: skip
        return self._dialect.ticker(best)

    def _publish_trades(self, fills: list[Fill], topics: Sequence[Topic], publish: Publish) -> None:
        first_id = self._trade_id + 1
        self._trade_id += len(fills)
        trade_topics = [topic for topic in topics if topic.kind is Kind.TRADE]
        agg_topics = [topic for topic in topics if topic.kind is Kind.AGG_TRADE]
        if trade_topics:
            for trade_id, fill in enumerate(fills, first_id):
                message = Message(self._trade(trade_id, fill))
                for topic in trade_topics:
                    publish(topic, message)
        for group in _same_order_and_price(fills, first_id):
            self._agg_id += 1
            if agg_topics:
                message = Message(self._agg_trade(group))
                for topic in agg_topics:
                    publish(topic, message)

    def _trade(self, trade_id: int, fill: Fill) -> bytes:
        return self._dialect.trade(
            trade_id, self._dialect.price(fill.tick), self._dialect.size(fill.size), self._time_ms,
            maker=fill.buyer_is_maker, kind="MARKET" if fill.is_market else "INSURANCE_FUND",
        )  # fmt: skip

    def _agg_trade(self, group: list[tuple[int, Fill]]) -> bytes:
        first_id, fill = group[0]
        return self._dialect.agg_trade(
            self._agg_id, self._dialect.price(fill.tick), self._dialect.size(sum(one.size for _, one in group)),
            (first_id, group[-1][0]), self._time_ms, maker=fill.buyer_is_maker,
        )  # fmt: skip

    def _publish_mark_price(self, topics: Sequence[Topic], publish: Publish) -> None:
        for topic in topics:
            if topic.kind is Kind.MARK_PRICE and self._time_ms >= self._mark_due.get(topic, 0):
                self._mark_due[topic] = (self._time_ms // topic.speed_ms + 1) * topic.speed_ms
                touch = self.market.touch
                price = self._dialect.price((touch.bid + touch.ask) // 2)
                publish(topic, Message(self._dialect.mark_price(price, self._time_ms)))


def _same_order_and_price(fills: list[Fill], first_id: int) -> list[list[tuple[int, Fill]]]:
    """Fills as aggregate trades: one per taker order and price. Prints off the market are in none."""
    groups: list[list[tuple[int, Fill]]] = []
    for trade_id, fill in enumerate(fills, first_id):
        if not fill.is_market:
            continue
        if groups and (groups[-1][0][1].order_id, groups[-1][0][1].tick) == (fill.order_id, fill.tick):
            groups[-1].append((trade_id, fill))
        else:
            groups.append([(trade_id, fill)])
    return groups
