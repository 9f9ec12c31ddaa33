"""What people are told of a connection, and the choices that they have."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from depthgui.binance.endpoints import SymbolRef
from depthgui.binance.limits import SOCKET_LIFE_S
from depthgui.book.errors import DepthGuiError
from depthgui.transport.backoff import Backoff


class ConnectionPhase(enum.StrEnum):
    """Where a connection is."""

    CONNECTING = "connecting"
    OPEN = "open"
    WAITING = "waiting"
    FAILED = "failed"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """What people should know of a connection. Times ending in `_s` are the event loop's, `_wall_ms` since 1970.

    `url` is the host in use, or tried last; `note` what is done at present about streams that bring no data, or "".
    """

    key: str
    label: str
    url: str
    phase: ConnectionPhase = ConnectionPhase.CLOSED
    attempt: int = 0
    max_attempts: int = 5
    retry_at_s: float | None = None
    lost_at_s: float | None = None
    lost_at_wall_ms: int | None = None
    reason: str = ""
    note: str = ""
    symbols: tuple[SymbolRef, ...] = ()
    attempts_wall_ms: tuple[int, ...] = ()
    streams: int = 0
    is_permanent: bool = False
    error: DepthGuiError | None = None


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How to behave when a connection is lost, and when to change sockets.

    After `max_attempts` the connection fails; with `keep_trying_s` it goes on trying at that pace.
    """

    max_attempts: int = 5
    keep_trying_s: float | None = None
    backoff: Backoff = field(default_factory=Backoff)
    socket_life_s: float = SOCKET_LIFE_S - 600.0
