"""The order book itself, without I/O and without a clock: levels, book, sequence rules, audits."""

from depthgui.book.audit import AuditResult, AuditSource, Difference
from depthgui.book.coverage import Coverage
from depthgui.book.levels import BookSide, Side
from depthgui.book.messages import BestPrices, Diff, Level, NumberDiff, Snapshot, Spelling, Trade
from depthgui.book.order_book import OrderBook
from depthgui.book.spelling import PriceKey, price_key
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
    "Level",
    "NumberDiff",
    "OrderBook",
    "PriceKey",
    "Side",
    "Snapshot",
    "Spelling",
    "SyncLimits",
    "SyncState",
    "Trade",
    "price_key",
]
