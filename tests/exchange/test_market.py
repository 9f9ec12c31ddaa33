"""The synthetic market: same seed, same life; a book that never crosses; a likeness of the real one."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

import pytest

from depthgui.binance.endpoints import Market
from depthgui.exchange.market import Fill, SyntheticMarket, Touch, UpdateIds
from depthgui.exchange.symbols import listed_symbols

TRADING = [spec for spec in listed_symbols() if spec.is_trading]
BTC = TRADING[0]


def market_of(spec, seed: int = 1, history: int = 0) -> SyntheticMarket:
    stride = 0 if spec.market is Market.SPOT else 14
    return SyntheticMarket(spec, UpdateIds(1000, stride=stride, seed=str(seed)), seed=seed, history=history)


def life(seed: int, steps: int = 400) -> list[object]:
    market = market_of(BTC, seed)
    seen: list[object] = []
    for _ in range(steps):
        market.step()
        seen += [*market.prints, sorted(market.bids_touched), sorted(market.asks_touched), market.book.last_id]
    return [*seen, market.book.bids, market.book.asks]


def test_same_seed_gives_the_same_life() -> None:
    assert life(7) == life(7)


def test_another_seed_gives_another_life() -> None:
    assert life(7) != life(8)


@pytest.mark.parametrize("spec", TRADING, ids=lambda spec: f"{spec.market.value}-{spec.symbol}")
def test_touch_is_right_and_never_crossed(spec) -> None:
    market = market_of(spec)
    for _ in range(800):
        market.step()
        book = market.book
        touch = market.touch
        assert (touch.bid, touch.ask) == (max(book.bids), min(book.asks))
        assert touch.bid < touch.ask
        assert min(*book.bids.values(), *book.asks.values()) > 0
        assert min(book.bids) > 0


@pytest.mark.parametrize("spec", [BTC, TRADING[-1]], ids=lambda spec: spec.symbol)
def test_each_touch_is_the_best_of_the_book_at_its_id(spec) -> None:
    market = market_of(spec, history=100_000)
    touches = []
    for _ in range(1500):
        market.step()
        touches += [one for one in market.prints if isinstance(one, Touch)]
    assert len(touches) > 10
    for touch in touches[:: max(1, len(touches) // 60)]:
        bids, asks = market.book.at(touch.update_id)
        assert (max(bids), bids[max(bids)]) == (touch.bid, touch.bid_size)
        assert (min(asks), asks[min(asks)]) == (touch.ask, touch.ask_size)


def test_touched_levels_are_all_that_changed() -> None:
    market = market_of(BTC)
    bids, asks = dict(market.book.bids), dict(market.book.asks)
    unknown_deletes = 0
    for _ in range(500):
        market.step()
        for mine, theirs, touched in (
            (bids, market.book.bids, market.bids_touched),
            (asks, market.book.asks, market.asks_touched),
        ):
            for tick in touched:
                unknown_deletes += tick not in mine and tick not in theirs
                mine[tick] = theirs.get(tick, 0)
                if not mine[tick]:
                    del mine[tick]
        assert bids == market.book.bids
        assert asks == market.book.asks
    assert unknown_deletes > 10  # deletes of levels that were never there are part of the likeness


def test_likeness() -> None:
    """Loose bounds around protocol.md section 7 for spot BTC; 60 s."""
    market = market_of(BTC)
    updates, spreads, fills, busiest = 0, [], 0, 0
    for _ in range(3000):
        market.step()
        count = len(market.bids_touched) + len(market.asks_touched)
        updates, busiest = updates + count, max(busiest, count)
        spreads.append(market.touch.ask - market.touch.bid)
        fills += sum(isinstance(one, Fill) for one in market.prints)
    assert 100 < updates / 60 < 500
    assert busiest > 30  # bursts: the mean is 4
    assert median(spreads) == 1
    assert 4 < fills / 60 < 60
    assert 1500 < len(market.book.bids) < 6000
    basis_point = market.touch.bid / 10_000
    near = sum(1 for tick in market.book.bids if market.touch.bid - tick < 5 * basis_point)
    assert 40 < near < 300
    sizes = sorted(market.book.bids.values())
    assert sizes[-1] > 500 * sizes[len(sizes) // 2]  # heavy tail


def test_spread_is_wide_at_times() -> None:
    market = market_of(BTC)
    widest = 0
    for _ in range(9000):
        market.step()
        widest = max(widest, market.touch.ask - market.touch.bid)
    assert widest > 200


def test_ids_are_contiguous_on_spot_and_shared_elsewhere() -> None:
    spot, futures = UpdateIds(10), UpdateIds(10, stride=14)
    assert [spot.next() for _ in range(3)] == [11, 12, 13]
    steps = [futures.next() for _ in range(1000)]
    gaps = [after - before for before, after in pairwise(steps)]
    assert min(gaps) >= 1
    assert max(gaps) > 10


def test_symbol_without_a_character_has_no_market() -> None:
    from depthgui.exchange.symbols import spec_from_prices

    spec = spec_from_prices(Market.SPOT, "NKNUSDT", ["0.35210000"], ["672.00000000"])
    assert (str(spec.tick), str(spec.step), spec.base, spec.quote) == ("0.0001", "1", "NKN", "USDT")
    with pytest.raises(ValueError, match="NKNUSDT"):
        market_of(spec)
