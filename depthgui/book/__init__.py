"""The order book itself, without I/O and without a clock: levels, book, sequence rules, audits."""

from depthgui.book.audit import AuditResult, AuditSource, Difference
from depthgui.book.coverage import Coverage
from depthgui.book.levels import BookSide, PriceKey, Side, price_key
from depthgui.book.messages import BestPrices, Diff, KeyedDiff, Level, Snapshot, Trade
from depthgui.book.order_book import OrderBook
from depthgui.book.sync import BookSync, SyncLimits, SyncState

__all__ = [
    "AuditResult",
    "AuditSource",
    "BestPrices",
    "BookSide",
    "BookSync",
    "Coverage",
    "Diff",
    "Difference",
    "KeyedDiff",
    "Level",
    "OrderBook",
    "PriceKey",
    "Side",
    "Snapshot",
    "SyncLimits",
    "SyncState",
    "Trade",
    "price_key",
]
