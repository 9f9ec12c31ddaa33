"""What a benchmark hands to the report: rows with a target and a verdict, the figures behind them, curves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to do. `quick` is the short form; peers are measured only where `peers` is set; `out` takes files.

    `soak_hours` is simulated time, for the one section that is about hours; None leaves it to the form.
    """

    out: Path
    quick: bool = False
    peers: bool = True
    soak_hours: float | None = None

    def pick(self, full: Any, quick: Any) -> Any:
        """The value for the full or for the short form."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `is_met` is None where there is no target, or nothing to hold against it."""

    what: str
    figure: str
    target: str = ""
    is_met: bool | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """One word for the table."""
        if self.is_met is None:
            return "not measured" if self.target else ""
        return "met" if self.is_met else "**missed**"


@dataclass(frozen=True, slots=True)
class Curve:
    """How a cost grows: `points` of (work, cost). Curves with the same `chart` share a picture's panel."""

    chart: str
    name: str
    across: str
    up: str
    points: tuple[tuple[float, float], ...]
    is_log: bool = True


@dataclass(slots=True)
class Result:
    """One section of the report. `data` goes into the JSON as it is."""

    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)


def at_least(what: str, value: float, limit: float, unit: str = "x", note: str = "") -> Row:
    """A row whose figure must reach a limit."""
    return Row(what, f"{_plain(value)} {unit}".rstrip(), f">= {_plain(limit)} {unit}".rstrip(), value >= limit, note)


def at_most(what: str, value: float, limit: float, unit: str, note: str = "") -> Row:
    """A row whose figure must not pass a limit."""
    return Row(what, f"{_plain(value)} {unit}".rstrip(), f"<= {_plain(limit)} {unit}".rstrip(), value <= limit, note)


def _plain(value: float) -> str:
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"
