"""Every fault of the exchange's own language, on real sockets: recovered, and never a wrong book called live."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from feed.loopback.conftest import QUICK, SYMBOLS, Truth

from depthgui.binance.endpoints import Market
from depthgui.depthcache.feed import FeedOptions, FeedState
from depthgui.depthcache.hub import Hub
from depthgui.exchange import FAULTS, Exchange

Start = Callable[..., Truth]
TRIED: set[str] = set()


def provoke(exchange: Exchange, spec: str) -> None:
    TRIED.add(spec.split(maxsplit=1)[0])
    exchange.faults.add(spec)


def hits(exchange: Exchange) -> int:
    return sum(fault.hits for fault in exchange.faults)


@pytest.mark.parametrize("market", list(Market))
async def test_without_a_fault(start: Start, market: Market) -> None:
    truth = start(market)
    await truth.live(more=60)
    assert truth.wrong == []
    assert truth.states == [FeedState.CONNECTING, FeedState.LIVE]
    counters = truth.feed.counters
    assert (counters.gaps, counters.resyncs, counters.audit_differences, counters.malformed) == (0, 0, 0, 0)


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
@pytest.mark.parametrize("fault", ["drop", "gap", "reorder"])
async def test_lost_and_swapped_diffs(exchange: Exchange, start: Start, fault: str, market: Market) -> None:
    truth = start(market)
    await truth.live()
    for count in (1, 2):
        provoke(exchange, f"{fault} market={market.value} symbol={SYMBOLS[market]}")
        await truth.until(lambda number=count: truth.feed.counters.gaps >= number)
        await truth.live()
    assert hits(exchange) == 2
    assert truth.wrong == []
    assert truth.feed.counters.resyncs >= 2
    assert truth.states[2] is FeedState.STALE


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_doubled_diffs(exchange: Exchange, start: Start, market: Market) -> None:
    truth = start(market)
    await truth.live()
    provoke(exchange, f"duplicate symbol={SYMBOLS[market]} count=5")
    await truth.until(lambda: hits(exchange) == 5)
    await truth.live()
    assert truth.wrong == []
    assert truth.feed.counters.gaps == 0


@pytest.mark.parametrize("spec", ["drop after=2 count=4", "reorder count=3", "drop after=1 count=2"])
async def test_faults_while_the_snapshot_is_under_way(exchange: Exchange, start: Start, spec: str) -> None:
    provoke(exchange, "slow-snapshot delay=0.15 count=2")
    provoke(exchange, spec)
    truth = start()
    await truth.live(more=20)
    assert truth.wrong == []


@pytest.mark.expected_logs("audit against .* differs")
@pytest.mark.parametrize("with_tickers", [True, False])
async def test_a_wrong_size_is_found_by_an_audit(exchange: Exchange, start: Start, *, with_tickers: bool) -> None:
    """The one fault that no sequence rule can see: a live book may be wrong until an audit looks."""
    truth = start(options=FeedOptions(sync=QUICK, with_tickers=with_tickers, refresh_s=0.3))
    await truth.live()
    for _ in range(40):  # the level may be written again, rightly, before an audit comes to it
        provoke(exchange, f"wrong-size symbol={SYMBOLS[Market.SPOT]}")
        await truth.live(more=2)
        if truth.feed.counters.audit_differences:
            break
    assert truth.feed.counters.audit_differences > 0
    assert truth.wrong  # and so it is shown that what all other tests assert can fail
    await truth.live()
    exchange.faults.clear()
    truth.feed.resync()
    await truth.live()
    truth.wrong.clear()
    await truth.live(more=30)
    assert truth.wrong == []


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
@pytest.mark.parametrize("spec", ["disconnect", "disconnect code=1000", "disconnect code=1001 reason=restart"])
async def test_disconnects(exchange: Exchange, start: Start, spec: str, market: Market) -> None:
    truth = start(market)
    await truth.live()
    provoke(exchange, f"{spec} market={market.value}")
    await truth.until(lambda: FeedState.RECONNECTING in truth.states)
    await truth.live()
    assert truth.wrong == []
    assert len(exchange.sessions) == 1


async def test_many_disconnects(exchange: Exchange, start: Start) -> None:
    truth = start()
    for _ in range(6):
        await truth.live(more=2)
        exchange.disconnect()
        await truth.until(lambda: truth.feed.state is not FeedState.LIVE)
    await truth.live()
    assert truth.wrong == []


@pytest.mark.parametrize("how", ["503", "403", "429", "reset"])
async def test_refused_connections(exchange: Exchange, hub: Hub, start: Start, how: str) -> None:
    truth = start()
    await truth.live()
    reasons: list[str] = []
    hub.listen(lambda status: reasons.append(status.reason))
    provoke(exchange, f"refuse count=2 how={how}")
    exchange.disconnect()
    await truth.until(lambda: hits(exchange) == 2)
    await truth.live()
    assert truth.wrong == []
    told = "reset" if how == "reset" else f"HTTP {how}"
    assert any(told in reason for reason in reasons), set(reasons)


@pytest.mark.expected_logs("does not serve this region")
async def test_a_region_that_is_not_served_on_the_stream(exchange: Exchange, hub: Hub, start: Start) -> None:
    truth = start()
    await truth.live()
    provoke(exchange, "refuse how=451")
    exchange.disconnect()
    await truth.until(lambda: truth.feed.state is FeedState.FAILED)
    assert "(HTTP 451 from ws://" in truth.feed.status.detail
    truth.feed.start()
    await truth.live()
    assert truth.wrong == []


@pytest.mark.expected_logs("Max reconnections 5 reached")
async def test_a_refusal_that_lasts_and_a_retry(exchange: Exchange, hub: Hub, start: Start) -> None:
    truth = start()
    await truth.live()
    provoke(exchange, "refuse count=0")
    exchange.disconnect()
    await truth.until(lambda: truth.feed.state is FeedState.FAILED)
    assert hits(exchange) == 5
    exchange.faults.clear()
    hub.retry_now(next(iter(hub.connections)))
    await truth.live()
    assert truth.wrong == []


@pytest.mark.parametrize("spec", ["stall", "stall deaf=yes"])
async def test_a_stall(exchange: Exchange, start: Start, spec: str) -> None:
    truth = start()
    await truth.live(more=20)
    provoke(exchange, spec)
    await truth.until(lambda: truth.feed.state is FeedState.STALE)
    await truth.until(lambda: FeedState.RECONNECTING in truth.states)
    await truth.live()
    assert truth.wrong == []


async def test_a_stall_that_ends_by_itself_leaves_a_gap(exchange: Exchange, start: Start) -> None:
    truth = start()
    await truth.live(more=20)
    provoke(exchange, "stall for=1")  # of the exchange's seconds
    await truth.until(lambda: truth.feed.counters.gaps > 0)
    await truth.live()
    assert truth.wrong == []


@pytest.mark.parametrize(
    ("spec", "market"),
    [
        ("slow-snapshot delay=0.4", Market.SPOT),
        ("slow-snapshot delay=0.4", Market.OPTIONS),
        ("old-snapshot age=10 count=3", Market.SPOT),
        ("old-snapshot age=10 count=3", Market.USDM),
        ("failing-snapshot count=2", Market.COINM),
        ("failing-snapshot status=0", Market.SPOT),
        ("failing-snapshot status=400 code=-1008", Market.SPOT),
        ("503 count=2", Market.USDM),
        ("429 retry_after=1", Market.SPOT),
        ("418 retry_after=1", Market.OPTIONS),
    ],
)
async def test_snapshots_that_are_slow_old_or_refused(
    exchange: Exchange, start: Start, spec: str, market: Market
) -> None:
    first = start(market)
    await first.live()  # there is a past, and the symbol's description is known
    provoke(exchange, f"{spec} market={market.value}")
    first.feed.resync()
    await first.until(lambda: hits(exchange) > 0)
    await first.live()
    assert first.wrong == []


@pytest.mark.expected_logs("malformed message")
async def test_a_malformed_snapshot(exchange: Exchange, start: Start) -> None:
    provoke(exchange, "malformed-snapshot count=2")
    truth = start()
    await truth.live()
    assert truth.feed.counters.malformed == 2
    assert truth.wrong == []


async def test_403_waits(exchange: Exchange, hub: Hub, start: Start) -> None:
    provoke(exchange, "403")
    truth = start()
    await truth.until(lambda: "firewall" in truth.feed.status.detail)
    pause = hub.rest.pause(Market.SPOT)
    assert pause is not None
    assert 50 < pause.left_s <= 60
    assert truth.feed.state is FeedState.CONNECTING


@pytest.mark.expected_logs("does not serve this region")
async def test_451_fails_in_words(exchange: Exchange, start: Start) -> None:
    provoke(exchange, "451 count=0")
    truth = start()
    await truth.until(lambda: truth.feed.state is FeedState.FAILED)
    assert "does not serve this region (HTTP 451" in truth.feed.status.detail
    exchange.faults.clear()
    truth.feed.start()
    await truth.live()
    assert truth.wrong == []


@pytest.mark.expected_logs("further ones are only counted")
@pytest.mark.parametrize("kind", ["truncated", "not-json", "missing-field", "wrong-type", "bad-number", "array"])
async def test_malformed_diffs(exchange: Exchange, hub: Hub, start: Start, kind: str) -> None:
    truth = start()
    await truth.live()
    provoke(exchange, f"malformed kind={kind} count=2 symbol={SYMBOLS[Market.SPOT]}")
    await truth.until(lambda: hits(exchange) == 2)
    await truth.live(more=20)
    assert truth.wrong == []
    # One that a snapshot has overtaken is dropped without a look at its numbers.
    assert 1 <= hub.malformed + truth.feed.counters.malformed <= 2
    assert truth.feed.counters.gaps + truth.feed.counters.resyncs > 0
    assert len(exchange.sessions) == 1


@pytest.mark.parametrize("kind", ["binary"])
async def test_odd_frames_whose_diffs_are_good(exchange: Exchange, hub: Hub, start: Start, kind: str) -> None:
    """A frame of the other type loses nothing."""
    truth = start()
    await truth.live()
    provoke(exchange, f"malformed kind={kind} count=2 symbol={SYMBOLS[Market.SPOT]}")
    await truth.until(lambda: hits(exchange) == 2)
    await truth.live(more=10)
    assert truth.wrong == []
    assert truth.states == [FeedState.CONNECTING, FeedState.LIVE]
    assert len(exchange.sessions) == 1


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_the_notice_of_a_shutdown(exchange: Exchange, start: Start, market: Market) -> None:
    truth = start(market)
    await truth.live()
    (old,) = exchange.sessions
    provoke(exchange, f"shutdown close_after=20 market={market.value}")
    await truth.until(lambda: old not in exchange.sessions)
    await truth.live(more=20)
    assert truth.wrong == []
    assert truth.states == [FeedState.CONNECTING, FeedState.LIVE]  # not one stale moment
    assert truth.feed.counters.gaps == 0
    assert len(exchange.sessions) == 1


async def test_several_things_at_once(exchange: Exchange, start: Start) -> None:
    truths = [start(market) for market in Market]
    for truth in truths:
        await truth.live(more=2)
    for spec in ("drop count=3", "reorder count=3", "duplicate count=3", "old-snapshot count=2", "failing-snapshot"):
        provoke(exchange, spec)
    exchange.disconnect(Market.USDM)
    for truth in truths:
        await truth.live(more=10)
    exchange.disconnect()
    for truth in truths:
        await truth.until(lambda one=truth: FeedState.RECONNECTING in one.states)
        await truth.live(more=10)
    assert [truth.wrong for truth in truths] == [[], [], [], []]


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
@pytest.mark.parametrize(
    "spec",
    [
        "ignore-subscribe",
        "ignore-subscribe count=2",
        "ignore-subscribe serves=yes count=0",
        "ignore-subscribe stream=*@bookTicker count=4",
        *(f"odd-answer kind={kind}" for kind in ("other-id", "no-id", "text-id", "twice", "list", "error-without-id")),
    ],
)
async def test_subscriptions_without_an_answer(
    exchange: Exchange, start: Start, expected_logs, spec: str, market: Market
) -> None:
    expected_logs.allow("an error that names no open request", "the second socket brings nothing")
    other = start(market)
    await other.live()
    provoke(exchange, spec)
    truth = start(market, {Market.SPOT: "BTCUSDT", Market.USDM: "BTCUSDT"}[market])
    await truth.live()
    await other.live(more=20)
    assert truth.wrong == other.wrong == []
    assert FeedState.RECONNECTING not in other.states  # a busy machine may well make it stale for a moment
    assert other.feed.counters.gaps == 0


@pytest.mark.expected_logs("refused (UN)?SUBSCRIBE of")
async def test_a_refused_subscription_beside_a_live_one(
    exchange: Exchange, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("depthgui.depthcache.subscriptions.REFUSED_PAUSE_S", 0.3)
    other = start()
    await other.live()
    provoke(exchange, "odd-answer kind=error")
    truth = start(Market.SPOT, "BTCUSDT")
    await truth.live()
    assert FeedState.RECONNECTING not in other.states
    assert truth.wrong == other.wrong == []


def test_no_fault_was_forgotten() -> None:
    if not TRIED:
        pytest.skip("only when the whole file runs")
    assert set(FAULTS) <= TRIED


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_a_stream_that_is_acknowledged_and_silent_is_not_live(
    exchange: Exchange, start: Start, market: Market
) -> None:
    provoke(exchange, f"drop market={market.value} symbol={SYMBOLS[market]} count=0")
    truth = start(market)
    await truth.until(lambda: hits(exchange) > 200)  # twenty seconds of the exchange's clock, all of them lost
    assert FeedState.LIVE not in truth.states
    exchange.faults.clear()
    await truth.live()
    assert truth.wrong == []


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_a_live_stream_that_falls_silent_is_stale_at_once(
    exchange: Exchange, start: Start, market: Market
) -> None:
    truth = start(market)
    await truth.live()
    provoke(exchange, f"drop market={market.value} symbol={SYMBOLS[market]} count=0")
    await truth.until(lambda: truth.feed.state is not FeedState.LIVE)
    assert hits(exchange) < 150
    exchange.faults.clear()
    await truth.live()
    assert truth.wrong == []
