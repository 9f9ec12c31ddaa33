"""`python -m bench`, as `packaging/dev.py bench` calls it."""

from __future__ import annotations

import argparse
import datetime
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import app_bench, book_bench, fault_bench, frame_bench, picture, report, soak_bench, transport_bench
from bench.results import Plan, Result

SECTIONS: dict[str, Callable[[Plan], Result]] = {
    "books": book_bench.books_on_made_messages,
    "recordings": book_bench.books_on_recordings,
    "memory": book_bench.memory,
    "growth": book_bench.growth,
    "loops": transport_bench.loops,
    "many": transport_bench.many_symbols,
    "frames": frame_bench.frames,
    "tabs": app_bench.live_tabs,
    "burst": app_bench.burst,
    "start": app_bench.start,
    "faults": fault_bench.faults,
    "soak": soak_bench.soak,
}


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """Understand the command line."""
    parser = argparse.ArgumentParser(prog="packaging/dev.py bench", description="Measure depthgui; write a report.")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), metavar="DIR", help="where the report goes")
    parser.add_argument("--quick", action="store_true", help="a short form, under two minutes, without peers")
    parser.add_argument("--no-peers", action="store_true", help="don't measure other libraries")
    parser.add_argument(
        "--only", action="append", choices=SECTIONS, metavar="SECTION", help=f"only this one: {', '.join(SECTIONS)}"
    )
    parser.add_argument(
        "--soak-hours", type=_hours, metavar="H", help="simulated hours of the soak section (full: 0.5)"
    )
    return parser.parse_args(argv)


def _hours(text: str) -> float:
    hours = float(text)
    if not 0.25 <= hours <= 1000:
        raise argparse.ArgumentTypeError(f"{text} hours: between 0.25 and 1000 are asked for")
    return hours


def main(argv: Sequence[str]) -> int:
    """Run the sections and write the report; returns 0, or 1 if one of them failed."""
    options = parse(argv)
    plan = Plan(
        options.out, quick=options.quick, peers=not (options.quick or options.no_peers), soak_hours=options.soak_hours
    )
    started = datetime.datetime.now(datetime.UTC)
    results: list[Result] = []
    failed: list[str] = []
    for name in options.only or SECTIONS:
        begin_s = time.monotonic()
        try:
            result = SECTIONS[name](plan)
        except Exception as error:  # noqa: BLE001 - one section's failure is told, and the others go on
            failed.append(name)
            result = Result(name, notes=[f"This section failed: {type(error).__name__}: {error}"])
            traceback.print_exc()
        result.data["seconds"] = round(time.monotonic() - begin_s, 1)
        results.append(result)
        report.show(result)
    curves = [curve for result in results for curve in result.curves]
    drawn = plan.out / "growth.png" if curves else None
    if drawn is not None:
        plan.out.mkdir(parents=True, exist_ok=True)
        picture.draw(curves, drawn)
    path = report.write(plan, results, drawn, started)
    print(f"\nreport: {path}")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
