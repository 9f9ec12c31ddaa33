"""One symbol of the synthetic market: a seeded order book that lives in fixed steps of time.

What it imitates, with the figures of protocol.md section 7: a mid price that rests and then jumps, bursts of updates
around those jumps, levels that are dense near the touch and live from a tenth of a second to minutes, sizes over six
orders of magnitude, big resting orders at round prices, far levels that are sent again and again, deletes of levels
that were never there, and now and then a spread that stays wide for a moment. It never crosses.

It counts prices in ticks and sizes in steps, knows no clock, no text and no network, and gives the same life for the
same seed and the same number of steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

from depthgui.binance.endpoints import Market
from depthgui.exchange.symbols import Character, SymbolSpec
from depthgui.exchange.truth_book import TruthBook

#: Length of one step, in milliseconds.
STEP_MS = 20

_DT_S = STEP_MS / 1000
_TABLE = 4096  # draws are prepared once per symbol: a table look-up costs a tenth of a logarithm
_SCAN_TICKS = 400  # how far a neighbouring level is looked for tick by tick before all keys are compared


class UpdateIds:
    """Where update ids come from: contiguous per symbol on spot, shared by all symbols of a futures market.

    `stride` is the mean number of ids that other symbols use up between two changes of one symbol; 0 for none.
    """

    __slots__ = ("_rng", "_stride", "last")

    def __init__(self, first: int, *, stride: int = 0, seed: str = "") -> None:
        self.last = first
        self._stride = stride
        self._rng = Random(f"ids/{seed}")

    def next(self) -> int:
        """The next id."""
        self.last += 1 + (int(self._rng.random() * 2 * self._stride) if self._stride else 0)
        return self.last


@dataclass(frozen=True, slots=True)
class Touch:
    """Best prices and sizes right after update `update_id`; prices in ticks, sizes in steps."""

    update_id: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade: `order_id` is the same for all fills of one taker order; `is_market` is False for a fund's print."""

    order_id: int
    tick: int
    size: int
    buyer_is_maker: bool
    is_market: bool = True


class SyntheticMarket:
    """The book of one symbol and the orders that change it.

    Call `step()`; then `bids_touched` and `asks_touched` hold the ticks whose level was written in that step (their
    sizes are in `book`, absent ones were removed), `first_id` is the id of the first change (0 if none), and
    `prints` holds `Touch` and `Fill` in the order they happened.
    """

    def __init__(self, spec: SymbolSpec, ids: UpdateIds, *, seed: int, history: int = 0) -> None:
        """Make the opening book. ValueError for a symbol without a `character`."""
        if spec.character is None:
            raise ValueError(f"{spec.symbol} has no synthetic market")
        self.spec = spec
        self.steps = 0
        self.first_id = 0
        self.bids_touched: set[int] = set()
        self.asks_touched: set[int] = set()
        self.prints: list[Touch | Fill] = []
        self.book: TruthBook[int, int] = TruthBook(ids.last, history)
        self._ids = ids
        self._rng = Random(f"{seed}/{spec.market.value}/{spec.symbol}")
        self._character: Character = spec.character
        self._draws = _Draws(spec, spec.character, self._rng)
        self._expiry: dict[int, list[tuple[bool, int]]] = {}
        self._deadline: dict[tuple[bool, int], int] = {}  # a level put back later must not die at its old hour
        self._orders = 0
        self._excitement = 0.0
        self._wide_until = 0
        mid = int(spec.character.mid / spec.tick)
        self._anchor = self._fair = mid + 0.5
        self._best_bid = mid
        self._best_ask = mid + spec.character.spread_ticks
        self._last_touch: Touch | None = None
        self._far_bids: list[int] = []
        self._far_asks: list[int] = []
        self._open()

    # --- reading ---------------------------------------------------------------------------------------------------

    @property
    def touch(self) -> Touch:
        """Best prices and sizes now."""
        bid, ask = self._best_bid, self._best_ask
        return Touch(self.book.last_id, bid, self.book.bids[bid], ask, self.book.asks[ask])

    # --- the opening book ------------------------------------------------------------------------------------------

    def _open(self) -> None:
        update_id = self._ids.next()
        bids, asks = self._opening_side(is_bid=True), self._opening_side(is_bid=False)
        self.book.replace(update_id, bids, asks)
        if self.spec.market in (Market.SPOT, Market.USDM) and self.spec.is_trading:
            self._add_forgotten_orders()
        self._far_bids = sorted(bids)[:12]
        self._far_asks = sorted(asks)[-12:]
        for _ in range(5):
            self._rest_a_big_order()
        self._clear_step()

    def _opening_side(self, *, is_bid: bool) -> dict[int, int]:
        best = self._best_bid if is_bid else self._best_ask
        side = {best: self._draws.touch_size()}
        wanted = min(self._character.levels, max(10, best * 4 // 5))
        tries = 0
        while len(side) < wanted and tries < wanted * 8:
            tries += 1
            distance = self._draws.opening_distance()
            tick = best - distance if is_bid else best + distance
            if tick > 0 and tick not in side:
                side[tick] = self._draws.size()
                if distance <= self._draws.near_ticks:
                    self._let_expire(is_bid, tick, self._draws.life_steps(distance) * 2 + 50)
        return side

    def _add_forgotten_orders(self) -> None:
        """Far bids such as 500 BTC at 1000.00: they make a size bar scaled to the whole book useless."""
        median = float(self._character.typical_size / self.spec.step)
        for fraction, factor in ((0.015, 9000), (0.08, 400), (0.3, 90)):
            tick = _rounded(int(self._best_bid * fraction), 2)
            if tick > 0:
                self.book.bids[tick] = max(1, int(median * factor))

    # --- one step --------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Let `STEP_MS` pass."""
        self._clear_step()
        self.steps += 1
        rng = self._rng
        self._excite()
        self._expire()
        self._move()
        for _ in range(self._count(self._character.updates_per_s * (0.34 + self._excitement) * _DT_S)):
            self._one_update()
        if rng.random() < self._character.trades_per_s * _DT_S * (0.7 + self._excitement):
            self._take_some()
        if rng.random() < 0.09:
            self._resend_far()
        if rng.random() < _DT_S / 15:
            self._rest_a_big_order()
        if rng.random() < _DT_S / 75:
            self._widen()
        if self.steps >= self._wide_until:
            self._close_spread()
        if self.spec.market is not Market.SPOT and rng.random() < _DT_S / 150:
            self._fund_print()

    def _clear_step(self) -> None:
        self.first_id = 0
        self.bids_touched = set()
        self.asks_touched = set()
        self.prints = []

    def _excite(self) -> None:
        """Bursts: rare, sudden, over in a second; strength heavy-tailed."""
        self._excitement *= 0.93
        if self._rng.random() < 0.12 * _DT_S:
            self._excitement += min(14.0, 2.0 * math.exp(self._rng.gauss(0.0, 0.9)))

    def _count(self, mean: float) -> int:
        """A Poisson number with this mean."""
        if mean > 30:
            return max(0, round(self._rng.gauss(mean, math.sqrt(mean))))
        limit, product, count = math.exp(-mean), self._rng.random(), 0
        while product > limit:
            product *= self._rng.random()
            count += 1
        return count

    # --- writing levels --------------------------------------------------------------------------------------------

    def _set(self, is_bid: bool, tick: int, size: int) -> None:
        """The one place that changes the book. Size 0 removes; removing what isn't there is sent all the same."""
        update_id = self._ids.next()
        if not self.first_id:
            self.first_id = update_id
        book = self.book
        book.set(update_id, is_bid, tick, size or None)
        if is_bid:
            self.bids_touched.add(tick)
            is_at_touch = self._moves_bid(tick, size)
        else:
            self.asks_touched.add(tick)
            is_at_touch = self._moves_ask(tick, size)
        if is_at_touch:
            touch = self.touch
            if self._last_touch is None or not _same_touch(touch, self._last_touch):
                self.prints.append(touch)
                self._last_touch = touch

    def _moves_bid(self, tick: int, size: int) -> bool:
        """Keep the best bid right; True if the change was at the touch."""
        best = self._best_bid
        if tick < best:
            return False
        if size:
            self._best_bid = tick
        elif tick == best:
            self._best_bid = _next_level(self.book.bids, tick, -1)
        return True

    def _moves_ask(self, tick: int, size: int) -> bool:
        best = self._best_ask
        if tick > best:
            return False
        if size:
            self._best_ask = tick
        elif tick == best:
            self._best_ask = _next_level(self.book.asks, tick, 1)
        return True

    def _let_expire(self, is_bid: bool, tick: int, steps: int) -> None:
        deadline = self.steps + steps
        self._deadline[is_bid, tick] = deadline
        self._expiry.setdefault(deadline, []).append((is_bid, tick))

    def _expire(self) -> None:
        for is_bid, tick in self._expiry.pop(self.steps, ()):
            if self._deadline.get((is_bid, tick)) != self.steps:
                continue
            del self._deadline[is_bid, tick]
            side = self.book.bids if is_bid else self.book.asks
            if tick not in side:
                continue
            if tick == (self._best_bid if is_bid else self._best_ask):
                self._let_expire(is_bid, tick, 25 + int(self._rng.random() * 100))
            elif len(side) > 10:
                self._set(is_bid, tick, 0)

    # --- orders that rest ------------------------------------------------------------------------------------------

    def _one_update(self) -> None:
        rng, draws = self._rng, self._draws
        is_bid = rng.random() < 0.5
        side = self.book.bids if is_bid else self.book.asks
        best = self._best_bid if is_bid else self._best_ask
        distance = draws.distance()
        tick = best - distance if is_bid else best + distance
        if tick <= 0:
            return
        chance = rng.random()
        if tick not in side and chance < 0.4:
            tick = _any_near(side, tick, 60)
        old = side.get(tick)
        if old is None:
            if chance > 0.84:
                self._set(is_bid, tick, 0)
            else:
                self._set(is_bid, tick, draws.size() if distance else draws.touch_size())
                self._let_expire(is_bid, tick, draws.life_steps(distance))
        elif tick == best:
            self._set(is_bid, tick, draws.touch_size() if chance < 0.6 else max(1, int(old * (0.5 + rng.random()))))
        elif chance < 0.06:
            self._set(is_bid, tick, old)
        elif chance < 0.3:
            self._set(is_bid, tick, max(1, int(old * (0.6 + 0.8 * rng.random()))))
        elif chance < draws.removal_chance and len(side) > self._character.levels // 2:
            self._set(is_bid, tick, 0)
        else:
            self._set(is_bid, tick, draws.size())

    def _resend_far(self) -> None:
        is_bid = self._rng.random() < 0.6
        side, far = (self.book.bids, self._far_bids) if is_bid else (self.book.asks, self._far_asks)
        if not far:
            return
        tick = far[int(self._rng.random() * len(far))]
        size = side.get(tick)
        if size is not None and tick != (self._best_bid if is_bid else self._best_ask):
            self._set(is_bid, tick, size if self._rng.random() < 0.7 else max(1, size + int(size * 0.01) - 1))

    def _rest_a_big_order(self) -> None:
        is_bid = self._rng.random() < 0.5
        best = self._best_bid if is_bid else self._best_ask
        away = 3 + int(self._draws.near_ticks * (0.1 + 2.5 * self._rng.random() ** 2))
        tick = _rounded(best - away if is_bid else best + away, self._draws.round_digits)
        if 0 < tick < self._best_bid if is_bid else tick > self._best_ask:
            self._set(is_bid, tick, self._draws.big_size())
            self._let_expire(is_bid, tick, int((10 + 80 * self._rng.random()) / _DT_S))

    # --- the price moves -------------------------------------------------------------------------------------------

    def _move(self) -> None:
        """The fair price walks; when it has left the touch far enough, someone sweeps the book up or down to it."""
        draws = self._draws
        sigma = draws.sigma_ticks * (0.55 + 1.6 * self._excitement)
        self._fair += self._rng.gauss(0.0, sigma) + (self._anchor - self._fair) * 2e-5
        mid = (self._best_bid + self._best_ask) / 2
        gap = self._fair - mid
        if abs(gap) > draws.patience_ticks * (0.6 + 0.8 * self._rng.random()):
            self._sweep(is_up=gap > 0, target=max(1, round(self._fair)))

    def _sweep(self, *, is_up: bool, target: int) -> None:
        """Eat the levels between the touch and `target`; the other side follows."""
        asks = self.book.asks
        side = asks if is_up else self.book.bids
        buyers = self._rng.random() < 0.6
        order_id = self._next_order()
        for _ in range(120):
            best = self._best_ask if is_up else self._best_bid
            if (best >= target if is_up else best <= target) or len(side) <= 10:
                break
            size = side[best]
            if size > self._draws.wall_size and self._rng.random() < 0.85:
                self._bounce_off(is_up, best, size, order_id)
                return
            if buyers:
                self.prints.append(Fill(order_id, best, size, buyer_is_maker=not is_up))
            self._set(not is_up, best, 0)
        self._follow(is_up)

    def _bounce_off(self, is_up: bool, tick: int, size: int, order_id: int) -> None:
        taken = max(1, int(size * (0.02 + 0.2 * self._rng.random())))
        self.prints.append(Fill(order_id, tick, taken, buyer_is_maker=not is_up))
        self._set(not is_up, tick, size - taken)
        step_back = self._draws.patience_ticks * self._rng.random()
        self._fair = tick - step_back if is_up else tick + step_back
        self._follow(is_up)

    def _follow(self, is_up: bool) -> None:
        """After a sweep the side that was not eaten moves up to the new touch, with some depth behind it."""
        self._tighten(with_bid=is_up)
        best = self._best_bid if is_up else self._best_ask
        for _ in range(3 + int(self._rng.random() * 9)):
            distance = 1 + int(self._draws.distance() ** 0.8)
            tick = best - distance if is_up else best + distance
            if tick > 0:
                self._set(is_up, tick, self._draws.size())
                self._let_expire(is_up, tick, self._draws.life_steps(distance))

    def _close_spread(self) -> None:
        if self._best_ask - self._best_bid > self._character.spread_ticks and (
            self._character.spread_ticks == 1 or self._rng.random() < 0.2
        ):
            self._tighten(with_bid=self._fair > (self._best_bid + self._best_ask) / 2)

    def _tighten(self, *, with_bid: bool) -> None:
        spread = self._character.spread_ticks
        if self._best_ask - self._best_bid <= spread:
            return
        tick = self._best_ask - spread if with_bid else self._best_bid + spread
        if tick > 0:
            self._set(with_bid, tick, self._draws.touch_size())
            self._let_expire(with_bid, tick, self._draws.life_steps(1) + 20)

    def _widen(self) -> None:
        """Makers step back: the levels around the touch vanish, and it stays so for up to two seconds."""
        width = max(6, int(self._draws.near_ticks * (0.15 + 0.5 * self._rng.random() ** 2)))
        bid_edge, ask_edge = self._best_bid - width, self._best_ask + width
        for _ in range(160):
            if self._best_bid > bid_edge and len(self.book.bids) > 20:
                self._set(True, self._best_bid, 0)
            elif self._best_ask < ask_edge and len(self.book.asks) > 20:
                self._set(False, self._best_ask, 0)
            else:
                break
        self._fair = (self._best_bid + self._best_ask) / 2
        self._wide_until = self.steps + int((0.3 + 1.7 * self._rng.random()) / _DT_S)

    # --- trades ----------------------------------------------------------------------------------------------------

    def _take_some(self) -> None:
        """Taker orders at the touch, small enough that the level stands; sweeps are the ones that break levels."""
        for _ in range(1 + self._count(0.4 + 0.5 * min(self._excitement, 8))):
            buys = self._rng.random() < (0.62 if self._fair > (self._best_bid + self._best_ask) / 2 else 0.38)
            tick = self._best_ask if buys else self._best_bid
            size = (self.book.asks if buys else self.book.bids)[tick]
            wanted = self._draws.trade_size()
            if size < 2:
                continue
            taken = min(wanted, size - 1)
            order_id = self._next_order()
            if taken > 3 and self._rng.random() < 0.3:
                first = max(1, int(taken * self._rng.random()))
                self.prints.append(Fill(order_id, tick, first, buyer_is_maker=not buys))
                self.prints.append(Fill(order_id, tick, taken - first or 1, buyer_is_maker=not buys))
            else:
                self.prints.append(Fill(order_id, tick, taken, buyer_is_maker=not buys))
            self._set(not buys, tick, size - taken)

    def _fund_print(self) -> None:
        """A print two per cent off the market, as the insurance fund makes them; it touches no level."""
        off = 1.02 if self._rng.random() < 0.5 else 0.98
        self.prints.append(
            Fill(self._next_order(), int(self._best_bid * off), self._draws.trade_size(), False, is_market=False)
        )

    def _next_order(self) -> int:
        self._orders += 1
        return self._orders


class _Draws:
    """Random sizes, distances and lifetimes of one symbol, from tables made once."""

    def __init__(self, spec: SymbolSpec, character: Character, rng: Random) -> None:
        self._rng = rng
        mid_ticks = float(character.mid / spec.tick)
        bp = mid_ticks / 10_000
        self.near_ticks = max(5 * bp, 30.0)
        far_ticks = max(100 * bp, 300.0)
        self.sigma_ticks = character.volatility_bp * bp * math.sqrt(_DT_S)
        self.patience_ticks = max(0.75, 0.35 * bp * character.volatility_bp / 0.45, character.spread_ticks * 0.8)
        self.round_digits = max(1, int(math.log10(max(self.near_ticks, 10.0))))
        # Where a basis point is only a few ticks, nearly every tick is taken, and levels live long.
        crowding = min(20.0, max(1.0, 600 / self.near_ticks))
        self.removal_chance = 0.3 + 0.32 / crowding
        median = float(character.typical_size / spec.step)
        self.wall_size = int(median * 120)
        self._sizes = [_humanly(_log_normal(rng, median, 1.9), rng) for _ in range(_TABLE)]
        self._touch_sizes = [max(2, _log_normal(rng, median * 12, 1.2)) for _ in range(512)]
        self._trade_sizes = [_log_normal(rng, median / 20, 2.0) for _ in range(_TABLE)]
        self._distances = [self._one_distance(far_ticks, mid_ticks) for _ in range(_TABLE)]
        self._near_share = min(0.3, 400 / character.levels)
        self._openings = [self._one_opening(bp, mid_ticks) for _ in range(_TABLE * 4)]
        self._lives = [min(6000, max(3, _log_normal(rng, 0.8 * crowding / _DT_S, 1.9))) for _ in range(1024)]

    def _pick(self, table: list[int]) -> int:
        return table[int(self._rng.random() * len(table))]

    def size(self) -> int:
        """Size of an ordinary order, in steps, at least 1."""
        return self._pick(self._sizes)

    def touch_size(self) -> int:
        """Size of a best level, at least 2 steps."""
        return self._pick(self._touch_sizes)

    def trade_size(self) -> int:
        """Size of a taker order."""
        return self._pick(self._trade_sizes)

    def big_size(self) -> int:
        """Size of an order that stands out."""
        return int(self.wall_size * (1.0 + 3.0 * self._rng.random() ** 2))

    def distance(self) -> int:
        """Ticks between the best price and an update."""
        return self._pick(self._distances)

    def opening_distance(self) -> int:
        """Ticks between the best price and a level of the opening book."""
        return self._pick(self._openings)

    def life_steps(self, distance: int) -> int:
        """How many steps a new level lives; far ones live longer."""
        return 3 + int(self._pick(self._lives) * (1 + min(40.0, distance / self.near_ticks * 4)))

    def _one_distance(self, far_ticks: float, mid_ticks: float) -> int:
        chance, amount = self._rng.random(), self._rng.random()
        if chance < 0.06:
            return 0
        if chance < 0.54:
            return 1 + int(self.near_ticks * amount**1.5)
        if chance < 0.96:
            return int(self.near_ticks + (far_ticks - self.near_ticks) * amount**2)
        return int(min(far_ticks * math.exp(3 * amount), mid_ticks * 0.9))

    def _one_opening(self, bp: float, mid_ticks: float) -> int:
        """Density of a real book: even near the touch, thinning out by the logarithm of the distance."""
        chance, amount = self._rng.random(), self._rng.random()
        if chance < self._near_share:
            return 1 + int(max(20 * bp, 120.0) * amount)
        if chance < 0.75:
            return int(max(20 * bp, 120.0) * math.exp(amount * math.log(10)))
        ticks = int(max(200 * bp, 600.0) * math.exp(amount * math.log(22)))
        return _rounded(ticks, self.round_digits) if ticks < mid_ticks * 0.97 else int(mid_ticks * 0.5 * amount) + 1


def _log_normal(rng: Random, median: float, sigma: float) -> int:
    return max(1, int(median * math.exp(rng.gauss(0.0, sigma))))


def _humanly(size: int, rng: Random) -> int:
    """People like round sizes; programs don't care."""
    return max(1, _rounded(size, max(0, len(str(size)) - 1))) if rng.random() < 0.2 else size


def _rounded(value: int, digits: int) -> int:
    unit: int = 10**digits
    return (value + unit // 2) // unit * unit


def _next_level(side: dict[int, int], tick: int, direction: int) -> int:
    for distance in range(1, _SCAN_TICKS):
        if tick + direction * distance in side:
            return tick + direction * distance
    return min(side) if direction > 0 else max(side)


def _any_near(side: dict[int, int], tick: int, reach: int) -> int:
    """The nearest level within `reach` ticks, or `tick` itself."""
    for distance in range(1, reach):
        if tick + distance in side:
            return tick + distance
        if tick - distance in side:
            return tick - distance
    return tick


def _same_touch(one: Touch, other: Touch) -> bool:
    return (one.bid, one.bid_size, one.ask, one.ask_size) == (other.bid, other.bid_size, other.ask, other.ask_size)
