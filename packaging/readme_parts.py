"""The generated parts of README.md: the table of settings and the sync machine's diagram, each between two markers.

``python packaging/readme_parts.py`` writes them anew, with a Python that has depthgui's dependencies.
"""

from __future__ import annotations

import re
from pathlib import Path

from depthgui.book.sync import TABLE, SyncState, Transition
from depthgui.settings import ALL_SETTINGS
from depthgui.settings.schema import AnySetting

README = Path(__file__).resolve().parent.parent / "README.md"
# Actions that choose the next state themselves, once they know how their work went.
_LEADS_ON_TO = {"_join": SyncState.LIVE}


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


def next_state(row: Transition) -> SyncState:
    """The state that a row leads to when all goes well."""
    return _LEADS_ON_TO.get(getattr(row.action, "__name__", ""), row.next)


def sync_diagram() -> str:
    """The state machine as a Mermaid diagram: every change of state, with the input and what is done."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {SyncState.DISCONNECTED.value}"]
    for row in TABLE:
        after = next_state(row)
        if after is not row.state:
            text = row.text.replace(":", " -").replace(";", ",")
            lines.append(f"    {row.state.value} --> {after.value}: {row.input.value} - {text}")
    return "\n".join([*lines, "```"])


def sync_table() -> str:
    """The whole table: state, input, what is done, next state; the first row whose condition holds is taken."""
    lines = ["| in state | on | condition | what is done | next |", "|---|---|---|---|---|"]
    for row in TABLE:
        name = "" if row.guard is None else getattr(row.guard, "__name__", "").removeprefix("_").replace("_", " ")
        after = next_state(row)
        lines.append(f"| {row.state.value} | {row.input.value} | {name} | {row.text} | {after.value} |")
    return "\n".join(lines)


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
