"""What the window needs of the engine: its own types, and Protocols that the real feed and hub satisfy.

The tests' fakes satisfy them too; nothing in the window asks for more than is written here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from depthgui.binance.endpoints import Market, SymbolRef, parse_symbol_ref
from depthgui.binance.symbols import SymbolInfo
from depthgui.depthcache.connection import ConnectionPhase, ConnectionStatus
from depthgui.depthcache.feed import FeedState, FeedStatus
from depthgui.ui.viewmodels.feed_view import FeedView

__all__ = [
    "ConnectionPhase",
    "ConnectionStatus",
    "Feed",
    "FeedState",
    "FeedStatus",
    "Hub",
    "Market",
    "SymbolInfo",
    "SymbolRef",
    "parse_symbol_ref",
]


class Feed(FeedView, Protocol):
    """One symbol's data, as the widgets read it, and what the window does with it."""

    wake: Callable[[], None]
    """Called by the feed whenever something changed; cheap, and possibly for every message."""

    urgency: int
    """Whose snapshot is fetched first: 0 is what the user looks at."""

    is_watched: bool
    """Whether its book is compared with every best price, or about once a minute."""

    @property
    def ref(self) -> SymbolRef:
        """The symbol with its market."""

    @property
    def market(self) -> Market:
        """The market."""

    @property
    def state(self) -> FeedState:
        """What the book is worth."""

    @property
    def status(self) -> FeedStatus:
        """State, since when, and a sentence for a person."""

    def listen(self, callback: Callable[[Feed], None]) -> Callable[[], None]:
        """Hear of changes of state; returns what ends that."""

    def start(self) -> None:
        """Start, or start again."""

    async def stop(self) -> None:
        """Stop; the last book stays."""

    def resync(self) -> None:
        """Build the book anew from a fresh snapshot."""


class Hub(Protocol):
    """All feeds of one venue."""

    @property
    def connections(self) -> Mapping[str, ConnectionStatus]:
        """Status of every connection, by key."""

    async def symbols(self, market: Market) -> list[SymbolInfo]:
        """The market's symbols. Raises DepthGuiError."""

    def listen(self, callback: Callable[[ConnectionStatus], None]) -> Callable[[], None]:
        """Hear of changes of a connection; returns what ends that."""

    def retry_now(self, key: str) -> None:
        """Connect at once; begin again after giving up."""

    def weight(self, market: Market) -> tuple[int, int]:
        """Request weight used in the last minute, and what the venue allows."""
