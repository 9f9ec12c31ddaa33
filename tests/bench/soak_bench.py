"""Memory over simulated hours: half an hour unless more is asked for; the budget speaks of eight."""

from __future__ import annotations

import json
import subprocess

from bench.programs import app_python
from bench.results import Curve, Plan, Result, at_most

_SETTLED_MIN = 10
_BUDGET_MIN = 8 * 60


def soak(plan: Plan) -> Result:
    """Growth after the first ten simulated minutes."""
    result = Result("Memory over simulated time")
    symbols, minutes = plan.pick((20, 30), (2, 15))
    if plan.soak_hours is not None:
        minutes = round(plan.soak_hours * 60)
    done = subprocess.run(
        [app_python(), "-m", "bench.soak_client", str(symbols), str(minutes)],
        stdout=subprocess.PIPE,
        check=True,
        timeout=600 + 60 * minutes,
    )
    found = json.loads(done.stdout)
    memory = found["memory_mb"]
    begin, end = memory[_SETTLED_MIN - 1], memory[-1]
    growth = (end / begin - 1) * 100
    note = (
        f"{begin:.0f} MB after {_SETTLED_MIN} min, {end:.0f} MB after {minutes}; {found['diffs']} diffs, "
        f"{found['gaps']} gaps, {found['live']} of {symbols} live, up to {found['levels']} levels a book"
    )
    what = f"memory of {symbols} symbols, {minutes} simulated minutes: growth after the first {_SETTLED_MIN}"
    result.rows.append(at_most(what, max(growth, 0.0), 2.0, "%", note))
    result.notes.append("Headless, without sockets, on a clock that jumps.")
    if minutes < _BUDGET_MIN:
        result.notes.append("The budget speaks of eight hours (`--only soak --soak-hours 8`); this is a shorter form.")
    points = tuple((float(minute), size) for minute, size in enumerate(memory, 1))
    result.curves.append(
        Curve("Memory over simulated time", f"{symbols} symbols", "minutes", "MB in RAM", points, is_log=False)
    )
    result.data.update(found)
    return result
