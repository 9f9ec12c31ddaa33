"""The numbers that the sync machine goes by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SyncLimits:
    """Times in seconds, sizes in events and levels. The table of `book.sync` names the time limit of each wait.

    open_s: how long a stream may take to open before it is asked for again.
    quiet_grace_s: how long to wait for a first diff before a snapshot is fetched without one.
    prove_s: time between the two snapshots whose agreement proves that a symbol without diffs is quiet.
    owed_s: how long a diff may take, beyond the stream's own interval, that a newer snapshot or best price proves to
        exist.
    renew_s: how long a subscription may take to come back before it is asked for again.
    ask_s: how long the snapshot may take that is to show why a stream is silent.
    answer_s: how long any other snapshot may take, with its wait for its turn, before it is asked for again.
    buffer_s: how long a snapshot may lag behind the stream, or the stream behind a snapshot (options: 25 to 30 s).
    silent_min_s, silent_max_s: bounds of the silence after which the venue is asked; in between it follows the
        symbol's own rate, `silent_intervals` times the mean time between diffs.
    silent_first_s: the same for a stream whose rate is not known.
    patience_most: the factor by which these may grow, up to silent_max_s, for a symbol that has proved to be quiet.
    edge_share: the part of the proven range that may be left between the touch and its end before a refresh.
    edge_pause_s: least time between two refreshes for that reason.
    """

    open_s: float = 30.0
    quiet_grace_s: float = 1.5
    prove_s: float = 2.0
    owed_s: float = 1.0
    renew_s: float = 5.0
    ask_s: float = 10.0
    answer_s: float = 60.0
    buffer_s: float = 90.0
    silent_min_s: float = 3.0
    silent_max_s: float = 60.0
    silent_first_s: float = 5.0
    silent_intervals: float = 20.0
    patience_most: float = 256.0
    buffer_events: int = 20_000
    levels_a_side: int = 10_000
    edge_share: float = 0.25
    edge_pause_s: float = 10.0
