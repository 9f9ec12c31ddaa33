"""Snapshots: the budget of request weight, whose turn it is, refusals of every kind, and audits."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from feed.conftest import MakeHub
from feed.model_venue import Asked, ModelRest, ModelVenue, Watch
from feed.virtual_loop import VirtualLoop
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.binance.limits import WeightBudget, WeightPool
from depthgui.book.errors import (
    BinanceAPIException,
    BinanceUnableToConnect,
    ConnectFailedError,
    RegionNotServedError,
    RequestTimeoutError,
    UnknownSymbolError,
)
from depthgui.depthcache.feed import FeedOptions, FeedState
from depthgui.depthcache.hub import Hub
from depthgui.depthcache.venue_rest import _Turns
from depthgui.transport.rest import RestAnswer

BTC = SymbolRef(Market.SPOT, "BTCUSDT")
ETH = SymbolRef(Market.SPOT, "ETHUSDT")


def first(count: int, answer: object, path: str = "depth") -> Callable[[Asked], object]:
    """Refuse the first `count` requests of `path` with `answer`."""
    left = [count]

    def refuse(asked: Asked) -> object:
        if asked.path != path or not left[0]:
            return None
        left[0] -= 1
        return answer

    return refuse


def api_error(status: int, code: int, text: str) -> RestAnswer:
    return ModelRest.answer(status, {"code": code, "msg": text})


def started(venue: ModelVenue, hub: Hub, ref: SymbolRef = BTC, options: FeedOptions | None = None) -> Watch:
    model = venue.symbols.get((ref.market, ref.symbol)) or venue.add(ref.market, ref.symbol)
    watch = Watch(hub.feed(ref, options), model)
    watch.feed.start()
    return watch


@pytest.mark.parametrize(("market", "limit_per_minute"), [(Market.SPOT, 6000), (Market.USDM, 2400)])
async def test_200_feeds_at_once_stay_within_the_budget(
    venue: ModelVenue, hub: Hub, market: Market, limit_per_minute: int
) -> None:
    venue.rest.limit_per_minute = limit_per_minute
    names = [f"S{number:03}USDT" for number in range(200)]
    for name in names:
        venue.add(market, name, every_s=2.0)
    feeds = [hub.feed(SymbolRef(market, name)) for name in names]
    for feed in feeds:
        feed.start()
    looked_at = feeds[170]
    looked_at.urgency = -1
    await asyncio.sleep(5)
    assert looked_at.state is FeedState.LIVE  # what the user looks at does not queue behind 170 others
    waiting = [feed for feed in feeds if feed.state is FeedState.CONNECTING]
    assert len(waiting) > 50
    assert "requests are spaced out to stay within Binance's limit; requests go on in" in waiting[-1].status.detail
    await until(lambda: all(feed.state is FeedState.LIVE for feed in feeds), 400, every_s=1.0)
    assert venue.rest.refused == 0
    assert venue.rest.most_used(market) <= 0.8 * limit_per_minute
    assert len(venue.rest.snapshots()) <= 220  # some were too slow to show by diffs that they live
    used, limit = hub.weight(market)
    assert limit == limit_per_minute
    assert 0 < used <= 0.8 * limit


async def test_weight_that_others_on_this_address_spend_is_counted(venue: ModelVenue, hub: Hub) -> None:
    venue.listed |= {f"S{number}USDT" for number in range(10)}
    venue.rest._minutes[Market.SPOT, int(asyncio.get_running_loop().time() // 60)] += 4400
    watch = started(venue, hub)
    await until(lambda: watch.feed.state is FeedState.LIVE)
    assert hub.weight(Market.SPOT)[0] > 4400
    others = [started(venue, hub, SymbolRef(Market.SPOT, f"S{number}USDT")) for number in range(10)]
    await asyncio.sleep(10)
    assert sum(other.feed.state is FeedState.LIVE for other in others) <= 2
    await until(lambda: all(other.feed.state is FeedState.LIVE for other in others), 90)
    assert venue.rest.refused == 0


async def test_the_most_urgent_go_first_and_no_more_than_four_at_once(venue: ModelVenue, hub: Hub) -> None:
    venue.rest.delay_s = 1.0
    names = [f"S{number}USDT" for number in range(12)]
    for number, name in enumerate(names):
        venue.add(Market.SPOT, name)
        feed = hub.feed(SymbolRef(Market.SPOT, name))
        feed.urgency = -number
        feed.start()
    most = 0

    def all_asked() -> bool:
        nonlocal most
        most = max(most, venue.rest.under_way)
        return len(venue.rest.snapshots()) == 12

    await until(all_asked)
    assert most == 4
    order = [asked.symbol for asked in venue.rest.snapshots()]
    assert order[4:] == sorted(order[4:], key=names.index, reverse=True)


@pytest.mark.parametrize(
    ("status", "words"),
    [(429, "Binance asked to slow down (HTTP 429)"), (418, "Binance banned this address (HTTP 418)")],
)
async def test_a_refusal_with_retry_after_is_waited_for_and_told(
    venue: ModelVenue, hub: Hub, status: int, words: str
) -> None:
    refusal = ModelRest.answer(status, {"code": -1003, "msg": "Way too much request weight"}, retry_after=40)
    venue.rest.refuse = first(1, refusal)  # type: ignore[assignment]
    watch = started(venue, hub)
    told: list[str] = []
    watch.feed.listen(lambda feed: told.append(feed.status.detail))
    await until(lambda: venue.rest.refused == 1)
    refused_s = asyncio.get_running_loop().time()
    other = started(venue, hub, ETH)
    asked = len(venue.rest.asked)
    await asyncio.sleep(20)
    assert len(venue.rest.asked) == asked  # nothing at all is sent
    expected = f"Waiting for a snapshot: {words}; requests go on in 20 s"
    assert watch.feed.status.detail == expected
    assert other.feed.status.detail == expected  # who was not refused itself waits for the same
    assert watch.feed.state is FeedState.CONNECTING
    await until(lambda: watch.feed.state is other.feed.state is FeedState.LIVE, 60)
    assert venue.rest.asked[asked].at_s == pytest.approx(refused_s + 40, abs=0.1)
    assert len([text for text in told if words in text]) >= 35  # a countdown
    assert venue.rest.refused == 1
    assert watch.wrong == other.wrong == []


async def test_a_long_ban_is_told_in_hours(venue: ModelVenue, hub: Hub) -> None:
    refusal = ModelRest.answer(418, {"code": -1003, "msg": "banned"}, retry_after=3 * 24 * 3600)
    venue.rest.refuse = first(1, refusal)  # type: ignore[assignment]
    watch = started(venue, hub)
    await until(lambda: "banned" in watch.feed.status.detail)
    assert "requests go on in 72 h 0 min" in watch.feed.status.detail
    venue.stop()
    await asyncio.sleep(600)
    assert "requests go on in 71 h 50 min" in watch.feed.status.detail
    assert venue.rest.refused == 1


@pytest.mark.parametrize("retry_after", ["soon", "nan", "inf", "-5", ""])
async def test_a_retry_after_that_is_no_number(venue: ModelVenue, hub: Hub, retry_after: str) -> None:
    refusal = RestAnswer("http://model", 429, b"{}", {"retry-after": retry_after})
    venue.rest.refuse = first(1, refusal)  # type: ignore[assignment]
    watch = started(venue, hub)
    assert await until(lambda: watch.feed.state is FeedState.LIVE, 90) > 0.9


@pytest.mark.expected_logs("malformed message")
async def test_a_refusal_while_live_does_not_touch_the_book(venue: ModelVenue, hub: Hub) -> None:
    watch = started(venue, hub, options=FeedOptions(refresh_s=20.0))
    await until(lambda: watch.feed.state is FeedState.LIVE)
    for answer in (
        ModelRest.answer(429, {"code": -1003, "msg": "too much"}, retry_after=30),
        ModelRest.answer(451, {"code": 0, "msg": "restricted location"}),
        ModelRest.answer(403, b"<html>forbidden</html>"),
        ModelRest.answer(404, b"<html>not found</html>"),
        api_error(400, -1121, "Invalid symbol."),
        ModelRest.answer(200, b"<html>a captive portal</html>"),
        ConnectFailedError("http://model", "no route to host"),
    ):
        venue.rest.refuse = first(1, answer)  # type: ignore[assignment]
        refreshes = watch.feed.counters.refreshes
        await until(lambda count=refreshes: watch.feed.counters.refreshes > count + 1, 120)
        assert watch.feed.state is FeedState.LIVE
    assert watch.states == ["connecting", "live"]
    assert watch.wrong == []


@pytest.mark.expected_logs("does not serve this region")
async def test_451_fails_with_words(venue: ModelVenue, hub: Hub) -> None:
    venue.rest.refuse = lambda _: ModelRest.answer(451, b"unavailable from a restricted location")
    watch = started(venue, hub)
    await until(lambda: watch.feed.state is FeedState.FAILED, 5)
    assert isinstance(watch.feed.status.error, RegionNotServedError)
    assert "does not serve this region (HTTP 451" in watch.feed.status.detail
    asked = len(venue.rest.asked)
    await asyncio.sleep(60)
    assert len(venue.rest.snapshots()) + 2 >= asked
    assert not venue.open_streams  # nothing is kept for a feed that failed
    venue.rest.refuse = lambda _: None
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE, 5)


async def test_403_says_firewall_and_goes_on_after_a_minute(venue: ModelVenue, hub: Hub) -> None:
    venue.rest.refuse = first(1, ModelRest.answer(403, b"<html>403 Forbidden</html>"))  # type: ignore[assignment]
    watch = started(venue, hub)
    await until(lambda: "firewall" in watch.feed.status.detail, 5)
    assert "Binance's firewall refused a request (HTTP 403); requests go on in " in watch.feed.status.detail
    assert 55 < await until(lambda: watch.feed.state is FeedState.LIVE, 80) < 65


@pytest.mark.expected_logs("BTCUSTD is not a symbol of Binance Spot. Did you mean BTCUSDT?")
@pytest.mark.parametrize("slow_path", ["exchangeInfo", "depth"])
async def test_an_unknown_symbol_fails_once_with_near_matches(
    venue: ModelVenue, hub: Hub, slow_path: str, caplog: pytest.LogCaptureFixture
) -> None:
    venue.add(Market.SPOT, "BTCUSDT")
    venue.listed = {"ETHUSDT"}
    get = venue.rest.get

    async def get_slowly(url: str, *args: object, **options: object) -> RestAnswer:
        if url.endswith(slow_path):
            await asyncio.sleep(3)
        return await get(url, *args, **options)  # type: ignore[arg-type]

    venue.rest.get = get_slowly  # type: ignore[method-assign, assignment]
    feed = hub.feed(SymbolRef(Market.SPOT, "BTCUSTD"))
    good = started(venue, hub)
    feed.start()
    await until(lambda: feed.state is FeedState.FAILED, 20)
    assert isinstance(feed.status.error, UnknownSymbolError)
    assert feed.status.error.suggestions == ("BTCUSDT",)
    assert feed.status.detail == "BTCUSTD is not a symbol of Binance Spot. Did you mean BTCUSDT?"
    await until(lambda: good.feed.state is FeedState.LIVE, 20)
    await asyncio.sleep(20)
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1
    assert good.states == ["connecting", "live"]
    (stream,) = venue.streams
    assert not any("btcustd" in name for name in stream.names)


@pytest.mark.expected_logs("Max reconnections|further ones are only counted|malformed")
@pytest.mark.parametrize("status", [200, 404, 301])
async def test_an_address_that_is_not_binance(venue: ModelVenue, hub: Hub, status: int) -> None:
    venue.rest.refuse = lambda _: ModelRest.answer(status, b"<html>Welcome to nginx</html>")
    feed = hub.feed(BTC)
    venue.refuse_connect = lambda _: ConnectFailedError("ws://model", f"HTTP {status} instead of a WebSocket")
    feed.start()
    await until(lambda: feed.state is FeedState.FAILED, 60)
    assert isinstance(feed.status.error, BinanceUnableToConnect)
    assert f"HTTP {status} instead of a WebSocket" in feed.status.detail


@pytest.mark.parametrize("path", ["depth", "exchangeInfo"])
@pytest.mark.parametrize(
    ("status", "body"),
    [
        *((status, b"") for status in (200, 202, 204, 301, 403, 404, 405, 408, 418, 425, 429, 500, 502, 503, 504)),
        *((status, b"<html>Just a moment...</html>") for status in (200, 202, 403, 404, 405, 503)),
        *((status, b'{"code":-1003,"msg":"Too many requests."}') for status in (400, 200, 429)),
        *((400, b'{"code":%d,"msg":"?"}' % code) for code in (-1000, -1001, -1007, -1015, -1016, -4021, -9999)),
        (200, b'{"lastUpdateId":1'),
        (200, b"null"),
    ],
)
async def test_an_answer_that_may_pass_never_ends_a_tab(
    venue: ModelVenue, hub: Hub, expected_logs, status: int, body: bytes, path: str
) -> None:
    expected_logs.allow("further ones are only counted|malformed")
    answers = iter([ModelRest.answer(status, body)] * 3)
    venue.rest.refuse = lambda asked: next(answers, None) if asked.path == path else None
    watch = started(venue, hub)
    await until(lambda: watch.feed.state is FeedState.LIVE, 60 * 5)
    await until(lambda: watch.feed.info is not None, 60 * 5)
    assert FeedState.FAILED.value not in watch.states
    assert watch.wrong == []


@pytest.mark.parametrize("status", [200, 202, 404, 405, 408])
async def test_an_answer_that_may_pass_does_not_harm_a_live_tab(
    venue: ModelVenue, hub: Hub, expected_logs, status: int
) -> None:
    expected_logs.allow("further ones are only counted")
    watch = started(venue, hub)
    await until(lambda: watch.feed.state is FeedState.LIVE, 10)
    answers = iter([ModelRest.answer(status, b"<html>")])
    venue.rest.refuse = lambda asked: next(answers, None) if asked.path == "depth" else None
    watch.feed.resync()
    await until(lambda: watch.feed.state is FeedState.LIVE, 10)
    assert watch.states == ["connecting", "live", "stale", "live"]


@pytest.mark.parametrize(
    ("text", "pause_s"),
    [
        ("Way too much request weight used; IP banned until {until}. Please use WebSocket Streams", 600),
        ("IP banned until {until}000", 600),
        ("IP banned until 99999999999999999999999", 60),
        ("IP banned", 60),
    ],
)
async def test_the_end_of_a_ban_without_retry_after_stands_in_its_text(
    venue: ModelVenue, hub: Hub, text: str, pause_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("depthgui.depthcache.venue_rest.time", SimpleNamespace(time=lambda: venue.now_ms() / 1000))
    message = text.format(until=venue.now_ms() + 600_000)
    venue.rest.refuse = first(1, api_error(418, -1003, message))  # type: ignore[assignment]
    started(venue, hub)
    await until(lambda: hub.request_pause(Market.SPOT) is not None)
    pause = hub.request_pause(Market.SPOT)
    assert pause is not None
    assert pause.left_s == pytest.approx(pause_s, abs=3)


@pytest.mark.parametrize("market", [Market.USDM, Market.COINM])
async def test_both_futures_markets_share_one_budget_and_one_pause(venue: ModelVenue, hub: Hub, market: Market) -> None:
    other = Market.COINM if market is Market.USDM else Market.USDM
    venue.rest.refuse = first(1, ModelRest.answer(429, b"", retry_after=40))  # type: ignore[assignment]
    started(venue, hub, SymbolRef(market, "BTCUSDT"))
    await until(lambda: hub.request_pause(market) is not None)
    assert hub.request_pause(other) is not None
    assert hub.request_pause(Market.SPOT) is None
    assert hub.rest.budget(market) is hub.rest.budget(other)
    assert hub.rest.budget(market) is not hub.rest.budget(Market.OPTIONS)


@pytest.mark.expected_logs("is not a symbol")
async def test_a_symbol_that_the_venue_denies_is_asked_for_again_slowly(venue: ModelVenue, hub: Hub) -> None:
    feed = hub.feed(SymbolRef(Market.SPOT, "NEWUSDT"))
    feed.start()
    await until(lambda: feed.state is FeedState.FAILED, 20)
    asked = len(venue.rest.snapshots())
    await asyncio.sleep(1000)
    assert feed.state is FeedState.FAILED
    assert len(venue.rest.snapshots()) - asked == 3
    venue.add(Market.SPOT, "NEWUSDT")
    await until(lambda: feed.state is FeedState.LIVE, 310)


@pytest.mark.parametrize("kind", ["unreadable", "missing"])
async def test_a_listing_that_lacks_the_symbol_for_a_while_does_not_end_its_tab(
    venue: ModelVenue, hub: Hub, expected_logs, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected_logs.allow("symbols could not be read")
    whole = venue.exchange_info

    def lacking(market: Market) -> dict[str, Any]:
        table = whole(market)
        rows = [row for row in table["symbols"] if row["symbol"] != "BTCUSDT"]
        return table | {"symbols": [*rows, *([{"symbol": "BTCUSDT"}] if kind == "unreadable" else [])]}

    monkeypatch.setattr(venue, "exchange_info", lacking)
    watch = started(venue, hub)
    await until(lambda: watch.feed.state is FeedState.LIVE, 20)
    await asyncio.sleep(60)
    assert watch.feed.info is None
    monkeypatch.setattr(venue, "exchange_info", whole)
    await until(lambda: watch.feed.info is not None, 120)
    assert watch.states == ["connecting", "live"]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (ModelRest.answer(500, b"oops"), "HTTP 500"),
        (api_error(503, -1008, "Server is currently overloaded"), "overloaded"),
        (api_error(400, -1001, "Internal error"), "Internal error"),
        (ConnectFailedError("http://model", "connection reset by peer"), "reset by peer"),
        (RequestTimeoutError("http://model", 10.0), "within 10 s"),
    ],
)
async def test_what_may_pass_is_tried_again_with_growing_pauses(
    venue: ModelVenue, hub: Hub, failure: object, words: str
) -> None:
    venue.rest.refuse = first(5, failure)  # type: ignore[assignment]
    watch = started(venue, hub)
    await until(lambda: words in watch.feed.status.detail, 5)
    assert watch.feed.state is FeedState.CONNECTING
    await until(lambda: watch.feed.state is FeedState.LIVE, 60)
    times = [asked.at_s for asked in venue.rest.snapshots()]
    assert len(times) == 6
    pauses = [after - before - venue.rest.delay_s for before, after in itertools.pairwise(times)]
    for number, pause_s in enumerate(pauses):
        assert 0.12 * 2**number < pause_s < 0.28 * 2**number
    assert watch.wrong == []
    assert "Waiting" not in watch.feed.status.detail


@pytest.mark.expected_logs("a parameter is missing")
async def test_an_error_that_stays_fails_the_feed(venue: ModelVenue, hub: Hub) -> None:
    venue.rest.refuse = first(99, api_error(400, -1102, "a parameter is missing"))  # type: ignore[assignment]
    watch = started(venue, hub)
    await until(lambda: watch.feed.state is FeedState.FAILED, 5)
    assert isinstance(watch.feed.status.error, BinanceAPIException)
    assert "a parameter is missing" in watch.feed.status.detail


@pytest.mark.expected_logs("further ones are only counted")
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"lastUpdateId":1}', b"\xff\xfe", b'{"bids":[],"asks":[]}'])
async def test_a_malformed_snapshot_is_counted_and_asked_for_again(
    venue: ModelVenue, hub: Hub, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    venue.rest.refuse = first(3, ModelRest.answer(200, body))  # type: ignore[assignment]
    watch = started(venue, hub)
    await until(lambda: watch.feed.state is FeedState.LIVE, 30)
    assert watch.feed.counters.malformed == 3
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1
    assert watch.wrong == []


async def test_a_snapshot_with_a_price_that_is_no_number(venue: ModelVenue, hub: Hub, expected_logs) -> None:
    expected_logs.require("not a price")
    bad = {"lastUpdateId": 10**9, "bids": [["much", "1.0"]], "asks": []}
    venue.rest.refuse = first(1, ModelRest.answer(200, bad))  # type: ignore[assignment]
    venue.add(Market.SPOT, "BTCUSDT", every_s=None)
    watch = started(venue, hub)
    await until(lambda: watch.feed.state is FeedState.LIVE, 30)
    assert watch.feed.counters.malformed == 1
    assert watch.wrong == []


async def test_no_depth_is_an_empty_book_and_no_failure(venue: ModelVenue, hub: Hub) -> None:
    venue.rest.refuse = first(2, api_error(400, -1112, "No depth at this price."))  # type: ignore[assignment]
    model = venue.add(Market.SPOT, "BTCUSDT", every_s=None)
    watch = started(venue, hub)
    await until(lambda: watch.feed.state is FeedState.LIVE, 10)
    assert len(watch.feed.book.bids) == len(watch.feed.book.asks) == 0
    watch.wrong.clear()
    venue.move(model, 0.1)
    await until(lambda: len(watch.feed.book.bids) > 0, 10)
    await asyncio.sleep(5)
    assert watch.feed.state is FeedState.LIVE
    assert watch.wrong == []


@pytest.mark.parametrize("lag_s", [25.0, 30.0, 45.0])
async def test_options_snapshots_that_lag_join(venue: ModelVenue, hub: Hub, lag_s: float) -> None:
    venue.rest.lag_s = lag_s
    ref = SymbolRef(Market.OPTIONS, "BTC-261225-100000-C")
    venue.add(ref.market, ref.symbol, every_s=0.5)
    await asyncio.sleep(100)  # there is a past to be given
    watch = started(venue, hub, ref)
    took_s = await until(lambda: watch.feed.state is FeedState.LIVE, lag_s + 16)
    assert took_s > lag_s - 2
    await asyncio.sleep(20)
    assert watch.wrong == []
    assert watch.states == ["connecting", "live"]
    assert not any("depth20" in name for stream in venue.streams for name in stream.names)
    assert len(venue.rest.snapshots()) < 20


async def test_an_audit_at_every_refresh(venue: ModelVenue, hub: Hub) -> None:
    options = FeedOptions(refresh_s=60.0, with_tickers=False)
    watch = started(venue, hub, options=options)
    await until(lambda: watch.feed.state is FeedState.LIVE)
    live_s = asyncio.get_running_loop().time()
    for number in range(1, 4):
        await until(lambda count=number: watch.feed.counters.audits == count, 62)
        counters = watch.feed.counters
        assert counters.audit_differences == 0
        assert counters.verified_s == pytest.approx(live_s + 60 * number, abs=1 + number)
        assert counters.last_audit.levels_compared > 10
    assert watch.states == ["connecting", "live"]
    assert len(venue.rest.snapshots()) == 4
    assert watch.wrong == []


@pytest.mark.parametrize("refresh_s", [0, None])
async def test_no_audit_when_it_is_turned_off(venue: ModelVenue, hub: Hub, refresh_s: float | None) -> None:
    watch = started(venue, hub, options=FeedOptions(refresh_s=refresh_s))
    await until(lambda: watch.feed.state is FeedState.LIVE)
    await asyncio.sleep(120)
    assert len(venue.rest.snapshots()) == 1


@pytest.mark.expected_logs("audit against snapshot at id .* differs")
async def test_an_audit_that_finds_a_difference_resyncs(venue: ModelVenue, hub: Hub) -> None:
    options = FeedOptions(refresh_s=30.0, with_tickers=False)
    watch = started(venue, hub, options=options)
    await until(lambda: watch.feed.state is FeedState.LIVE)
    watch.feed._sync.book.bids.apply([("90.00", "1.000")])  # as if a diff had been wrong
    assert watch.model.differences(watch.feed.book)
    await until(lambda: watch.feed.counters.audit_differences > 0, 120)
    assert watch.feed.state is not FeedState.LIVE
    await until(lambda: watch.feed.state is FeedState.LIVE, 10)
    watch.wrong.clear()
    await asyncio.sleep(60)
    assert watch.wrong == []
    assert watch.feed.counters.resyncs == 1


@pytest.mark.expected_logs("audit against bookTicker at id .* differs")
async def test_a_wrong_best_price_is_found_by_the_next_ticker(venue: ModelVenue, hub: Hub) -> None:
    watch = started(venue, hub)
    await until(lambda: watch.feed.state is FeedState.LIVE)
    watch.feed._sync.book.bids.apply([("99.995", "1.000")])  # better than any bid of the model
    took_s = await until(lambda: watch.feed.counters.audit_differences > 0, 5)
    assert took_s < 0.5
    await until(lambda: watch.feed.state is FeedState.LIVE, 10)
    watch.wrong.clear()
    await asyncio.sleep(10)
    assert watch.wrong == []


async def test_resync_on_wish(venue: ModelVenue, hub: Hub) -> None:
    watch = started(venue, hub)
    watch.feed.resync()  # nothing to resync yet
    await until(lambda: watch.feed.state is FeedState.LIVE)
    version = watch.feed.book.version
    watch.feed.resync()
    assert watch.feed.state is FeedState.STALE
    await until(lambda: watch.feed.state is FeedState.LIVE, 5)
    assert watch.feed.book.version > version
    assert (watch.feed.counters.resyncs, watch.feed.counters.gaps) == (1, 0)
    await watch.feed.stop()
    watch.feed.resync()
    watch.feed.refresh()
    await asyncio.sleep(1)
    assert watch.feed.state is FeedState.STOPPED


async def test_the_description_is_asked_for_again_after_a_failure(venue: ModelVenue, hub: Hub) -> None:
    offline = ConnectFailedError("http://model", "network is unreachable")
    venue.rest.refuse = first(1, offline, "exchangeInfo")  # type: ignore[assignment]
    watch = started(venue, hub)
    await until(lambda: watch.feed.state is FeedState.LIVE)
    await until(lambda: watch.feed.info is not None, 5)
    assert watch.feed.info.tick is not None


async def test_one_request_for_symbols_serves_all(venue: ModelVenue, hub: Hub) -> None:
    for number in range(20):
        started(venue, hub, SymbolRef(Market.SPOT, f"S{number}USDT"))
    await asyncio.sleep(5)
    infos = await hub.symbols(Market.SPOT)
    assert len(infos) == 23
    assert len([asked for asked in venue.rest.asked if asked.path == "exchangeInfo"]) == 1


async def test_symbols_are_fetched_once_an_hour(venue: ModelVenue, hub: Hub) -> None:
    for wait_s, count in ((0, 1), (3500, 1), (200, 2), (10, 2)):
        await asyncio.sleep(wait_s)
        await asyncio.gather(hub.symbols(Market.SPOT), hub.symbols(Market.SPOT))
        assert len(venue.rest.asked) == count


async def test_a_symbol_listed_a_minute_ago_is_found(venue: ModelVenue, hub: Hub) -> None:
    started(venue, hub)
    await asyncio.sleep(60)
    watch = started(venue, hub, SymbolRef(Market.SPOT, "NEWUSDT"))
    await until(lambda: watch.feed.state is FeedState.LIVE and watch.feed.info is not None, 5)


async def test_an_error_that_nobody_waits_for_any_more(venue: ModelVenue, hub: Hub) -> None:
    venue.rest.refuse = first(1, ConnectFailedError("http://model", "gone"), "exchangeInfo")  # type: ignore[assignment]
    venue.rest.delay_s = 1.0
    watch = started(venue, hub)
    await asyncio.sleep(0.5)
    await watch.feed.stop()
    await asyncio.sleep(2)  # "Task exception was never retrieved" would be a log record


async def test_a_stopped_feed_leaves_its_place_in_the_queue(venue: ModelVenue, hub: Hub) -> None:
    venue.rest.delay_s = 2.0
    watches = [started(venue, hub, SymbolRef(Market.SPOT, f"S{number}USDT")) for number in range(12)]
    await asyncio.sleep(1.0)
    for watch in watches[:-1]:
        await watch.feed.stop()
    await until(lambda: watches[-1].feed.state is FeedState.LIVE, 6)
    await asyncio.sleep(5)
    assert len(venue.rest.snapshots()) <= 6
    assert hub.rest._turns[WeightPool.SPOT]._under_way == 0


async def test_a_turn_that_is_given_and_called_off_in_the_same_moment_is_passed_on(loop: VirtualLoop) -> None:
    turns = _Turns(WeightBudget(6000))
    served: list[int] = []
    leave = asyncio.Event()

    async def request(number: int) -> None:
        async with turns.turn(1, number):
            served.append(number)
            await leave.wait()

    requests = [asyncio.create_task(request(number)) for number in range(6)]
    await asyncio.sleep(0)
    assert served == [0, 1, 2, 3]
    turns._finish()  # a place is free: it goes to request 4, which is called off before it learns of that
    requests[4].cancel()
    await asyncio.sleep(0.01)
    assert served == [0, 1, 2, 3, 5]
    leave.set()
    await asyncio.gather(*requests, return_exceptions=True)


async def test_a_snapshot_that_is_wanted_no_more_is_given_up(venue: ModelVenue, hub: Hub) -> None:
    watch = started(venue, hub)
    await until(lambda: watch.feed.state is FeedState.LIVE)
    await asyncio.sleep(3)
    venue.rest.delay_s = 5.0
    watch.feed.resync()
    await asyncio.sleep(0.5)
    assert venue.rest.under_way == 1
    venue.streams[0].cut()
    asked = len(venue.rest.snapshots())
    await until(lambda: len(venue.rest.snapshots()) > asked)
    await asyncio.sleep(0.01)
    assert venue.rest.under_way == 1
    await until(lambda: watch.feed.state is FeedState.LIVE)
    assert watch.wrong == []


async def test_two_hubs_that_share_a_budget(venue: ModelVenue, make_hub: MakeHub) -> None:
    from depthgui.binance.endpoints import Endpoints
    from depthgui.depthcache.hub import HubOptions

    one = make_hub()
    other = Hub(Endpoints.at("http://model"), options=HubOptions(opener=venue), rest=one.rest)
    venue.add(Market.SPOT, "BTCUSDT")
    feeds = [one.feed(BTC), other.feed(BTC)]
    for feed in feeds:
        feed.start()
    await until(lambda: all(feed.state is FeedState.LIVE for feed in feeds))
    assert one.weight(Market.SPOT) == other.weight(Market.SPOT)
    await other.close()
    assert not venue.rest.is_closed
    assert feeds[0].state is FeedState.LIVE
