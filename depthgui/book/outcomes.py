"""What the sync machine says back: its states, and what is to be done or to be known. Times in seconds."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from depthgui.book.audit import AuditResult
from depthgui.book.errors import BookError, MalformedMessageError


class SyncState(enum.StrEnum):
    """How the book stands to the exchange's."""

    DISCONNECTED = "disconnected"
    BUFFERING = "buffering"
    LIVE = "live"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class FetchSnapshot:
    """To do: fetch a snapshot. `urgent`: there is no live book now.

    `number` goes back with the answer, so that one that was asked for before the stream broke off is not taken for new.
    `failures` counts the requests for this snapshot that brought nothing usable: at 0 it is fetched at once, later
    after a wait that grows with it. `is_probe`: it only has to show whether the book has moved on, so that few
    levels do where the market has ids of its own.
    """

    number: int
    failures: int
    urgent: bool
    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class ReconnectStream:
    """To do: the stream is silent though the book moves on; subscribe again."""

    silent_s: float


@dataclass(frozen=True, slots=True)
class StateChanged:
    """To know: the state is another one. `error` says why, where something went wrong."""

    before: SyncState
    after: SyncState
    error: BookError | MalformedMessageError | None = None


@dataclass(frozen=True, slots=True)
class Audited:
    """To know: the book was compared with the venue's word."""

    result: AuditResult


Outcome = FetchSnapshot | ReconnectStream | StateChanged | Audited
Outcomes = tuple[Outcome, ...]
