"""Text of the venue that is no number, and readers that fail: counted, told once, and no harm to anybody else."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from feed.model_venue import ModelVenue, Watch
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.depthcache.feed import FeedState
from depthgui.depthcache.hub import Hub


async def two_watches(venue: ModelVenue, hub: Hub) -> tuple[Watch, Watch]:
    watches = [
        Watch(hub.feed(SymbolRef(Market.SPOT, name)), venue.add(Market.SPOT, name)) for name in ("BTCUSDT", "ETHUSDT")
    ]
    for watch in watches:
        watch.feed.start()
    await until(lambda: all(watch.feed.state is FeedState.LIVE for watch in watches))
    await asyncio.sleep(1)
    return watches[0], watches[1]


def say(venue: ModelVenue, name: str, event: dict[str, Any]) -> None:
    venue.streams[0].say(json.dumps({"stream": name, "data": event}).encode())


BEST = {"u": 9_999_999, "s": "BTCUSDT", "b": "99.0", "B": "1", "a": "101.0", "A": "1"}
TRADE = {"e": "trade", "E": 1, "T": 1, "s": "BTCUSDT", "t": 1, "p": "100.0", "q": "1", "m": True}


@pytest.mark.expected_logs("further ones are only counted")
@pytest.mark.parametrize(
    ("stream", "event"),
    [
        ("btcusdt@bookTicker", BEST | {"b": "much"}),
        ("btcusdt@bookTicker", BEST | {"A": ""}),
        ("btcusdt@bookTicker", BEST | {"a": "NaN"}),
        ("btcusdt@bookTicker", BEST | {"B": "-1"}),
        ("btcusdt@bookTicker", BEST | {"u": -5}),
        ("btcusdt@bookTicker", BEST | {"s": "ETHUSDT"}),
        ("btcusdt@trade", TRADE | {"p": ""}),
        ("btcusdt@trade", TRADE | {"q": "Infinity"}),
        ("btcusdt@trade", TRADE | {"T": -1}),
        ("btcusdt@trade", TRADE | {"T": 10**25}),
        ("btcusdt@trade", TRADE | {"s": "ETHUSDT"}),
    ],
)
async def test_a_bad_best_price_or_trade_is_counted_and_costs_nobody_anything(
    venue: ModelVenue, hub: Hub, stream: str, event: dict[str, Any]
) -> None:
    first, second = await two_watches(venue, hub)
    for _ in range(5):
        say(venue, stream, event)
        await asyncio.sleep(0.2)
    assert first.feed.counters.malformed == 5
    assert len(first.feed.trades) == 0
    assert first.states == second.states == ["connecting", "live"]
    assert len(venue.streams) == 1
    assert first.wrong == second.wrong == []


async def test_trades_in_exponent_form_and_in_microseconds_are_trades(venue: ModelVenue, hub: Hub) -> None:
    first, _ = await two_watches(venue, hub)
    now_ms = venue.now_ms()
    say(venue, "btcusdt@trade", TRADE | {"q": "1.0E+2", "T": now_ms * 1000})
    await asyncio.sleep(0.1)
    (trade,) = first.feed.trades
    assert (trade.price, trade.size, trade.time_ms) == ("100.0", "100", now_ms)


@pytest.mark.expected_logs("another|further ones are only counted")
async def test_another_symbol_s_diff_is_refused(venue: ModelVenue, hub: Hub) -> None:
    first, second = await two_watches(venue, hub)
    for _ in range(3):
        foreign = second.model.change(0.0, venue.now_ms())
        say(venue, "btcusdt@depth@100ms", foreign)
        venue.publish("ethusdt@depth@100ms", foreign, Market.SPOT)
        await asyncio.sleep(1)
    assert first.feed.counters.malformed == 3
    assert second.feed.counters.malformed == 0
    await until(lambda: first.feed.state is FeedState.LIVE, 5)
    assert first.wrong == second.wrong == []


@pytest.mark.expected_logs("reading btcusdt@trade failed")
async def test_a_reader_that_fails_costs_the_others_nothing(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await two_watches(venue, hub)
    monkeypatch.setattr(first.feed._tape, "_last_id", "not a number")  # so that the next trade fails
    for number in range(4):
        say(venue, "btcusdt@trade", TRADE | {"t": number + 1})
        await asyncio.sleep(0.5)
    await asyncio.sleep(5)
    assert len(venue.streams) == 1
    assert second.states == ["connecting", "live"]
    assert second.wrong == first.wrong == []
    assert first.feed.state is FeedState.LIVE
