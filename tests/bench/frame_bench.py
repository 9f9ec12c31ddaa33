"""What a frame of the ladder, of the depth chart and of the heatmap costs, and how it grows with rows."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from bench.programs import app_python
from bench.results import Curve, Plan, Result, Row, at_most


def frames(plan: Plan) -> Result:
    """Run the measured program; a process of its own, because it needs a QApplication."""
    result = Result("Frames")
    rounds = plan.pick(3, 1)
    found = _least_disturbed([_measured(plan) for _ in range(rounds)])
    ladder, depth = found["ladder"], found["depth"]
    note = f"p99 {ladder['frame_p99_ms']:.2f} ms; painting alone {ladder['paint_ms']:.2f} ms; {ladder['rows']} rows"
    result.rows.append(at_most("ladder frame, 60 rows, all columns and bars", ladder["frame_ms"], 1.5, "ms", note))
    for name in ("ladder, hardly anything moves", "ladder, everything moves"):
        result.rows.append(Row(f"frame of the {name}", f"{found[name]['frame_ms']:.2f} ms"))
    note = f"p99 {depth['frame_p99_ms']:.2f} ms; painting alone {depth['paint_ms']:.2f} ms; {depth['levels']} levels"
    result.rows.append(at_most("depth chart frame, 2 x 1000 levels", depth["frame_ms"], 1.0, "ms", note))
    _heatmap(result, found)
    for name, ours in (
        ("ImageItem", found["heatmap"]),
        ("PlotDataItem, step and fill", depth),
        ("QTableView, Qt's delegate", ladder),
    ):
        if name in found:
            times = found[name]["frame_ms"] / ours["frame_ms"]
            result.rows.append(Row(f"the same with {name}", f"{found[name]['frame_ms']:.1f} ms", note=f"{times:.1f} x"))
    points = tuple((figures["rows"], figures["frame_ms"]) for name, figures in found.items() if name.startswith("rows"))
    result.curves.append(Curve("Ladder frame with rows", "ladder frame", "rows", "ms", points, is_log=False))
    text = f"{points[0][1]:.2f} ms at {points[0][0]} to {points[-1][1]:.2f} ms at {points[-1][0]}"
    result.rows.append(Row("ladder frame with the number of rows", text))
    result.notes.append(
        "Offscreen platform, raster engine, CPU time; one diff of 10 levels between frames (extremes: 2, 60). "
        f"Medians; of {rounds} runs the one that others disturbed least, for ours and for the usual ways."
    )
    result.data.update(found)
    return result


def _measured(plan: Plan) -> dict[str, Any]:
    options = [name for name, is_on in (("--quick", plan.quick), ("--no-peers", not plan.peers)) if is_on]
    done = subprocess.run(
        [app_python(), "-m", "bench.frames", *options], stdout=subprocess.PIPE, check=True, timeout=300
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _least_disturbed(runs: list[dict[str, Any]]) -> dict[str, Any]:
    # By each widget's frame: a machine that is shared is quiet for a minute and then is not.
    return {name: min((run[name] for run in runs), key=lambda figures: figures["frame_ms"]) for name in runs[0]}


def _heatmap(result: Result, found: dict[str, Any]) -> None:
    plain, full = found["heatmap"], found["heatmap with trades"]
    note = f"p99 {plain['frame_p99_ms']:.2f} ms; painting alone {plain['paint_ms']:.2f} ms; {plain['rows']} rows"
    result.rows.append(at_most("heatmap frame, 600 x 400, one new column", plain["frame_ms"], 0.3, "ms", note))
    note = "80 circles and more, drawn into the picture as they come"
    result.rows.append(Row("the same with trades", f"{full['frame_ms']:.2f} ms", note=note))
    note = "after prices scrolled, the zoom or the scale changed"
    result.rows.append(Row("heatmap drawn anew from its history", f"{plain['whole_ms']:.2f} ms", note=note))
    text = f"{plain['column_ms'] * 1000:.0f} us and {plain['column_bytes']:.0f} bytes"
    note = f"{plain['levels']} levels read; four a second in each tab, hidden ones too"
    result.rows.append(Row("heatmap column recorded", text, note=note))
