"""Which symbols a recording holds, and to which of them its bare snapshots belong, which name none."""

from __future__ import annotations

from dataclasses import dataclass, field

from depthgui.exchange.recorded_messages import (
    DECODE_ERRORS,
    RecordedDiff,
    RecordedSnapshot,
    decode_diff,
    decode_snapshot,
    kind_of,
)
from depthgui.exchange.stream_names import Kind
from depthgui.recording.lines import RecordedLine, RecordingLines

_LOOKED_THROUGH = 20_000
_DIFFS_KEPT = 500
_SAME_PRICE = 0.05  # two books of one symbol lie no further apart, as a share of the price


@dataclass(slots=True)
class _Track:
    """What was seen of one symbol: the ids of its first diffs (first, last, previous), and a price."""

    ids: list[tuple[int, int, int | None]] = field(default_factory=list)
    price: float | None = None

    def note(self, diff: RecordedDiff) -> None:
        if len(self.ids) < _DIFFS_KEPT:
            self.ids.append((diff.U, diff.u, diff.pu))
        self.price = _middle(diff.b, diff.a) or self.price

    def joins(self, snapshot: RecordedSnapshot) -> bool:
        update_id = snapshot.lastUpdateId
        return any(
            first <= update_id + 1 <= last + 1 if previous is None else previous <= update_id <= last
            for first, last, previous in self.ids
        )

    def is_near(self, snapshot: RecordedSnapshot) -> bool:
        price = _middle(snapshot.bids, snapshot.asks)
        return self.price is not None and price is not None and abs(price / self.price - 1) <= _SAME_PRICE


@dataclass(frozen=True, slots=True)
class RecordedSymbols:
    """The symbols of a recording in the order in which they appear, and the owners of its snapshots."""

    names: tuple[str, ...]
    _owners: dict[tuple[str, int], str]

    def owner(self, line: RecordedLine) -> str:
        """The symbol that a line belongs to; "" where that cannot be told."""
        if line.symbol or len(self.names) == 1:
            return line.symbol or self.names[0]
        return self._owners.get((line.file, line.number), "")


def survey(lines: RecordingLines) -> RecordedSymbols:
    """Look through the first 20,000 lines. A snapshot that fits to no symbol, or to several, is named in a warning."""
    tracks: dict[str, _Track] = {}
    snapshots: list[tuple[RecordedLine, RecordedSnapshot]] = []
    for count, line in enumerate(lines):
        if count >= _LOOKED_THROUGH:
            break
        try:
            if not line.stream:
                snapshots.append((line, decode_snapshot(line.data)))
            elif kind_of(line.stream) is Kind.DIFF:
                tracks.setdefault(line.symbol, _Track()).note(decode_diff(line.data))
            elif kind_of(line.stream) is not None:
                tracks.setdefault(line.symbol, _Track())
        except DECODE_ERRORS:
            continue  # named when it is played
    names = tuple(tracks) or tuple(dict.fromkeys(line.symbol for line, _ in snapshots if line.symbol))
    owners: dict[tuple[str, int], str] = {}
    for line, snapshot in snapshots:
        if line.symbol or len(names) < 2:
            continue
        fitting = [name for name, track in tracks.items() if track.joins(snapshot) and track.is_near(snapshot)]
        fitting = fitting or [name for name, track in tracks.items() if track.is_near(snapshot)]
        if len(fitting) == 1:
            owners[line.file, line.number] = fitting[0]
        else:
            found = "none" if not fitting else " and ".join(fitting)
            lines.warn(line.number, f"skipped, a snapshot that names no symbol and fits to {found}", line.file)
    return RecordedSymbols(names, owners)


def _middle(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> float | None:
    prices = [float(price) for price, _ in (*bids, *asks) if _is_number(price)]
    return sorted(prices)[len(prices) // 2] if prices else None


def _is_number(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False
