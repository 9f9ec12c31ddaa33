"""The numbers that the sync machine goes by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SyncLimits:
    """Times in seconds, sizes in events and levels.

    quiet_grace_s: how long to wait for a first diff before a snapshot is fetched without one.
    silent_min_s, silent_max_s: bounds of the silence after which a live book is called stale; in between it follows the
        symbol's own rate, `silent_intervals` times the mean time between diffs.
    patience_most: the factor by which these may grow for a symbol that has proved to be quiet.
    dead_s: how long a diff may take that a snapshot has proved to exist.
    buffer_s: how long a snapshot may lag behind the stream (options: 25 to 30 s).
    edge_share: the part of the proven range that may be left between the touch and its end before a refresh.
    """

    quiet_grace_s: float = 1.5
    silent_min_s: float = 3.0
    silent_max_s: float = 60.0
    silent_intervals: float = 20.0
    patience_most: float = 256.0
    dead_s: float = 3.0
    buffer_s: float = 90.0
    buffer_events: int = 20_000
    levels_a_side: int = 10_000
    edge_share: float = 0.25
    edge_pause_s: float = 10.0
    calm_s: float = 30.0
