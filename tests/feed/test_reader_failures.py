"""A reader that raises costs nobody else anything, and gets its stream again."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from feed.model_venue import ModelVenue, Watch
from feed.waiting import until

from depthgui.binance.endpoints import Market, Route, SymbolRef
from depthgui.book.errors import DepthGuiError, MalformedMessageError
from depthgui.depthcache.feed import Feed, FeedState
from depthgui.depthcache.hub import Hub
from depthgui.depthcache.shared_stream import SharedStream

BTC = SymbolRef(Market.SPOT, "BTCUSDT")


def watch(venue: ModelVenue, hub: Hub, symbol: str) -> Watch:
    one = Watch(hub.feed(SymbolRef(Market.SPOT, symbol)), venue.add(Market.SPOT, symbol))
    one.feed.start()
    return one


class Bomb:
    """Makes a method of one symbol's feeds raise, for some of the calls."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, symbol: str) -> None:
        self.left = 0
        usual = getattr(Feed, name)

        def method(feed: Feed, *arguments: object) -> None:
            if feed.symbol == symbol and self.left:
                self.left -= 1
                raise ZeroDivisionError("by nothing")
            usual(feed, *arguments)

        monkeypatch.setattr(Feed, name, method)


async def live(venue: ModelVenue, hub: Hub) -> tuple[Watch, Watch]:
    one, other = watch(venue, hub, "BTCUSDT"), watch(venue, hub, "ETHUSDT")
    await until(lambda: one.feed.state is other.feed.state is FeedState.LIVE)
    return one, other


def assert_untouched(other: Watch) -> None:
    assert other.states == ["connecting", "live"]
    assert other.wrong == []
    assert other.feed.counters.gaps == 0


@pytest.mark.expected_logs("reading btcusdt@depth@100ms failed")
async def test_a_diff_that_cannot_be_taken_costs_one_resync(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bomb = Bomb(monkeypatch, "_take_depth", "BTCUSDT")
    one, other = await live(venue, hub)
    await asyncio.sleep(1)
    bomb.left = 1
    await until(lambda: one.feed.state is not FeedState.LIVE, 0.3)
    assert await until(lambda: one.feed.state is FeedState.LIVE, 5) < 0.5
    await asyncio.sleep(10)
    assert one.feed.counters.resyncs == 1
    assert one.wrong == []
    assert_untouched(other)
    assert len(venue.streams) == 1
    assert len(venue.streams[0].sent) == 1
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)


@pytest.mark.expected_logs("reading btcusdt@depth@100ms failed")
async def test_one_that_always_fails_is_tried_ever_more_rarely(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bomb = Bomb(monkeypatch, "_take_depth", "BTCUSDT")
    one, other = await live(venue, hub)
    bomb.left = 10**9
    await asyncio.sleep(0.2)
    assert one.feed.state is FeedState.RECONNECTING
    assert "Internal error (ZeroDivisionError: by nothing)" in one.feed.status.detail
    asked = len(venue.rest.snapshots("BTCUSDT"))
    await asyncio.sleep(600)
    assert 10**9 - bomb.left < 25
    assert len(venue.rest.snapshots("BTCUSDT")) - asked < 25
    assert one.feed.state is not FeedState.LIVE
    assert_untouched(other)
    assert len(venue.streams) == 1
    bomb.left = 0
    await until(lambda: one.feed.state is FeedState.LIVE, 61)
    assert one.wrong == []
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


@pytest.mark.parametrize("name", ["_take_trade", "_take_best_prices"])
async def test_trades_and_best_prices_that_cannot_be_taken_leave_the_books_alone(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch, expected_logs, name: str
) -> None:
    kind = {"_take_trade": "trade", "_take_best_prices": "bookTicker"}[name]
    expected_logs.require(f"reading btcusdt@{kind} failed")
    bomb = Bomb(monkeypatch, name, "BTCUSDT")
    one, other = await live(venue, hub)
    bomb.left = 3
    for number in range(1, 100):
        trade = {"t": number, "p": "100.00", "q": "1.000", "T": 1, "m": True}
        venue.publish("btcusdt@trade", trade, Market.SPOT)
        await asyncio.sleep(0.1)
    assert bomb.left == 0
    assert_untouched(one)
    assert_untouched(other)
    assert one.feed.trades[-1].trade_id == 99
    assert len(one.feed.trades) >= (80 if name == "_take_trade" else 99)


@pytest.mark.expected_logs("reading btcusdt@depth@100ms failed")
@pytest.mark.parametrize("name", ["_stream_opened", "_stream_lost"])
async def test_one_that_fails_when_it_is_told_something(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    bomb = Bomb(monkeypatch, name, "BTCUSDT")
    one, other = await live(venue, hub)
    bomb.left = 1
    venue.streams[0].cut()
    await until(lambda: one.feed.state is other.feed.state is FeedState.LIVE and len(venue.streams) == 2, 10)
    await asyncio.sleep(5)
    assert one.wrong == other.wrong == []
    assert one.ids[-1] >= one.model.last_id - 8
    assert other.ids[-1] >= other.model.last_id - 8


@pytest.mark.expected_logs("changing from .* failed", "the second socket brings nothing")
async def test_a_failure_during_a_change_of_sockets_costs_no_socket(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await live(venue, hub)

    def fail(*_: object) -> bool:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(SharedStream, "has_caught_up", fail)
        hub.rotate()
        await asyncio.sleep(5)
    assert len(venue.open_streams) == 1
    await until(lambda: venue.streams[0].is_closed, 120)
    await asyncio.sleep(5)
    assert_untouched(one)
    assert_untouched(other)


class _Reader:
    """A reader beside a feed that fails at every frame."""

    ref = BTC

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.lost: list[DepthGuiError] = []

    def stream_opened(self, epoch: int) -> None:
        pass

    def stream_lost(self, error: DepthGuiError) -> None:
        self.lost.append(error)
        if len(self.lost) == 2:
            raise self.error

    def frame(self, payload: msgspec.Raw, epoch: int) -> None:
        raise self.error

    def has_caught_up(self, epoch: int) -> bool:
        raise self.error


@pytest.mark.expected_logs("btcusdt@depth@100ms failed|malformed")
@pytest.mark.parametrize("error", [ZeroDivisionError(), RecursionError(), MalformedMessageError("bad")])
async def test_two_readers_of_one_stream_of_which_one_fails(venue: ModelVenue, hub: Hub, error: Exception) -> None:
    reader = _Reader(error)
    hub.subscribe(Market.SPOT, Route.PUBLIC, "btcusdt@depth@100ms", reader)
    one, other = await live(venue, hub)
    await asyncio.sleep(60)
    assert_untouched(one)
    assert_untouched(other)
    assert bool(reader.lost) is not isinstance(error, MalformedMessageError)
    hub.unsubscribe(Market.SPOT, Route.PUBLIC, "btcusdt@depth@100ms", reader)
    assert len(venue.streams) == 1


@pytest.mark.expected_logs("reading bnbusdt@depth@100ms failed")
async def test_a_reader_that_nobody_guards(venue: ModelVenue, hub: Hub) -> None:
    """The socket itself keeps the others alive, too."""
    one, other = await live(venue, hub)
    venue.add(Market.SPOT, "BNBUSDT")
    (shared,) = {stream.connection for stream in hub._streams.values()}
    reader = _Reader(ZeroDivisionError())
    reader.lost.extend([MalformedMessageError("placeholder")] * 2)
    shared.subscribe("bnbusdt@depth@100ms", reader)
    await asyncio.sleep(60)
    assert 2 + 4 <= len(reader.lost) <= 2 + 8
    shared.unsubscribe("bnbusdt@depth@100ms")
    assert_untouched(one)
    assert_untouched(other)
    assert len(venue.streams) == 1
