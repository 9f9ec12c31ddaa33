"""Seconds stale after a fault, as a distribution, by kind of fault; on real sockets, within the venue's limits."""

from __future__ import annotations

import json
import subprocess

from bench.programs import app_python
from bench.results import Plan, Result, Row, at_most
from bench.timing import median

_MEDIAN_S, _NEARLY_ALL_S = 0.3, 1.5
# A connection has to be made again after a second's backoff, and then every book: no snapshot's time alone.
_WITHOUT_TARGET = frozenset({"disconnect"})


def faults(plan: Plan) -> Result:
    """A fault every two seconds in each of 20 symbols."""
    result = Result("Seconds stale after a fault, a fault every 2 s in each of 20 symbols at once")
    symbols, seconds = plan.pick((20, 60), (20, 10))
    done = subprocess.run(
        [app_python(), "-m", "bench.fault_client", str(symbols), str(seconds)],
        stdout=subprocess.PIPE,
        check=True,
        timeout=600 + 10 * seconds,
    )
    found = json.loads(done.stdout)
    answer_s = found["answer_s"]
    for kind, times in found["stale_s"].items():
        _add_rows(result, kind, sorted(times), answer_s)
    share = 100 * found["weight"] / found["limit"]
    note = f"{found['weight']:.0f} of {found['limit']} a minute, {found['resyncs']} resyncs"
    result.rows.append(at_most("request weight used, of what the venue allows", share, 50.0, "%", note))
    result.notes.append(
        f"{symbols} spot symbols, the embedded exchange in a process of its own with the venue's limits, {seconds} s "
        f"for each kind; a snapshot takes {answer_s * 1000:.0f} ms by itself. {found['audits']} comparisons with the "
        f"exchange's word, {found['differences']} differences; {found['live']} of {symbols} live at the end."
    )
    result.data.update(found)
    return result


def _add_rows(result: Result, kind: str, times: list[float], answer_s: float) -> None:
    if not times:
        result.rows.append(Row(f"{kind}: never stale", "0"))
        return
    nearly_all_s = times[min(len(times) - 1, int(len(times) * 0.99))]
    note = f"{len(times)} times, longest {times[-1]:.2f} s"
    if kind in _WITHOUT_TARGET:
        result.rows.append(Row(f"{kind}: median", f"{median(times):.3g} s", note=note))
        result.rows.append(Row(f"{kind}: 99 of 100 within", f"{nearly_all_s:.3g} s"))
        return
    result.rows.append(at_most(f"{kind}: median", median(times), _MEDIAN_S + answer_s, "s", note))
    result.rows.append(at_most(f"{kind}: 99 of 100 within", nearly_all_s, _NEARLY_ALL_S + answer_s, "s"))
