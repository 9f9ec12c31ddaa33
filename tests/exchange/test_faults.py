"""The fault language, and each fault as a client meets it."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from depthgui.binance.endpoints import Market
from depthgui.exchange import FAULTS, Exchange, FaultBox, FaultError, describe_faults

DIFFS = "/spot/ws/btcusdt@depth@100ms"
DEPTH = "/spot/api/v3/depth"
BTC = {"symbol": "BTCUSDT", "limit": 1000}


# --- the language -----------------------------------------------------------------------------------------------------


def test_a_line() -> None:
    fault = FaultBox().add("gap symbol=btcusdt after=50")
    assert (fault.name, fault.text("symbol"), fault.number("after")) == ("gap", "BTCUSDT", 50)


def test_json_and_keywords_say_the_same() -> None:
    box = FaultBox()
    faults = [
        box.add("slow-snapshot market=spot delay=1.5 for=3"),
        box.add({"fault": "slow-snapshot", "market": "spot", "delay": 1.5, "for": 3}),
        box.add("slow-snapshot", market="spot", delay=1.5, for_=3),
    ]
    assert len({json.dumps(dict(fault.settings)) for fault in faults}) == 1


def test_a_script_has_comments_and_is_taken_whole_or_not_at_all() -> None:
    box = FaultBox()
    assert [fault.name for fault in box.add_script("# two\n drop after=1 # one\n\nstall for=2\n")] == ["drop", "stall"]
    with pytest.raises(FaultError, match="unknown fault 'explode'"):
        box.add_script("drop\nexplode")
    assert len(box) == 2


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("explode", "known are drop, gap"),
        ("drop when=5", "it has market, symbol"),
        ("drop after=soon", "a whole number"),
        ("drop market=forex", "spot, usdm, coinm, options"),
        ("drop after", "key=value"),
        ("malformed kind=ugly", "truncated, not-json"),
        ("stall deaf=maybe", "yes or no"),
        ('[{"symbol": "X"}]', '"fault"'),
        ("{", "not JSON"),
        ("[5]", "an object or a line"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_known(line, named) -> None:
    with pytest.raises(FaultError) as error:
        FaultBox().add_script(line)
    assert named in str(error.value)


def test_after_count_and_for() -> None:
    box = FaultBox()
    counted = box.add("drop after=2 count=3")
    assert [counted.strikes(0) for _ in range(7)] == [False, False, True, True, True, False, False]
    timed = box.add("drop after=1 for=2")
    assert [timed.strikes(ms) for ms in (0, 1000, 2000, 2999, 3000, 3001)] == [False, True, True, True, False, False]
    assert timed.is_over
    once = box.add("drop")
    assert [once.strikes(0) for _ in range(3)] == [True, False, False]
    assert [one.name for one in box if not one.is_over] == []


def test_whom_it_meets() -> None:
    fault = FaultBox().add("drop market=usdm symbol=BTCUSDT stream=*@depth*")
    assert fault.meets(Market.USDM, "BTCUSDT", "btcusdt@depth@100ms")
    assert not fault.meets(Market.SPOT, "BTCUSDT", "btcusdt@depth@100ms")
    assert not fault.meets(Market.USDM, "ETHUSDT", "ethusdt@depth@100ms")
    assert not fault.meets(Market.USDM, "BTCUSDT", "btcusdt@trade")


def test_the_description_names_every_fault_and_setting() -> None:
    text = describe_faults()
    for name, kind in FAULTS.items():
        assert name in text
        assert all(f"  {key}: " in text for key in kind.settings)


# --- messages ---------------------------------------------------------------------------------------------------------


async def diffs_with(talking, fault: str, ms: int = 3000):
    async with talking(faults=[fault]) as client, client.stream(DIFFS) as stream:
        await stream.drain()
        client.exchange.step(ms)
        return await stream.drain(), client.exchange


def holes(diffs) -> list[int]:
    return [at for at in range(1, len(diffs)) if diffs[at]["U"] != diffs[at - 1]["u"] + 1]


async def test_without_a_fault_there_is_no_hole(talking) -> None:
    diffs, _ = await diffs_with(talking, "drop symbol=ETHUSDT")
    assert len(diffs) > 20
    assert holes(diffs) == []


@pytest.mark.parametrize("name", ["drop", "gap"])
async def test_drop(talking, name) -> None:
    diffs, exchange = await diffs_with(talking, f"{name} symbol=BTCUSDT after=5 count=2")
    assert holes(diffs) == [5]
    assert next(iter(exchange.faults)).as_dict()["hits"] == 2


async def test_duplicate(talking) -> None:
    diffs, _ = await diffs_with(talking, "duplicate after=5")
    assert diffs[5] == diffs[6]
    assert diffs[6] != diffs[7]


async def test_reorder_loses_nothing(talking) -> None:
    plain, _ = await diffs_with(talking, "drop symbol=ETHUSDT")
    diffs, _ = await diffs_with(talking, "reorder after=5")
    assert diffs[5:7] == [plain[6], plain[5]]
    assert diffs[7:] == plain[7:]


async def test_wrong_size_changes_one_size_and_not_the_exchanges_book(talking) -> None:
    plain, _ = await diffs_with(talking, "drop symbol=ETHUSDT")
    diffs, exchange = await diffs_with(talking, "wrong-size after=5")
    different = [at for at, (one, other) in enumerate(zip(diffs, plain, strict=True)) if one != other]
    assert different == [5]
    wrong = [
        (one, right) for side in "ba" for one, right in zip(diffs[5][side], plain[5][side], strict=True) if one != right
    ]
    assert len(wrong) == 1
    (price, size), (right_price, right_size) = wrong[0]
    assert price == right_price
    assert float(size) > 0
    assert len(size) == len(right_size)
    truth = exchange.book_at("spot", "BTCUSDT", diffs[5]["u"])
    assert [price, right_size] in [list(level) for level in (*truth.bids, *truth.asks)]


@pytest.mark.parametrize("kind", FAULTS["malformed"].settings["kind"].choices)
async def test_malformed(talking, kind) -> None:
    async with talking(faults=[f"malformed kind={kind} after=2"]) as client, client.stream(DIFFS) as stream:
        await stream.drain()
        client.exchange.step(1000)
        await stream.next()
        await stream.next()
        broken = await stream.socket.receive(5)
        if kind == "binary":
            assert broken.type is aiohttp.WSMsgType.BINARY
        elif kind == "bad-utf8":
            assert broken.type is aiohttp.WSMsgType.ERROR
            return
        elif kind in ("truncated", "not-json"):
            with pytest.raises(ValueError, match=r"delimiter|Expecting|Unterminated"):
                json.loads(broken.data)
        else:
            event = json.loads(broken.data)
            is_whole = isinstance(event, dict) and "u" in event and isinstance(event["b"], list)
            assert not is_whole or event["b"][0][0] == "not a price"
        assert (await stream.next())["e"] == "depthUpdate"


async def test_a_stream_pattern_makes_other_messages_meet_it(talking) -> None:
    path = "/spot/stream?streams=btcusdt@trade/btcusdt@aggTrade"
    async with talking(faults=["drop stream=*@trade count=0"]) as client, client.stream(path) as stream:
        await stream.drain()
        client.exchange.step(5000)
        assert {message["stream"] for message in await stream.drain()} == {"btcusdt@aggTrade"}


# --- connections ------------------------------------------------------------------------------------------------------


async def test_disconnect_after_some_messages_with_a_code(talking) -> None:
    async with talking(faults=["disconnect after=5 code=1001"]) as client, client.stream(DIFFS) as stream:
        await stream.drain()
        client.exchange.step(3000)
        received = 0
        while (message := await stream.socket.receive(5)).type is aiohttp.WSMsgType.TEXT:
            received += 1
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
        assert received == 5


async def test_disconnect_now_without_a_word_meets_only_its_market(talking) -> None:
    async with talking() as client, client.stream(DIFFS) as spot, client.stream("/coinm/ws") as coinm:
        await spot.drain()
        await coinm.drain()
        client.exchange.faults.add("disconnect market=spot")
        assert await spot.closed() in (None, 1006)
        assert await coinm.drain() == []


async def test_disconnect_by_method(talking) -> None:
    async with talking() as client, client.stream(DIFFS) as one, client.stream("/spot/ws/ethusdt@trade") as other:
        await one.drain()
        await other.drain()
        assert client.exchange.disconnect("spot", symbol="ETHUSDT", code=1012) == 1
        assert await other.closed() == 1012
        assert await one.drain() == []


async def test_refuse_by_status_for_some_attempts(talking) -> None:
    async with talking(faults=["refuse count=2 how=503"]) as client:
        for _ in range(2):
            with pytest.raises(aiohttp.WSServerHandshakeError) as error:
                async with client.stream(DIFFS):
                    pass
            assert error.value.status == 503
        async with client.stream(DIFFS) as stream:
            assert await stream.drain() == []


async def test_refuse_by_reset_for_some_seconds(talking) -> None:
    async with talking(faults=["refuse for=5 how=reset market=usdm"]) as client:
        for _ in range(3):
            with pytest.raises(aiohttp.ClientError):
                async with client.stream("/usdm/public/ws"):
                    pass
        async with client.stream(DIFFS) as stream:
            assert await stream.drain() == []
        client.exchange.clock.advance(5000)
        async with client.stream("/usdm/public/ws") as stream:
            assert await stream.drain() == []


async def test_stall_keeps_the_connection_and_says_nothing(talking) -> None:
    async with talking(faults=["stall after=3 for=2"]) as client, client.stream(DIFFS) as stream:
        await stream.drain()
        client.exchange.step(1500)
        before = await stream.drain()
        assert len(before) == 3
        client.exchange.step(3000)
        later = await stream.drain()
        assert later[0]["U"] > before[-1]["u"] + 1  # it goes on, after a hole


async def test_stall_deaf_answers_nothing(talking) -> None:
    async with talking() as client, client.stream(DIFFS) as stream, client.stream(DIFFS) as other:
        await stream.drain()
        client.exchange.faults.add("stall deaf=yes")
        await stream.socket.send_str('{"method": "LIST_SUBSCRIPTIONS", "id": 1}')
        client.exchange.step(2000)
        with pytest.raises(TimeoutError):
            await stream.socket.receive(0.2)
        assert not other.socket.closed
        async with client.stream(DIFFS) as fresh:
            await fresh.drain()
            client.exchange.step(1000)
            assert await fresh.drain()


async def test_shutdown_notice_and_the_close_after_it(talking) -> None:
    async with talking() as client, client.stream("/spot/stream") as combined, client.stream("/spot/ws") as raw:
        await combined.drain()
        await raw.drain()
        client.exchange.faults.add("shutdown market=spot close_after=3")
        assert (await raw.next())["e"] == "serverShutdown"
        notice = await combined.next()
        assert (notice["stream"], notice["data"]["e"]) == ("!serverShutdown", "serverShutdown")
        client.exchange.step(2900)
        assert await raw.drain() == []
        client.exchange.step(200)
        assert await raw.closed() == 1001


# --- REST -------------------------------------------------------------------------------------------------------------


async def test_slow_snapshot_is_of_the_moment_it_was_asked_for(talking) -> None:
    async with talking(faults=["slow-snapshot delay=0.2"]) as client, client.stream(DIFFS) as stream:
        await stream.drain()
        client.exchange.step(1000)
        asked_at = client.exchange.book("spot", "BTCUSDT").last_update_id
        request = asyncio.create_task(client.json(DEPTH, **BTC))
        await asyncio.sleep(0.05)
        client.exchange.step(2000)
        assert (await request)["lastUpdateId"] == asked_at


async def test_old_snapshot(talking) -> None:
    async with talking() as client, client.stream(DIFFS) as stream:
        await stream.drain()
        client.exchange.step(3000)
        then = client.exchange.book("spot", "BTCUSDT")
        client.exchange.step(10_000)
        client.exchange.faults.add("old-snapshot age=10")
        old = await client.json(DEPTH, symbol="BTCUSDT", limit=5000)
        assert old["lastUpdateId"] == then.last_update_id
        assert [tuple(level) for level in old["bids"]] == then.bids[:5000]
        fresh = await client.json(DEPTH, **BTC)
        assert fresh["lastUpdateId"] > old["lastUpdateId"]


async def test_failing_snapshot(talking) -> None:
    async with talking(faults=["failing-snapshot symbol=BTCUSDT status=503 code=-1008 msg=busy"]) as client:
        assert (await client.get(DEPTH, symbol="ETHUSDT"))[0] == 200
        assert (await client.get(DEPTH, **BTC))[:2] == (503, {"code": -1008, "msg": "busy"})
        assert (await client.get(DEPTH, **BTC))[0] == 200


async def test_failing_snapshot_without_an_answer(talking) -> None:
    async with talking(faults=["failing-snapshot status=0 count=9"]) as client:
        with pytest.raises(aiohttp.ClientError):
            await client.get(DEPTH, **BTC)


async def test_malformed_snapshot(talking) -> None:
    async with talking(faults=["malformed-snapshot"]) as client:
        with pytest.raises(ValueError, match=r"delimiter|Expecting|Unterminated"):
            await client.get(DEPTH, **BTC)
        assert (await client.get(DEPTH, **BTC))[0] == 200


@pytest.mark.parametrize("status", [429, 418])
async def test_limit_faults_say_how_long(talking, status) -> None:
    async with talking(faults=[f"{status} market=spot retry_after=7"]) as client:
        answered, body, headers = await client.get(DEPTH, **BTC)
        assert (answered, body["code"], headers["retry-after"]) == (status, -1003, "7")
        assert (await client.get(DEPTH, **BTC))[0] == 200


async def test_region_firewall_and_unavailable(talking) -> None:
    async with talking(faults=["451", "403", "503"]) as client:
        status, body, _ = await client.get("/spot/api/v3/exchangeInfo")
        assert status == 451
        assert "restricted location" in body["msg"]
        status, text, headers = await client.get("/spot/api/v3/ping")
        assert (status, headers["content-type"].split(";")[0]) == (403, "text/html")
        assert "403" in text
        assert (await client.get("/spot/api/v3/ping"))[0] == 503
        assert (await client.get("/spot/api/v3/ping"))[0] == 200


# --- requests of streams ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("serves", "messages"), [("no", 0), ("yes", 5)])
async def test_a_swallowed_subscription(talking, serves: str, messages: int) -> None:
    faults = [f"ignore-subscribe symbol=BTCUSDT serves={serves}"]
    async with talking(faults=faults) as client, client.stream("/spot/ws") as stream:
        request = {"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 1}
        await stream.socket.send_str(json.dumps(request))
        assert await stream.ask("SUBSCRIBE", "ethusdt@trade", request_id=2) == {"result": None, "id": 2}
        client.exchange.step(3000)
        diffs = [one for one in await stream.drain() if one.get("s") == "BTCUSDT"]
        assert len(diffs) >= messages
        assert bool(diffs) is bool(messages)
        assert await stream.ask("SUBSCRIBE", "btcusdt@depth@100ms", request_id=3) == {"result": None, "id": 3}


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("other-id", {"result": None, "id": 1_000_000}),
        ("no-id", {"result": None}),
        ("text-id", {"result": None, "id": "1"}),
        ("twice", {"result": None, "id": 1}),
        ("list", {"result": ["ethusdt@trade"], "id": 1}),
        ("error", {"code": 2, "msg": "Invalid request: said by a fault", "id": 1}),
        ("error-without-id", {"code": 2, "msg": "Invalid request: said by a fault"}),
    ],
)
async def test_an_odd_answer(talking, kind: str, answer: dict[str, object]) -> None:
    async with talking(faults=[f"odd-answer kind={kind}"]) as client, client.stream("/spot/ws") as stream:
        assert await stream.ask("SUBSCRIBE", "ethusdt@trade") == answer
        if kind == "twice":
            assert await stream.next() == answer
        assert await stream.ask("LIST_SUBSCRIPTIONS", request_id=2) == {"result": ["ethusdt@trade"], "id": 2}


# --- the control call -------------------------------------------------------------------------------------------------


async def test_control_call(talking) -> None:
    async with talking() as client, client.stream(DIFFS) as stream:
        await stream.drain()
        status, added = await client.post("/control/faults", "drop symbol=BTCUSDT after=1\nstall market=usdm")
        assert (status, [one["fault"] for one in added]) == (200, ["drop", "stall"])
        status, added = await client.post("/control/faults", '[{"fault": "429"}]')
        assert (status, added[0]["id"]) == (200, 3)
        status, answer = await client.post("/control/faults", "drop\nnonsense")
        assert status == 400
        assert "nonsense" in answer["error"]
        state = await client.json("/control/state")
        assert [session["streams"] for session in state["sessions"]] == [["btcusdt@depth@100ms"]]
        assert [fault["fault"] for fault in state["faults"]] == ["drop", "stall", "429"]
        assert await client.delete("/control/faults/2") == 200
        assert await client.delete("/control/faults/2") == 404
        assert await client.delete("/control/faults") == 200
        assert await client.json("/control/faults") == []


def test_a_wrong_fault_is_an_error_before_the_exchange_starts() -> None:
    with pytest.raises(FaultError, match="unknown fault"):
        Exchange(faults=["nonsense"])
