"""The benchmark's venue: a process of its own that sends prepared messages at exact times.

`python -m bench.venue` reads orders (JSON, one line) from standard input, prints its address, and ends with its input.
A symbol's messages begin when its stream of diffs is subscribed to, so that the prepared snapshot always joins.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from bench.scripts import Script, ScriptOrder, make_script

_LEAD_S = 0.3
_API = {"spot": "/api/v3", "usdm": "/fapi/v1", "coinm": "/dapi/v1"}
_STREAMS = {"spot": ("/stream",), "usdm": ("/public/stream", "/stream"), "coinm": ("/stream",)}


class Orders(msgspec.Struct, kw_only=True):
    """What to play."""

    scripts: list[ScriptOrder]


class _Socket:
    """One connection: what it hears, and a heap of what is due."""

    def __init__(self, response: web.WebSocketResponse, scripts: dict[str, Script]) -> None:
        self._response = response
        self._scripts = scripts
        self._wanted: set[str] = set()
        self._heap: list[tuple[float, int, Iterator[Any], bytes, str]] = []
        self._number = itertools.count()
        self._begins: dict[int, float] = {}
        self._more = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def serve(self) -> None:
        pump = asyncio.create_task(self._pump())
        try:
            async for message in self._response:
                if message.type is WSMsgType.TEXT:
                    await self._obey(msgspec.json.decode(message.data))
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    async def _obey(self, request: dict[str, Any]) -> None:
        names = request.get("params", [])
        await self._response.send_str(msgspec.json.encode({"result": None, "id": request.get("id")}).decode())
        if request.get("method") != "SUBSCRIBE":
            self._wanted.difference_update(names)
            return
        self._wanted.update(names)
        begin_s = self._loop.time() + _LEAD_S
        for name in names:
            symbol, _, kind = name.partition("@")
            script = self._scripts.get(symbol.upper())
            if script is not None and kind.startswith("depth"):
                # Symbols don't tick together.
                self._push(begin_s + zlib.crc32(symbol.encode()) % 1000 / 10_000, iter(script.lines), symbol)
        self._more.set()

    def _push(self, begin_s: float, lines: Iterator[Any], symbol: str) -> None:
        line = next(lines, None)
        if line is not None:
            name = f"{symbol}@{line.stream}"
            frame = b'{"stream":"%s","data":%s}' % (name.encode(), line.data)
            heapq.heappush(self._heap, (begin_s + line.at_s, next(self._number), lines, frame, name))
            self._begins[id(lines)] = begin_s

    async def _pump(self) -> None:
        while True:
            if not self._heap:
                self._more.clear()
                await self._more.wait()
            wait_s = self._heap[0][0] - self._loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
                continue
            _, _, lines, frame, name = heapq.heappop(self._heap)
            self._push(self._begins[id(lines)], lines, name.partition("@")[0])
            if name in self._wanted:
                await self._response.send_frame(frame, WSMsgType.TEXT)


def _application(scripts: list[Script]) -> web.Application:
    by_market: dict[str, dict[str, Script]] = {market: {} for market in _API}
    for script in scripts:
        by_market[script.market][script.symbol] = script

    async def stream(request: web.Request) -> web.WebSocketResponse:
        response = web.WebSocketResponse(compress=False, autoping=True)
        await response.prepare(request)
        await _Socket(response, by_market[request.path.split("/")[1]]).serve()
        return response

    def depth(market: str) -> Any:
        async def answer(request: web.Request) -> web.Response:
            script = by_market[market].get(request.query.get("symbol", ""))
            if script is None:
                return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
            return web.Response(body=script.snapshot, content_type="application/json")

        return answer

    def info(market: str) -> Any:
        async def answer(_: web.Request) -> web.Response:
            symbols = [_listed(script) for script in by_market[market].values()]
            return web.json_response({"timezone": "UTC", "rateLimits": [], "symbols": symbols})

        return answer

    async def server_time(_: web.Request) -> web.Response:
        return web.json_response({"serverTime": int(time.time() * 1000)})

    async def ping(_: web.Request) -> web.Response:
        return web.json_response({})

    app = web.Application()
    for market, prefix in _API.items():
        base = f"/{market}{prefix}"
        app.router.add_get(f"{base}/depth", depth(market))
        app.router.add_get(f"{base}/exchangeInfo", info(market))
        app.router.add_get(f"{base}/time", server_time)
        app.router.add_get(f"{base}/ping", ping)
        for path in _STREAMS[market]:
            app.router.add_get(f"/{market}{path}", stream)
    return app


def _listed(script: Script) -> dict[str, Any]:
    tick = "0.1" if script.market == "coinm" or ("BTC" in script.symbol and script.market == "usdm") else "0.01"
    return {
        "symbol": script.symbol, "status": "TRADING", "contractStatus": "TRADING", "contractType": "PERPETUAL",
        "baseAsset": "BTC", "quoteAsset": "USD" if script.market == "coinm" else "USDT", "contractSize": 100,
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": tick},
            {"filterType": "LOT_SIZE", "stepSize": "1" if script.market == "coinm" else "0.00001"},
        ],
    }  # fmt: skip


async def _serve(orders: Orders) -> None:
    scripts = [make_script(order) for order in orders.scripts]
    runner = web.AppRunner(_application(scripts), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    print(f"http://127.0.0.1:{port}", flush=True)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait_for_end() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait_for_end, daemon=True).start()
    await ended.wait()
    await runner.cleanup()


@contextmanager
def venue(scripts: Sequence[ScriptOrder]) -> Iterator[str]:
    """Run a venue in a process of its own; yields its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.venue"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(msgspec.json.encode(Orders(scripts=list(scripts))) + b"\n")
        process.stdin.flush()
        address = process.stdout.readline().decode().strip()
        if not address:
            raise RuntimeError("the benchmark's venue did not start")
        yield address
    finally:
        process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def recording_path(folder: Path, name: str) -> str:
    """Path of a recording, as an order wants it."""
    return str(folder / f"{name}.ndjson.gz")


if __name__ == "__main__":
    asyncio.run(_serve(msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)))
