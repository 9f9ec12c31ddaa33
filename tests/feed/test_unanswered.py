"""Subscriptions that nobody answers, and answers that are not what they should be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from feed.conftest import MakeHub
from feed.hosts import with_other_hosts
from feed.model_venue import ModelStream, ModelVenue, Watch
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.depthcache.connection import ConnectionOptions, ConnectionPhase, ConnectionStatus
from depthgui.depthcache.feed import FeedState
from depthgui.depthcache.hub import Hub
from depthgui.transport.backoff import Backoff

DEPTH = "ethusdt@depth@100ms"
BTC, ETH = SymbolRef(Market.SPOT, "BTCUSDT"), SymbolRef(Market.SPOT, "ETHUSDT")


def swallow_subscribe(times: int) -> Callable[[ModelStream, str, tuple[str, ...]], bool]:
    """Swallow so many requests that ask for ETHUSDT's diffs."""
    left = iter(range(times))

    def swallow(_: ModelStream, method: str, names: tuple[str, ...]) -> bool:
        return method == "SUBSCRIBE" and DEPTH in names and next(left, None) is not None

    return swallow


async def live(venue: ModelVenue, hub: Hub, symbol: str = "BTCUSDT") -> Watch:
    watch = Watch(hub.feed(SymbolRef(Market.SPOT, symbol)), venue.add(Market.SPOT, symbol))
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE)
    return watch


def beside(venue: ModelVenue, hub: Hub) -> Watch:
    watch = Watch(hub.feed(ETH), venue.add(Market.SPOT, "ETHUSDT"))
    watch.feed.start()
    return watch


def assert_untouched(watch: Watch) -> None:
    assert watch.states == ["connecting", "live"]
    assert watch.wrong == []
    assert watch.feed.counters.gaps == watch.feed.counters.resyncs == 0


async def test_the_first_subscription_is_asked_for_again_after_5_s(venue: ModelVenue, hub: Hub) -> None:
    venue.swallow = swallow_subscribe(1)
    watch = beside(venue, hub)
    assert 4.9 < await until(lambda: watch.feed.status.detail != "Connecting", 10) < 5.2
    assert watch.feed.status.detail == "Subscribing again: no answer for 5 s"
    assert watch.feed.state is FeedState.CONNECTING
    (status,) = hub.connections.values()
    assert status.note == "Subscribing again: no answer for 5 s"
    assert await until(lambda: watch.feed.state is FeedState.LIVE, 5) < 1
    (stream,) = venue.streams
    assert [one.names for one in stream.sent] == [
        (DEPTH, "ethusdt@bookTicker", "ethusdt@trade"),
        (DEPTH,),  # what was not answered is asked for apart from each other: one of them may be the reason
        ("ethusdt@bookTicker",),
        ("ethusdt@trade",),
    ]
    (status,) = hub.connections.values()
    assert (status.phase, status.note) == (ConnectionPhase.OPEN, "")


async def test_the_second_time_another_socket_is_taken(venue: ModelVenue, hub: Hub) -> None:
    venue.swallow = swallow_subscribe(2)
    watch = beside(venue, hub)
    assert await until(lambda: watch.feed.state is FeedState.LIVE, 30) < 13
    first, second = venue.streams
    assert first.is_closed
    assert {one.method for one in second.sent} == {"SUBSCRIBE"}


@pytest.mark.expected_logs("Max reconnections 5 reached: .*no subscription was answered for 10 s")
async def test_a_venue_that_never_answers_is_given_up_like_one_that_cannot_be_reached(
    venue: ModelVenue, hub: Hub
) -> None:
    venue.swallow = lambda _, method, __: method == "SUBSCRIBE"
    watch = beside(venue, hub)
    await until(lambda: watch.feed.state is FeedState.FAILED, 300)
    assert len(venue.streams) == 6
    assert "no subscription was answered" in watch.feed.status.detail
    (status,) = hub.connections.values()
    assert status.phase is ConnectionPhase.FAILED


async def test_beside_live_streams_it_is_asked_for_again_on_the_same_socket(venue: ModelVenue, hub: Hub) -> None:
    other = await live(venue, hub)
    venue.swallow = swallow_subscribe(1)
    watch = beside(venue, hub)
    assert await until(lambda: watch.feed.state is FeedState.LIVE, 20) < 6
    assert len(venue.streams) == 1
    assert_untouched(other)


async def test_beside_live_streams_another_socket_is_taken_without_a_gap(venue: ModelVenue, hub: Hub) -> None:
    other = await live(venue, hub)
    venue.swallow = swallow_subscribe(2)
    watch = beside(venue, hub)
    seen: set[str] = set()
    watch.feed.listen(lambda feed: seen.add(feed.status.detail))
    assert await until(lambda: watch.feed.state is FeedState.LIVE, 20) < 12
    assert "Subscribing again: no answer for 5 s" in seen
    assert f"Changing to another socket: the subscription of {DEPTH} is not answered" in seen
    await until(lambda: len(venue.open_streams) == 1, 10)
    await asyncio.sleep(5)
    assert len(venue.streams) == 2
    assert_untouched(other)
    assert watch.wrong == []
    assert all(status.note == "" for status in hub.connections.values())


async def test_one_stream_that_is_never_answered_leaves_the_others_alone_for_an_hour(
    venue: ModelVenue, hub: Hub
) -> None:
    other = await live(venue, hub)
    venue.swallow = lambda _, method, names: method == "SUBSCRIBE" and DEPTH in names
    watch = beside(venue, hub)
    for model in venue.symbols.values():
        venue.move(model, 1.0)  # an hour of ten changes a second takes too long
    notes: list[float] = []
    loop = asyncio.get_running_loop()
    watch.feed.listen(lambda _: notes.append(loop.time()))
    await asyncio.sleep(3600)
    assert watch.feed.state is FeedState.CONNECTING
    assert max(after - before for before, after in zip(notes, [*notes[1:], loop.time()], strict=True)) < 400
    assert_untouched(other)
    assert other.ids[-1] >= other.model.last_id - 8
    assert len(venue.connects_at_s) < 40
    assert sum(len(stream.sent) for stream in venue.streams) < 400
    venue.swallow = lambda *_: False
    await until(lambda: watch.feed.state is FeedState.LIVE, 400)
    await asyncio.sleep(20)
    assert len(venue.open_streams) == 1
    assert_untouched(other)
    assert watch.wrong == []


@pytest.mark.parametrize("is_refused", [False, True])
async def test_one_bad_name_costs_the_others_of_its_request_half_a_minute_at_most(
    venue: ModelVenue, hub: Hub, expected_logs, *, is_refused: bool
) -> None:
    names = [f"S{number}USDT" for number in range(30)]
    watches = [
        Watch(hub.feed(SymbolRef(Market.SPOT, name)), venue.add(Market.SPOT, name, every_s=1.0)) for name in names
    ]
    bad = "s7usdt@bookTicker"
    if is_refused:
        expected_logs.require("refused SUBSCRIBE of .*s7usdt@bookTicker")
        venue.refuse_request = lambda _, method, asked: "bad" if method == "SUBSCRIBE" and bad in asked else None
    else:
        venue.swallow = lambda _, method, asked: method == "SUBSCRIBE" and bad in asked
    for watch in watches:
        watch.feed.start()
    await until(lambda: sum(watch.feed.state is FeedState.LIVE for watch in watches) == 30, 60)
    await asyncio.sleep(20)
    calm = [watch for watch in watches if watch.states == ["connecting", "live"]]
    await asyncio.sleep(200)
    assert all(watch.states == ["connecting", "live"] for watch in calm)
    assert all(watch.feed.state is FeedState.LIVE for watch in watches)
    assert not any(watch.wrong for watch in watches)
    asked = [one.names for one in venue.streams[-1].sent if bad in one.names]
    assert asked[-1] == (bad,)


async def test_data_counts_as_an_answer(venue: ModelVenue, hub: Hub) -> None:
    venue.acks = False
    watch = await live(venue, hub)
    await asyncio.sleep(60)
    assert_untouched(watch)
    asked = [name for stream in venue.streams for one in stream.sent for name in one.names]
    assert asked.count("btcusdt@depth@100ms") == len(venue.streams)  # only what is silent is asked for again
    assert asked.count("btcusdt@trade") > len(venue.streams)


@pytest.mark.parametrize("is_answered_late", [False, True])
async def test_30_symbols_that_are_not_answered_take_one_socket(
    venue: ModelVenue, hub: Hub, *, is_answered_late: bool
) -> None:
    names = [f"S{number}USDT" for number in range(30)]
    models = [venue.add(Market.SPOT, name, every_s=None if name.endswith("7USDT") else 0.3) for name in names]
    other = await live(venue, hub)
    venue.swallow = lambda stream, method, _: method == "SUBSCRIBE" and stream.number == 1
    watches = [Watch(hub.feed(SymbolRef(Market.SPOT, name)), model) for name, model in zip(names, models, strict=True)]
    for watch in watches:
        watch.feed.start()
    await asyncio.sleep(9)
    if is_answered_late:
        for number in range(2, 9):
            venue.streams[0].say({"result": None, "id": number})
        venue.streams[0].names |= {
            f"{watch.model.name}@{kind}" for watch in watches for kind in ("depth@100ms", "bookTicker", "trade")
        }
    await until(lambda: all(watch.feed.state is FeedState.LIVE for watch in watches), 60)
    assert len(venue.streams) == (1 if is_answered_late else 2)
    await asyncio.sleep(20)
    assert_untouched(other)
    assert not any(watch.wrong for watch in watches)


@pytest.mark.parametrize(
    "answers",
    [
        lambda number, _: [{"result": None, "id": number}] * 3,
        lambda number, _: [{"result": None, "id": str(number)}],
        lambda number, names: [{"result": list(names), "id": number}],
        lambda number, _: [{"result": [], "id": number}],
        lambda number, _: [{"result": True, "id": number}],
        lambda number, _: [{"id": number}],
        lambda number, _: [{"id": number, "result": None, "status": 200, "rateLimits": []}],
        lambda number, _: [{"result": None, "id": number + 7}, {"result": None, "id": number}],
        lambda number, _: [{"result": None, "id": "a"}, {"result": None}, {}, {"result": None, "id": number}],
        lambda number, _: [{"result": None, "id": number}, {"code": 2, "msg": "late", "id": number}],
    ],
)
async def test_answers_of_many_forms(
    venue: ModelVenue, hub: Hub, expected_logs, answers: Callable[[int, tuple[str, ...]], list[dict[str, Any]]]
) -> None:
    expected_logs.allow("an error that names no open request: 2: late")
    venue.answers = answers
    venue.add(Market.SPOT, "BTCUSDT", every_s=None)
    watch = await live(venue, hub, "ETHUSDT")
    quiet = Watch(hub.feed(BTC), venue.symbols[Market.SPOT, "BTCUSDT"])
    quiet.feed.start()
    await until(lambda: quiet.feed.state is FeedState.LIVE, 6)
    await asyncio.sleep(40)
    assert_untouched(watch)
    assert_untouched(quiet)
    assert len(venue.streams) == 1
    assert len(venue.streams[0].sent) == 2


@pytest.mark.parametrize(
    "answers",
    [
        lambda number, _: [{"result": None, "id": number + 1000}],
        lambda number, _: [{"result": None, "id": -number}, {"result": None, "id": "9" * 5000}],
        lambda *_: [{"result": None}],
        lambda number, _: [{"result": ["bnbusdt@depth@100ms"], "id": number}],
        lambda *_: [{"code": 2, "msg": "Invalid request: invalid stream"}],
        lambda *_: [{"error": {"code": 2, "msg": "Invalid request"}, "id": None}],
    ],
)
async def test_answers_that_are_none(
    venue: ModelVenue, hub: Hub, expected_logs, answers: Callable[[int, tuple[str, ...]], list[dict[str, Any]]]
) -> None:
    expected_logs.allow("an error that names no open request: .*Invalid request")
    other = await live(venue, hub)
    usual, venue.answers = venue.answers, answers
    venue.add(Market.SPOT, "ETHUSDT", every_s=None)
    watch = Watch(hub.feed(ETH), venue.symbols[Market.SPOT, "ETHUSDT"])
    watch.feed.start()
    await until(lambda: "no answer for 5 s" in watch.feed.status.detail, 5.5)
    if "code" in answers(1, ())[0]:
        assert "(the venue said: 2: Invalid request: invalid stream)" in watch.feed.status.detail
    await until(lambda: "Changing to another socket" in watch.feed.status.detail, 6)
    venue.answers = usual
    await until(lambda: watch.feed.state is FeedState.LIVE, 30)
    await asyncio.sleep(20)
    assert_untouched(other)


async def test_the_answer_to_an_older_request_counts_unless_the_stream_was_left_since(
    venue: ModelVenue, hub: Hub, expected_logs
) -> None:
    expected_logs.allow("too late")
    await live(venue, hub)
    (stream,) = venue.streams
    venue.swallow = lambda *_: True
    watch = Watch(hub.feed(ETH), venue.add(Market.SPOT, "ETHUSDT", every_s=None))
    watch.feed.start()
    await asyncio.sleep(0.5)
    await watch.feed.stop()
    await asyncio.sleep(2)
    watch.feed.start()
    await asyncio.sleep(2)
    assert [one.method for one in stream.sent[1:]] == ["SUBSCRIBE", "UNSUBSCRIBE", "SUBSCRIBE"]
    stream.say({"result": None, "id": 2})  # to the first one: the stream was left since
    stream.say({"result": None, "id": 3})
    await asyncio.sleep(2)
    assert watch.feed.status.detail == "Connecting"
    await until(lambda: "no answer" in watch.feed.status.detail, 5)
    stream.say({"result": None, "id": 4})  # not to the last one, but nothing was left since
    stream.names.add(DEPTH)
    await until(lambda: watch.feed.state is FeedState.LIVE, 6)
    stream.say({"code": 2, "msg": "too late", "id": 5})
    await asyncio.sleep(10)
    assert watch.feed.state is FeedState.LIVE


async def test_an_unanswered_request_to_leave_is_repeated_once(venue: ModelVenue, hub: Hub) -> None:
    await live(venue, hub)
    watch = await live(venue, hub, "ETHUSDT")
    venue.swallow = lambda _, method, __: method == "UNSUBSCRIBE"
    await watch.feed.stop()
    await asyncio.sleep(60)
    (stream,) = venue.streams
    assert [one.method for one in stream.sent] == ["SUBSCRIBE", "SUBSCRIBE", "UNSUBSCRIBE", "UNSUBSCRIBE"]
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE, 5)


async def test_leaving_is_not_repeated_for_what_is_wanted_again(venue: ModelVenue, hub: Hub) -> None:
    await live(venue, hub)
    watch = await live(venue, hub, "ETHUSDT")
    venue.swallow = lambda _, method, __: method == "UNSUBSCRIBE"
    await watch.feed.stop()
    await asyncio.sleep(1)
    watch.feed.start()
    await asyncio.sleep(60)
    (stream,) = venue.streams
    assert [one.method for one in stream.sent] == ["SUBSCRIBE", "SUBSCRIBE", "UNSUBSCRIBE", "SUBSCRIBE"]
    assert watch.feed.state is FeedState.LIVE


@pytest.mark.expected_logs("Max reconnections 5 reached")
async def test_a_host_that_never_lets_anybody_in_is_an_attempt_that_failed(venue: ModelVenue, hub: Hub) -> None:
    venue.connect_delay_s = 1e6
    watch = beside(venue, hub)
    await until(lambda: watch.feed.state is FeedState.FAILED, 300)
    assert len(venue.connects_at_s) == 6
    assert "no answer from ws://model/spot/stream within 15 s" in watch.feed.status.detail


@pytest.mark.expected_logs("no second socket, the first goes on: no answer from")
async def test_a_second_socket_that_never_opens_costs_nothing(venue: ModelVenue, hub: Hub) -> None:
    watch = await live(venue, hub)
    venue.connect_delay_s = 1e6
    hub.rotate()
    await asyncio.sleep(20)
    venue.connect_delay_s = 0.02
    await until(lambda: venue.streams[0].is_closed, 70)
    assert_untouched(watch)


async def test_a_request_that_cannot_be_sent_ends_the_socket(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live(venue, hub)
    send = ModelStream.send

    async def stuck(self: ModelStream, text: str) -> None:
        if self.number == 1:
            await asyncio.sleep(1e6)  # the peer reads no more, and the buffers are full
        await send(self, text)

    monkeypatch.setattr(ModelStream, "send", stuck)
    watch = beside(venue, hub)
    await until(lambda: len(venue.streams) == 2, 8)
    await until(lambda: watch.feed.state is FeedState.LIVE, 10)


@pytest.mark.expected_logs("closing took longer than 5 s")
async def test_a_socket_that_does_not_close_holds_nobody_up(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = ModelStream.close

    async def stuck(self: ModelStream) -> None:
        await close(self)
        if self.number == 1:
            await asyncio.sleep(1e6)

    monkeypatch.setattr(ModelStream, "close", stuck)
    watch = await live(venue, hub)
    venue.streams[0].cut()
    await until(lambda: watch.feed.state is FeedState.LIVE and len(venue.streams) == 2, 5)
    began_s = asyncio.get_running_loop().time()
    await hub.close()
    assert asyncio.get_running_loop().time() - began_s < 12


async def test_subscriptions_unanswered_on_one_host_are_answered_by_another(
    venue: ModelVenue, make_hub: MakeHub
) -> None:
    hub = make_hub(
        connection=ConnectionOptions(keep_trying_s=5.0, backoff=Backoff(first_s=0.1)),
        endpoints=with_other_hosts("ws://model2/spot"),
    )
    venue.swallow = lambda stream, *_: "//model/" in stream.url
    told: list[ConnectionStatus] = []
    hub.listen(told.append)
    watch = beside(venue, hub)
    await until(lambda: watch.feed.state is FeedState.LIVE, 60)
    assert [stream.url.split("/")[2] for stream in venue.streams] == ["model"] * 3 + ["model2"]
    assert told[-1].url == "ws://model2/spot"
    assert watch.wrong == []
