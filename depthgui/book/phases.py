"""The phases of the sync machine, each of which waits for one thing, and the inputs that end the wait. No logic."""

from __future__ import annotations

import enum
from types import MappingProxyType

from depthgui.book.outcomes import SyncState


class SyncPhase(enum.Enum):
    """What a book waits for. The value is for people: it follows "waiting for"."""

    DISCONNECTED = "the stream to open"
    LISTENING = "a first diff"
    FETCHING = "a snapshot"
    HOLDING = "diffs that reach the snapshot"
    PROVING = "a second snapshot, to see whether the symbol is quiet"
    OWED = "the diffs that a newer snapshot proves to exist"
    RENEWING = "the stream to be subscribed anew"
    LIVE = "the next diff"
    AUDITING = "a snapshot to compare the live book with"
    AUDIT_HELD = "diffs that reach the snapshot to compare the live book with"
    ASKING = "a snapshot, to see whether the symbol is quiet"
    STALE_OWED = "the diffs that a newer snapshot proves to exist (the book stays as stale)"
    STALE_RENEWING = "the stream to be subscribed anew (the book stays as stale)"

    @property
    def state(self) -> SyncState:
        """What the book is worth in this phase."""
        return PHASE_STATES[self]


_P = SyncPhase

PHASE_STATES = MappingProxyType(
    {
        _P.DISCONNECTED: SyncState.DISCONNECTED,
        **dict.fromkeys((_P.LISTENING, _P.FETCHING, _P.HOLDING, _P.PROVING, _P.OWED, _P.RENEWING), SyncState.BUFFERING),
        **dict.fromkeys((_P.LIVE, _P.AUDITING, _P.AUDIT_HELD), SyncState.LIVE),
        **dict.fromkeys((_P.ASKING, _P.STALE_OWED, _P.STALE_RENEWING), SyncState.STALE),
    }
)


class SyncInput(enum.Enum):
    """What can happen to a book."""

    STREAM_OPENED = "stream opened"
    STREAM_LOST = "stream lost"
    DIFF = "diff"
    SNAPSHOT = "snapshot"
    SNAPSHOT_FAILED = "snapshot failed"
    TICK = "tick"
    TIME_IS_UP = "time is up"
    REFRESH_DUE = "refresh due"
    RESYNC = "resync"
