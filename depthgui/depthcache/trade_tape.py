"""The latest trades of one symbol, each once, also where two sockets deliver or ids begin anew. No clock."""

from __future__ import annotations

from collections import deque

from depthgui.book.messages import Trade
from depthgui.book.sequence import is_new_numbering

_TRADES_KEPT = 2000


class TradeTape:
    """Trades on the market, the oldest first. `version` goes up with each."""

    __slots__ = ("_last_id", "_last_ms", "trades", "version")

    def __init__(self) -> None:
        """Start empty."""
        self.trades: deque[Trade] = deque(maxlen=_TRADES_KEPT)
        self.version = 0
        self._last_id = 0
        self._last_ms: int | None = None

    def begin(self) -> None:
        """A new stream: its ids owe nothing to those before."""
        self._last_id = 0
        self._last_ms = None

    def take(self, trade: Trade) -> bool:
        """Add a trade; False for one that is known already, or that was made off the market."""
        if trade.trade_id:
            # The time is the trade's own and not that of its sending: any id before the last one may be a new one.
            is_new = trade.trade_id > self._last_id or is_new_numbering(
                trade.trade_id, trade.time_ms, lowest_id=self._last_id, latest_ms=self._last_ms
            )
            if not is_new:
                return False
            self._last_id, self._last_ms = trade.trade_id, trade.time_ms
        if not trade.is_market:
            return False
        self.trades.append(trade)
        self.version += 1
        return True
