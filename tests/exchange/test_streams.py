"""Streams over real sockets: what is sent, on which route, to whom, and how the venue answers and closes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientError, WSMsgType, web

from depthgui.exchange import Exchange, ManualClock, SocketRules
from depthgui.exchange.streams import reset

if TYPE_CHECKING:
    from .conftest import Book


@dataclass(frozen=True)
class Place:
    market: str
    streams: str
    rest: str
    symbol: str
    most: int

    @property
    def is_spot(self) -> bool:
        return self.market == "spot"

    @property
    def lower(self) -> str:
        return self.symbol.lower()


SPOT = Place("spot", "/spot", "/spot/api/v3", "BTCUSDT", 5000)
USDM = Place("usdm", "/usdm/public", "/usdm/fapi/v1", "BTCUSDT", 1000)
COINM = Place("coinm", "/coinm", "/coinm/dapi/v1", "BTCUSD_PERP", 1000)
OPTIONS = Place("options", "/options/public", "/options/eapi/v1", "BTC-261225-80000-P", 1000)
PLACES = [SPOT, USDM, COINM, OPTIONS]


def whole(snapshot: Any) -> tuple[dict[str, str], dict[str, str]]:
    return dict(snapshot.bids), dict(snapshot.asks)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.market)
async def test_a_book_kept_from_snapshot_and_diffs_is_the_exchanges_book(talking, make_book, place: Place) -> None:
    names = f"{place.lower}@depth@100ms/{place.lower}@bookTicker"
    async with talking() as client, client.stream(f"{place.streams}/stream", params={"streams": names}) as stream:
        await stream.drain()
        client.exchange.step(1000)
        messages = await stream.drain()
        book: Book = make_book(
            await client.json(f"{place.rest}/depth", symbol=place.symbol, limit=place.most), is_spot=place.is_spot
        )
        client.exchange.step(20_000)
        messages += await stream.drain(1_000)
        diffs, tickers = 0, {}
        joined = False
        for message in messages:
            data = message["data"]
            if "B" in data:
                tickers[data["u"]] = (data["b"], data["B"], data["a"], data["A"])
                continue
            diffs += 1
            if not joined:
                joined = book.join(data)
                continue
            book.apply(data)
            truth = client.exchange.book_at(place.market, place.symbol, data["u"])
            if diffs % 10 == 0:
                bids, asks = whole(truth)
                assert bids.items() >= book.bids.items()
                assert asks.items() >= book.asks.items()
            if data["u"] in tickers:
                assert tickers[data["u"]] == book.best
        assert joined
        assert diffs > 20
        assert book.last_id == client.exchange.book(place.market, place.symbol).last_update_id
        assert tickers


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.market)
async def test_tickers_lead_and_meet_the_depth_stream(talking, make_book, place: Place) -> None:
    """Where a ticker's id is a diff's last id, its prices and sizes are the book's."""
    names = f"{place.lower}@depth@100ms/{place.lower}@bookTicker"
    async with talking(seed=3) as client, client.stream(f"{place.streams}/stream", params={"streams": names}) as stream:
        await stream.drain()
        client.exchange.step(20)
        book: Book = make_book(
            await client.json(f"{place.rest}/depth", symbol=place.symbol, limit=place.most), is_spot=place.is_spot
        )
        equal, leading, highest = 0, 0, 0
        waiting: dict[int, tuple[str, ...]] = {}
        for _ in range(10):
            client.exchange.step(6000)
            for message in await stream.drain():
                data = message["data"]
                if "B" in data:
                    assert data["u"] > highest
                    highest = data["u"]
                    leading += data["u"] > book.last_id
                    waiting[data["u"]] = (data["b"], data["B"], data["a"], data["A"])
                elif data["u"] > book.last_id:
                    book.put(data)
                    if data["u"] in waiting:
                        equal += 1
                        assert waiting[data["u"]] == book.best
        assert leading > 20
        assert equal > 3


@pytest.mark.parametrize(
    ("place", "speed", "interval_ms"),
    [(SPOT, "", 1000), (SPOT, "@100ms", 100), (USDM, "", 250), (USDM, "@500ms", 500), (COINM, "@100ms", 100),
     (OPTIONS, "@500ms", 500)],
)  # fmt: skip
async def test_each_speed_has_a_chain_of_its_own(
    talking, make_book, place: Place, speed: str, interval_ms: int
) -> None:
    async with talking() as client, client.stream(f"{place.streams}/ws/{place.lower}@depth{speed}") as stream:
        await stream.drain()
        client.exchange.step(20)
        book: Book = make_book(
            await client.json(f"{place.rest}/depth", symbol=place.symbol, limit=place.most), is_spot=place.is_spot
        )
        client.exchange.step(8000)
        diffs = await stream.drain()
        assert all(diff["E"] % interval_ms < 20 for diff in diffs)  # the market lives in steps of 20 ms
        assert 2 <= len(diffs) <= 8000 // interval_ms + 1
        first, *others = diffs
        if first["u"] <= book.last_id:
            first, *others = others
        book.join(first)
        for diff in others:
            book.apply(diff)


async def test_sides_are_ordered_as_the_venue_orders_them(talking) -> None:
    async with talking() as client:
        for place in PLACES:
            async with client.stream(f"{place.streams}/ws/{place.lower}@depth@100ms") as stream:
                await stream.drain()
                client.exchange.step(5000)
                for diff in await stream.drain():
                    bids, asks = ([float(price) for price, _ in diff[side]] for side in "ba")
                    assert bids == sorted(bids, reverse=place.is_spot)
                    assert asks == sorted(asks)


async def test_raw_combined_and_several_raw_streams(talking) -> None:
    async with talking() as client:
        async with client.stream("/spot/ws/btcusdt@bookTicker/ethusdt@bookTicker") as stream:
            await stream.drain()
            client.exchange.step(3000)
            assert {message["s"] for message in await stream.drain()} == {"BTCUSDT", "ETHUSDT"}
        async with client.stream("/spot/stream?streams=btcusdt@bookTicker") as stream:
            await stream.drain()
            client.exchange.step(3000)
            messages = await stream.drain()
            assert {message["stream"] for message in messages} == {"btcusdt@bookTicker"}
            assert set(messages[0]["data"]) == {"u", "s", "b", "B", "a", "A"}


async def test_partial_books(talking) -> None:
    async with talking() as client:
        async with client.stream("/spot/stream?streams=btcusdt@depth5@100ms") as stream:
            await stream.drain()
            client.exchange.step(1000)
            message = (await stream.drain())[-1]["data"]
            assert set(message) == {"lastUpdateId", "bids", "asks"}
            assert (len(message["bids"]), len(message["asks"])) == (5, 5)
            truth = client.exchange.book_at("spot", "BTCUSDT", message["lastUpdateId"])
            assert [tuple(level) for level in message["bids"]] == truth.bids[:5]
        async with client.stream("/coinm/ws/btcusd_perp@depth20@100ms") as stream:
            await stream.drain()
            client.exchange.step(1000)
            message = (await stream.drain())[-1]
            assert message["e"] == "depthUpdate"
            assert len(message["b"]) == 20


async def test_wrong_route_is_acknowledged_and_silent(talking) -> None:
    async with talking() as client, client.stream("/usdm/market/ws/btcusdt@depth@100ms") as stream:
        assert await stream.ask("SUBSCRIBE", "btcusdt@bookTicker", "btcusdt@aggTrade") == {"result": None, "id": 1}
        client.exchange.step(5000)
        assert {message["e"] for message in await stream.drain()} == {"aggTrade"}
    async with talking() as client, client.stream("/usdm/public/stream") as stream:
        await stream.ask("SUBSCRIBE", "btcusdt@aggTrade", "btcusdt@markPrice", "btcusdt@trade")
        client.exchange.step(5000)
        assert {message["stream"] for message in await stream.drain()} == {"btcusdt@trade"}


async def test_old_address_without_a_route_carries_everything(talking) -> None:
    names = "btcusdt@depth@100ms/btcusdt@aggTrade/btcusdt@markPrice@1s"
    async with talking() as client, client.stream(f"/usdm/stream?streams={names}") as stream:
        await stream.drain()
        client.exchange.step(5000)
        assert {message["stream"] for message in await stream.drain()} == set(names.split("/"))


async def test_subscribe_list_unsubscribe(talking) -> None:
    async with talking(rules=SocketRules(messages_per_s=100)) as client, client.stream("/spot/stream") as stream:
        assert await stream.ask("SUBSCRIBE", "btcusdt@trade", "币安人生usdt@depth@100ms") == {"result": None, "id": 1}
        listed = await stream.ask("LIST_SUBSCRIPTIONS", request_id=7)
        assert listed == {"result": ["btcusdt@trade", "币安人生usdt@depth@100ms"], "id": 7}
        client.exchange.step(20_000)
        streams = {message["stream"] for message in await stream.drain()}
        assert streams == {"btcusdt@trade", "币安人生usdt@depth@100ms"}
        assert await stream.ask("UNSUBSCRIBE", "btcusdt@trade") == {"result": None, "id": 1}
        client.exchange.step(20_000)
        assert {message["stream"] for message in await stream.drain()} == {"币安人生usdt@depth@100ms"}


async def test_non_ascii_symbol_in_an_address(talking) -> None:
    async with (
        talking() as client,
        client.stream("/spot/ws/%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9Fusdt@depth@100ms") as one,
    ):
        await one.drain()
        client.exchange.step(5000)
        assert (await one.drain())[0]["s"] == "币安人生USDT"


async def test_upper_case_and_unknown_streams_are_silent(talking) -> None:
    async with talking() as client, client.stream("/spot/stream") as stream:
        answer = await stream.ask("SUBSCRIBE", "BTCUSDT@trade", "nopeusdt@trade", "btcusdt@depth@50ms")
        assert answer == {"result": None, "id": 1}
        client.exchange.step(5000)
        assert await stream.drain() == []


@pytest.mark.parametrize(
    ("sent", "code", "part"),
    [
        ("{", 3, "Invalid JSON"),
        ("[1]", 2, "expected an object"),
        ('{"params": [], "id": 3}', 2, "missing field `method`"),
        ('{"method": "SUBSCRIBED", "params": ["a"], "id": 3}', 2, "unknown variant `SUBSCRIBED`"),
        ('{"method": "SUBSCRIBE", "id": 3}', 2, "missing field `params`"),
        ('{"method": "SUBSCRIBE", "params": [1], "id": 3}', 2, "must be strings"),
        ('{"method": "SUBSCRIBE", "params": ["a b"], "id": 3}', 2, "invalid stream"),
        ('{"method": "SUBSCRIBE", "params": ["a"], "id": -1}', 2, "unsigned integer"),
        ('{"method": "SUBSCRIBE", "params": ["a"], "id": 1, "x": 1}', 2, "unknown field `x`"),
        ('{"method": "GET_PROPERTY", "params": ["speed"], "id": 3}', 0, "Unknown property"),
        ('{"method": "SET_PROPERTY", "params": ["combined", 5], "id": 3}', 1, "expected Boolean"),
    ],
)
async def test_malformed_requests_are_answered(talking, sent: str, code: int, part: str) -> None:
    async with talking() as client, client.stream("/spot/ws") as stream:
        await stream.socket.send_str(sent)
        answer = await stream.next()
        assert answer["code"] == code
        assert part in answer["msg"]
        assert "e" not in answer
        if '"id": 3' in sent:
            assert answer["id"] == 3


async def test_combined_property_can_be_switched(talking) -> None:
    async with talking() as client, client.stream("/spot/ws/btcusdt@trade") as stream:
        assert (await stream.ask("GET_PROPERTY", "combined"))["result"] is False
        assert (await stream.ask("SET_PROPERTY", "combined", True))["result"] is None
        client.exchange.step(5000)
        assert (await stream.drain())[0]["stream"] == "btcusdt@trade"


async def test_too_many_messages_close_the_connection(talking) -> None:
    for path, allowed in (("/spot/ws", 5), ("/coinm/ws", 10)):
        async with talking() as client, client.stream(path) as stream:
            for number in range(allowed):
                assert (await stream.ask("LIST_SUBSCRIPTIONS", request_id=number))["id"] == number
            await stream.socket.send_str(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": 99}))
            assert await stream.closed() == 1008


async def test_messages_spread_over_time_are_fine(talking) -> None:
    async with talking() as client, client.stream("/spot/ws") as stream:
        for number in range(12):
            client.exchange.step(200)
            assert (await stream.ask("LIST_SUBSCRIPTIONS", request_id=number))["id"] == number


async def test_too_many_streams(talking) -> None:
    names = [f"btcusdt@kline_{number}m" for number in range(1024)]
    async with talking() as client, client.stream("/spot/ws") as stream:
        assert (await stream.ask("SUBSCRIBE", *names))["result"] is None
        assert (await stream.ask("SUBSCRIBE", "btcusdt@trade"))["code"] == 2
    async with talking() as client, client.stream("/options/public/stream?streams=" + "/".join(names[:201])) as stream:
        assert await stream.closed() == 1008


async def test_a_long_address_of_200_streams_is_accepted(talking) -> None:
    names = "/".join(f"btc-261225-{100_000 + number}-c@depth@100ms" for number in range(200))
    async with talking() as client, client.stream("/options/public/stream?streams=" + names) as stream:
        assert len((await stream.ask("LIST_SUBSCRIPTIONS"))["result"]) == 200


async def test_server_pings_and_a_client_that_answers_stays(talking) -> None:
    rules = SocketRules(ping_every_s=1, pong_within_s=2)
    async with talking(rules=rules) as client, client.stream("/spot/ws", autoping=False) as stream:
        client.exchange.step(1500)
        ping = await stream.socket.receive(5)
        assert ping.type is WSMsgType.PING
        assert ping.data.isdigit()
        await stream.socket.pong(ping.data)
        await asyncio.sleep(0.05)
        client.exchange.step(1000)
        assert (await stream.socket.receive(5)).type is WSMsgType.PING
        client.exchange.step(4000)  # unanswered this time
        assert await stream.closed() == 1008


async def test_client_pings_are_answered(talking) -> None:
    async with talking() as client, client.stream("/spot/ws", autoping=False) as stream:
        await stream.socket.ping(b"there?")
        pong = await stream.socket.receive(5)
        assert (pong.type, bytes(pong.data)) == (WSMsgType.PONG, b"there?")


async def test_who_leaves_before_the_answer_is_no_error(
    talking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    prepare = web.WebSocketResponse.prepare

    async def leave_first(response: web.WebSocketResponse, request: web.BaseRequest) -> Any:
        assert request.transport is not None
        reset(request.transport)
        return await prepare(response, request)

    async with talking() as client:
        with monkeypatch.context() as patch:
            patch.setattr(web.WebSocketResponse, "prepare", leave_first)
            with pytest.raises(ClientError):
                async with client.stream("/spot/ws/btcusdt@depth"):
                    pass
        assert not client.exchange.sessions
        async with client.stream("/spot/ws/btcusdt@depth@100ms") as stream:
            client.exchange.step(300)
            assert await stream.drain()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_connection_has_a_life(talking) -> None:
    async with talking(rules=SocketRules(socket_life_s=10)) as client, client.stream("/spot/ws") as stream:
        client.exchange.step(9_000)
        await stream.drain()
        client.exchange.step(2_000)
        assert await stream.closed() == 1001


async def test_a_client_that_does_not_read_is_cut_off_and_holds_up_nobody(talking) -> None:
    rules = SocketRules(largest_backlog=300_000)
    async with talking(rules=rules) as client:
        port = int(client.exchange.base_url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        path = "/spot/stream?streams=btcusdt@depth@100ms/btcusdt@depth20@100ms/ethusdt@depth20@100ms"
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{key}\r\n".encode()
        )
        assert b"101" in await reader.readline()
        writer.transport.pause_reading()
        async with client.stream("/spot/ws/btcusdt@depth@100ms") as healthy:
            await healthy.drain()
            assert len(client.exchange.sessions) == 2
            received = 0
            for _ in range(60):
                client.exchange.step(10_000)
                client.exchange.clock.advance(1000)
                received += len(await healthy.drain())
                if len(client.exchange.sessions) == 1:
                    break
            assert len(client.exchange.sessions) == 1
            assert received > 90
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_stop_closes_connections_and_can_be_called_twice(talking) -> None:
    async with talking() as client, client.stream("/spot/ws/btcusdt@trade") as stream:
        await stream.drain()
        await client.exchange.stop()
        assert await stream.closed() == 1001
        await client.exchange.stop()


async def test_it_runs_by_itself_with_a_real_clock(talking) -> None:
    async with talking(clock=None) as client, client.stream("/usdm/public/ws/btcusdt@depth@100ms") as stream:
        first, second = await stream.next(), await stream.next()
        assert second["pu"] == first["u"]


async def test_step_needs_a_manual_clock() -> None:
    with pytest.raises(TypeError, match="ManualClock"):
        Exchange().step(20)


async def test_two_exchanges_of_one_seed_tell_the_same(talking) -> None:
    async def told() -> list[Any]:
        path = "/usdm/public/stream?streams=btcusdt@depth@100ms/ethusdt@trade"
        async with talking(seed=11, clock=ManualClock()) as client, client.stream(path) as stream:
            await stream.drain()
            client.exchange.step(5000)
            return await stream.drain()

    assert await told() == await told()
