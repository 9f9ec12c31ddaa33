"""The child process that runs the embedded exchange for the application.

It reads one JSON line with its orders from standard input, answers with one JSON line, and then serves until standard
input ends; so it goes when its parent goes, however the parent ends, on every system. Further lines are commands.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading
from pathlib import Path

import msgspec

from depthgui.app.exchange_messages import Answer, Command, Orders
from depthgui.exchange import Exchange, FaultError, RecordingError, Replay

# How far back a fault may ask for an old book; each event kept costs about 2 kB, and nobody audits this exchange.
_EVENTS_KEPT = 5000


def main() -> int:
    """Serve until standard input ends; returns 0, or 1 if the exchange could not start."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    # Ctrl+C in a terminal reaches the whole group; the parent decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    return asyncio.run(_serve(orders))


async def _serve(orders: Orders) -> int:
    try:
        # Event times are moved to the present, so that the feed's lag means something.
        replays = [
            Replay(Path(path), speed=orders.speed, hold=True, now=True, keeps_pauses=orders.keeps_pauses)
            for path in orders.replays
        ]
        exchange = Exchange(seed=orders.seed, replays=replays, faults=orders.faults, history=_EVENTS_KEPT)
        await exchange.start()
    except (OSError, FaultError, RecordingError, ValueError) as error:
        _say(Answer(error=str(error)))
        return 1
    try:
        played = [f"{source.spec.market.value}:{source.spec.symbol}" for source in exchange.playbacks]
        # What is said of a file is said by each symbol that is played from it.
        warnings = list(dict.fromkeys(text for source in exchange.playbacks for text in source.warnings))
        _say(Answer(base_url=exchange.base_url, symbols=played, warnings=warnings))
        await _obey(exchange)
    finally:
        await exchange.stop()
    return 0


async def _obey(exchange: Exchange) -> None:
    """Do what standard input says until it ends."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes] = asyncio.Queue()

    def read() -> None:
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, b"")

    threading.Thread(target=read, name="orders", daemon=True).start()
    while line := await lines.get():
        command = msgspec.json.decode(line, type=Command)
        if command.fault:
            exchange.faults.add_script(command.fault)
        if command.disconnect:
            exchange.disconnect()


def _say(answer: Answer) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()
