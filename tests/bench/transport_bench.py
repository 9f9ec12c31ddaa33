"""CPU of a message from socket to applied book, in several loops; many symbols in one process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import msgspec

from bench.client import VARIANTS, ClientOrder
from bench.programs import app_python
from bench.results import Plan, Result, Row, at_most
from bench.scripts import ScriptOrder, make_script, true_digest
from bench.timing import median, ratio
from bench.venue import venue

_PLAIN = "asyncio + websockets, our book"
_SORTED = "asyncio + websockets, orjson and SortedDict"
_OURS = "the application's loop, our hub"


class WrongBookError(AssertionError):
    """A measured program's book is not the venue's."""


def run_client(order: ClientOrder, timeout_s: float) -> dict[str, Any]:
    """Run one measured program to its end; return what it printed."""
    # The peer's libraries are where this program runs; ours is measured in the environment that is shipped.
    python = sys.executable if order.variant == _SORTED else app_python()
    done = subprocess.run(
        [python, "-m", "bench.client"],
        input=msgspec.json.encode(order) + b"\n",
        stdout=subprocess.PIPE,
        timeout=timeout_s,
        check=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def check_books(scripts: list[ScriptOrder], report: dict[str, Any]) -> None:
    """Compare final books, as exact text, with the script. Raises WrongBookError."""
    by_symbol = {script.symbol: script for script in map(make_script, scripts)}
    for symbol, (update_id, found) in report["books"].items():
        if true_digest(by_symbol[symbol], update_id) != found:
            raise WrongBookError(f"{symbol} at {update_id}")


def loops(plan: Plan) -> Result:
    """One symbol at 500 diffs a second."""
    result = Result("CPU of a message from socket to applied book, 500 messages/s")
    rate = 500.0
    skip, messages = plan.pick((500, 3000), (300, 1200))
    scripts = [
        ScriptOrder(symbol="BTCUSDT", rate=rate, seconds=(skip + messages) / rate + 5, levels_a_side=5000, levels=31)
    ]
    variants = [name for name in VARIANTS if plan.peers or name != _SORTED]
    if plan.quick:
        variants = [_PLAIN, _OURS]
    costs: dict[str, list[float]] = {name: [] for name in variants}
    rounds = plan.pick(5, 1)
    for number in range(rounds):
        for name in variants[number % len(variants) :] + variants[: number % len(variants)]:
            with venue(scripts) as base:
                order = ClientOrder(base=base, variant=name, symbols=["BTCUSDT"], skip=skip, messages=messages)
                report = run_client(order, messages / rate + 30)
            check_books(scripts, report)
            costs[name].append(report["us_a_message"])
    plain = costs[_PLAIN]
    for name in variants:
        what = f"socket to applied book: {name}"
        note = f"{ratio(costs[name], plain):.2f} x plain asyncio + websockets"
        result.rows.append(Row(what, f"{median(costs[name]):.0f} us", note="" if name == _PLAIN else note))
    what = "socket to applied book, the application's loop against plain asyncio + websockets"
    result.rows.append(at_most(what, ratio(costs[_OURS], plain), 1.0, "x"))
    result.notes.append(
        f"{rounds} rounds in turn, {messages} messages each of 31 levels, on a book of 5000 levels a side; "
        "process CPU time; best prices looked at after each; every final book equals the venue's, text for text."
    )
    result.data["us a message"] = costs
    return result


def many_symbols(plan: Plan) -> Result:
    """200 symbols, 10 diffs a second each, without a window."""
    result = Result("200 symbols in one process, headless, 10 events/s each")
    count, seconds = 200, plan.pick(25.0, 8.0)
    scripts = [
        ScriptOrder(symbol=f"S{number:03}USDT", rate=10.0, seconds=seconds + 20, levels_a_side=500, levels=12)
        for number in range(count)
    ]
    order = ClientOrder(
        base="",
        variant="asyncio, our hub",
        symbols=[script.symbol for script in scripts],
        skip=count * 20,
        messages=int(count * 10 * seconds),
        limit=100,  # more would take several minutes' budget of request weight
    )
    with venue(scripts) as base:
        report = run_client(msgspec.structs.replace(order, base=base), seconds + 90)
    check_books(scripts, report)
    note = f"{report['us_a_message']:.0f} us a message; {report['live']} live, {report['gaps']} gaps"
    result.rows.append(at_most("CPU of 200 symbols, headless", report["cpu_percent"], 60.0, "% of a core", note))
    result.notes.append("Diffs of 12 levels, depth streams only; final books checked against the venue's.")
    del report["books"]
    result.data.update(report)
    return result
