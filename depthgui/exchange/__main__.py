"""`python -m depthgui.exchange`: the embedded exchange as a process of its own."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from depthgui.exchange import Exchange, FaultError, RecordingError, Replay, describe_faults


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m depthgui.exchange",
        description="A Binance-shaped exchange on this machine: four markets below /spot, /usdm, /coinm, /options.",
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on [%(default)s]")
    add("--port", type=int, default=8900, help="port to listen on, 0 for any [%(default)s]")
    add("--seed", type=int, default=1, help="seed of the synthetic market [%(default)s]")
    add(
        "--replay",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="recordings to play, files or folders",
    )
    add("--speed", type=_speed, default=1.0, help="speed of the recordings, 1 to 100 [%(default)s]")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--loop", action="store_true", help="play recordings again and again")
    again.add_argument("--once", action="store_true", help="play recordings once; the last book stays (the default)")
    add("--keep-pauses", action="store_true", help="play pauses of more than two seconds as they are")
    add("--hold", action="store_true", help="begin a recording when somebody subscribes to its symbol")
    add("--now", action="store_true", help="move the recordings' event times to the present")
    add("--fault", action="append", default=[], metavar="SPEC", help='a fault, e.g. "drop symbol=BTCUSDT after=50"')
    add("--fault-file", type=Path, action="append", default=[], metavar="FILE", help="faults, one a line, or JSON")
    add("--list-faults", action="store_true", help="describe the fault language and end")
    add("--no-limits", action="store_true", help="refuse nobody for request weight or number of connects")
    return parser


def _speed(text: str) -> float:
    speed = float(text)
    if not 1 <= speed <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 100")
    return speed


def _exchange(options: argparse.Namespace) -> Exchange:
    replays = [
        Replay(
            path,
            speed=options.speed,
            loop=options.loop,
            hold=options.hold,
            now=options.now,
            keeps_pauses=options.keep_pauses,
        )
        for path in options.replay
    ]
    faults = [*options.fault, *(path.read_text(encoding="utf-8") for path in options.fault_file)]
    return Exchange(
        host=options.host,
        port=options.port,
        seed=options.seed,
        replays=replays,
        faults=faults,
        enforce_limits=not options.no_limits,
        history=5000,
    )


async def _serve(exchange: Exchange) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows' loops know no signal handlers; there Ctrl+C ends the loop itself.
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stopped.set)
    async with exchange:
        print(f"depthgui exchange on {exchange.base_url}", flush=True)
        await stopped.wait()


def main(argv: Sequence[str] | None = None) -> int:
    """Run until Ctrl+C or SIGTERM. Returns 0, or 1 with a sentence on stderr if it could not start."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    options = _parser().parse_args(argv)
    if options.list_faults:
        print(describe_faults())
        return 0
    try:
        asyncio.run(_serve(_exchange(options)))
    except (OSError, FaultError, RecordingError, ValueError) as error:
        print(f"depthgui exchange: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
