"""`python -m bench.fault_client SYMBOLS SECONDS`: how long books are stale after a fault, by kind of fault.

The embedded exchange runs in a process of its own and keeps the venue's limits; sockets are real. Every two seconds
each symbol meets a fault. Printed as JSON: seconds stale by kind, the time a snapshot takes, request weight used.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import subprocess
import sys
import time
from typing import Any

import aiohttp

from depthgui.binance.endpoints import Endpoints, Market, SymbolRef
from depthgui.depthcache.feed import Feed, FeedState
from depthgui.depthcache.hub import Hub
from depthgui.exchange import Exchange
from depthgui.exchange.symbols import listed_symbols

KINDS = ("drop", "reorder", "malformed", "duplicate", "disconnect")
_EVERY_S = 2.0
_REST_S = 8.0


class StaleTimes:
    """Seconds that feeds were not live, each time."""

    def __init__(self, feeds: list[Feed]) -> None:
        self.seconds: list[float] = []
        self._since: dict[Feed, float] = {}
        for feed in feeds:
            feed.listen(self._note)

    def _note(self, feed: Feed) -> None:
        now_s = time.monotonic()
        if feed.state is not FeedState.LIVE:
            self._since.setdefault(feed, now_s)
        elif feed in self._since:
            self.seconds.append(now_s - self._since.pop(feed))

    def take(self) -> list[float]:
        """What was measured since the last time; a feed that is still stale counts until now."""
        now_s = time.monotonic()
        found = [*self.seconds, *(now_s - since_s for since_s in self._since.values())]
        self.seconds = []
        return [round(second, 4) for second in found]


async def serve(count: int) -> None:
    """The exchange, with `count` spot symbols more."""
    model = next(spec for spec in listed_symbols() if spec.market is Market.SPOT and spec.is_trading)
    more = [dataclasses.replace(model, symbol=symbol) for symbol in names(count)]
    async with Exchange(listing=more, history=2000) as exchange:
        print(exchange.base_url, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def names(count: int) -> list[str]:
    """Symbols that the exchange lists for this."""
    return [f"S{number:02}USDT" for number in range(count)]


async def measure(base: str, count: int, seconds: float) -> dict[str, Any]:
    """Meet each kind of fault for `seconds`."""
    found: dict[str, list[float]] = {}
    used = answers_s = 0.0
    async with Hub(Endpoints.at(base)) as hub, aiohttp.ClientSession() as session:
        feeds = [hub.feed(SymbolRef(Market.SPOT, name)) for name in names(count)]
        for feed in feeds:
            feed.start()
        await until_live(feeds)
        answers_s = await time_of_an_answer(hub, feeds[0].ref)
        await asyncio.sleep(2)
        times = StaleTimes(feeds)
        for kind in KINDS:
            await until_live(feeds)
            times.take()
            end_s = time.monotonic() + seconds
            while time.monotonic() < end_s:
                await session.post(f"{base}/control/faults", data=script(kind, feeds))
                used = max(used, hub.weight(Market.SPOT)[0])
                await asyncio.sleep(_EVERY_S)
            await asyncio.sleep(_REST_S)
            await session.delete(f"{base}/control/faults")
            found[kind] = times.take()
        return {
            "stale_s": found,
            "answer_s": answers_s,
            "weight": used,
            "limit": hub.weight(Market.SPOT)[1],
            "live": sum(feed.state is FeedState.LIVE for feed in feeds),
            "gaps": sum(feed.counters.gaps for feed in feeds),
            "resyncs": sum(feed.counters.resyncs for feed in feeds),
            "audits": sum(feed.counters.audits for feed in feeds),
            "differences": sum(feed.counters.audit_differences for feed in feeds),
        }


def script(kind: str, feeds: list[Feed]) -> str:
    """One fault for each symbol; a connection is all symbols' together."""
    if kind == "disconnect":
        return "disconnect code=1006"
    return "\n".join(f"{kind} symbol={feed.symbol} count=1" for feed in feeds)


async def until_live(feeds: list[Feed]) -> None:
    """Wait until all are live, for two minutes at most."""
    async with asyncio.timeout(120):
        while not all(feed.state is FeedState.LIVE for feed in feeds):
            await asyncio.sleep(0.05)


async def time_of_an_answer(hub: Hub, ref: SymbolRef) -> float:
    """Seconds that a snapshot takes when nothing is in its way, the mean of five."""
    start_s = time.monotonic()
    for _ in range(5):
        await hub.rest.snapshot(ref, 100)
    return (time.monotonic() - start_s) / 5


def main() -> None:
    """Be the exchange, or start it and measure."""
    logging.disable(logging.CRITICAL)
    count, seconds = int(sys.argv[1]), float(sys.argv[2])
    if len(sys.argv) > 3:
        asyncio.run(serve(count))
        return
    command = [sys.executable, "-m", "bench.fault_client", str(count), str(seconds), "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as venue:
        assert venue.stdout is not None
        base = venue.stdout.readline().strip()
        print(json.dumps(asyncio.run(measure(base, count, seconds))))
        venue.kill()


if __name__ == "__main__":
    main()
