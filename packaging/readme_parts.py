"""The generated parts of README.md: the table of settings and the sync machine's diagram, each between two markers.

``python packaging/readme_parts.py`` writes them anew, with a Python that has depthgui's dependencies.
"""

from __future__ import annotations

import re
from pathlib import Path

from depthgui.book.sync import SILENCE, TABLE, SyncLimits, SyncPhase, SyncState, Transition
from depthgui.settings import ALL_SETTINGS
from depthgui.settings.schema import AnySetting

README = Path(__file__).resolve().parent.parent / "README.md"


def settings_table() -> str:
    """Every setting by group: name, what it takes, default, what it is for."""
    lines = ["| setting | takes | default | what it does |", "|---|---|---|---|"]
    for setting in ALL_SETTINGS:
        name = f"**{setting.group.value}**: {setting.label}"
        cells = [f"{name}<br>`{setting.key}`", _takes(setting), _shown(setting, setting.default), setting.help]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _takes(setting: AnySetting) -> str:
    if setting.choices:
        return "; ".join(choice.label for choice in setting.choices)
    kind = {bool: "yes or no", int: "whole number", float: "number", str: "text"}[type(setting.default)]
    if setting.placeholder:
        return f"{kind}, such as `{setting.placeholder}`"
    if setting.minimum is None or setting.maximum is None:
        return kind
    unit = f" {setting.unit}" if setting.unit else ""
    return f"{setting.minimum:g} to {setting.maximum:g}{unit}"


def _shown(setting: AnySetting, value: bool | int | float | str) -> str:
    for choice in setting.choices:
        if choice.value == value:
            return choice.label
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value == "":
        return "empty"
    unit = f" {setting.unit}" if setting.unit and not isinstance(value, str) else ""
    return f"{value:g}{unit}" if isinstance(value, int | float) else value


def sync_diagram() -> str:
    """The state machine as a Mermaid diagram: every change of state, with the input and what is done."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {SyncState.DISCONNECTED.value}"]
    for row in TABLE:
        before, after = row.phase.state, row.next.state
        if after is not before:
            text = row.text.replace(":", " -").replace(";", ",")
            lines.append(f"    {before.value} --> {after.value}: {row.input.value} - {text}")
    return "\n".join([*dict.fromkeys(lines), "```"])


def sync_table() -> str:
    """The whole table: phases, input, time limit, what is done, next phase; the first row that holds is taken."""
    lines = ["| in phase | on | condition | after | what is done | next |", "|---|---|---|---|---|---|"]
    for rows in sync_groups():
        row = rows[0]
        guard = "" if row.guard is None else getattr(row.guard, "__name__", "").replace("_", " ")
        phases = ", ".join(_name(one.phase) for one in rows)
        stays = all(one.next is one.phase for one in rows)
        cells = (phases, row.input.value, guard, _limit(row.deadline), row.text, "" if stays else _name(row.next))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def sync_groups() -> list[list[Transition]]:
    """Rows that differ in their phase only, together."""
    groups: dict[tuple[object, ...], list[Transition]] = {}
    for row in TABLE:
        following = None if row.next is row.phase else row.next
        key = (row.input, row.guard, following, row.action, row.text, row.deadline)
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _name(phase: SyncPhase) -> str:
    return phase.name.lower().replace("_", " ")


def _limit(deadline: str | None) -> str:
    limits = SyncLimits()
    if deadline is None:
        return ""
    if deadline == SILENCE:
        return f"{limits.silent_min_s:g} to {limits.silent_max_s:g} s"
    return f"{getattr(limits, deadline):g} s" + (" + the stream's interval" if deadline == "owed_s" else "")


PARTS = {"settings": settings_table, "sync-diagram": sync_diagram, "sync-table": sync_table}


def with_parts(text: str) -> str:
    """`text` with every generated part written anew. Raises ValueError if a marker isn't there exactly once."""
    for name, make in PARTS.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end of {name} -->"
        pattern = re.compile(rf"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if len(pattern.findall(text)) != 1:
            raise ValueError(f"README.md has no pair of markers for {name}, or more than one")
        fresh = f"{begin}\n{make()}\n{end}"
        text = pattern.sub(lambda _, fresh=fresh: fresh, text)  # type: ignore[misc]
    return text


if __name__ == "__main__":
    README.write_text(with_parts(README.read_text("utf-8")), encoding="utf-8", newline="\n")
