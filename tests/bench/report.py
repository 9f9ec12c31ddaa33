"""Writes what was measured: a table on the terminal, Markdown and JSON in a folder."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.peers import versions
from bench.results import Plan, Result

ROOT = Path(__file__).resolve().parents[2]


def machine() -> dict[str, Any]:
    """What it ran on."""
    model = platform.processor() or platform.machine()
    memory_gb = 0.0
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory_gb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gb": round(memory_gb, 1),
        "system": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else [],
    }


def revision() -> str:
    """The commit that was measured, with a plus if files were changed since."""
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--", "depthgui"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed.strip() else "")


def write(plan: Plan, results: Sequence[Result], picture: Path | None, started: datetime.datetime) -> Path:
    """Write `report.md` and `report.json`; return the former."""
    facts = {
        "date": started.astimezone().isoformat(timespec="minutes"),
        "revision": revision(),
        "form": "short" if plan.quick else "full",
        "machine": machine(),
        "versions": versions(),
    }
    plan.out.mkdir(parents=True, exist_ok=True)
    data = {
        **facts,
        "results": [
            {
                "title": result.title,
                "rows": [
                    {"what": r.what, "figure": r.figure, "target": r.target, "met": r.is_met, "note": r.note}
                    for r in result.rows
                ],
                "notes": result.notes,
                "data": result.data,
            }
            for result in results
        ],
    }
    (plan.out / "report.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    target = plan.out / "report.md"
    target.write_text(_markdown(facts, results, picture), encoding="utf-8")
    return target


def _markdown(facts: dict[str, Any], results: Sequence[Result], picture: Path | None) -> str:
    here = facts["machine"]
    rows = [row for result in results for row in result.rows]
    met = sum(row.is_met is True for row in rows)
    missed = sum(row.is_met is False for row in rows)
    lines = [
        "# Benchmarks of depthgui",
        "",
        f"{facts['date']}, commit {facts['revision']}, {facts['form']} form. {here['cpu']}, {here['cores']} cores, "
        f"{here['memory_gb']} GB, {here['system']}, {here['python']}; load at the end {here['load']}.",
        "",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in facts["versions"].items()) + ".",
        "",
        f"**{met} targets met, {missed} missed.** Times are CPU time, medians of runs in which candidates take turns; "
        "ratios are medians of ratios taken within one run.",
        "",
    ]
    for result in results:
        lines += [f"## {result.title}", ""]
        if result.rows:
            lines += ["| what | figure | target | | note |", "|---|---|---|---|---|"]
            lines += [f"| {r.what} | {r.figure} | {r.target} | {r.verdict} | {r.note} |" for r in result.rows]
            lines.append("")
        lines += [f"{note}\n" for note in result.notes]
    if picture is not None:
        lines += ["## Growth", "", f"![Cost as work grows]({picture.name})", ""]
    return "\n".join(lines)


def show(result: Result) -> None:
    """Print one section."""
    print(f"\n{result.title}")
    for row in result.rows:
        verdict = row.verdict.replace("*", "")
        note = f"  ({row.note})" if row.note else ""
        print(f"  {row.what:<78} {row.figure:>12}  {row.target:<12} {verdict}{note}", flush=True)
    for note in result.notes:
        print(f"  {note}", flush=True)
