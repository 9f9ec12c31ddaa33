"""What the header strip says of a feed: prices, rates, and how far the book can be trusted. No Qt; time is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from depthgui.book.grouping import imbalance
from depthgui.ui.viewmodels.feed_view import CountersView, FeedView, InstrumentTracker, LastPriceTracker
from depthgui.ui.viewmodels.figures import NumberFormat, decimals_of, format_decimal
from depthgui.ui.viewmodels.trading_status import HALTED, halt_of, now_wall_ms, shown_state
from depthgui.ui.wording import TimeZone, clock_text, count_text, duration_text

_BUSY_MS = 150.0  # from here on the application's own delay is named, not the feed's
_ABSURD_MS = 600_000.0  # a recording, or a clock that is wrong: it says nothing of the feed
_BPS_PER_PERCENT = 100
_NOW_S = 3.0


@dataclass(frozen=True, slots=True)
class PillView:
    """The state pill. `state` is the feed's state by name, or "halted"; `brief` is for where there is little room."""

    state: str
    text: str
    brief: str
    tip: str


@dataclass(frozen=True, slots=True)
class StatView:
    """One figure with its caption. `tone` is "bid", "ask", "amber" or empty. `rank`: the lower, the longer it stays."""

    name: str
    value: str
    caption: str
    rank: int
    tone: str = ""


@dataclass(frozen=True, slots=True)
class HeaderView:
    """The whole strip. `direction` of the last price: 1 up, -1 down, 0 unknown."""

    last: str
    direction: int
    is_stale: bool
    stats: tuple[StatView, ...]
    pill: PillView


@dataclass(frozen=True, slots=True)
class HeaderOptions:
    """The user's choices: the band of the imbalance in percent of the mid, number format, time zone."""

    band_percent: float = 0.1
    number_format: NumberFormat = field(default_factory=NumberFormat)
    zone: TimeZone = TimeZone.LOCAL


class HeaderModel:
    """Builds header views for one feed."""

    def __init__(self, options: HeaderOptions | None = None, last_price: LastPriceTracker | None = None) -> None:
        """Start without a last price; `last_price` is shared with the other views of the feed."""
        self.options = options or HeaderOptions()
        self._tracker = last_price or LastPriceTracker()
        self._instruments = InstrumentTracker()

    def build(self, feed: FeedView, now_s: float, loop_lag_ms: float = 0.0) -> HeaderView:
        """The strip at monotonic time `now_s`; `loop_lag_ms` is how late the application itself is."""
        text, direction = self.last(feed)
        return HeaderView(
            last=text,
            direction=direction,
            is_stale=feed.state.value != "live",
            stats=self._stats(feed, now_s, loop_lag_ms),
            pill=pill_of(feed, now_s, self.options.zone),
        )

    def last(self, feed: FeedView) -> tuple[str, int]:
        """The last price's text and direction at this moment; the mid's where there was no trade."""
        style = self.options.number_format
        last = self._tracker.read(feed)
        if last is not None:
            price = Decimal(last.text)
            return format_decimal(price, style, self._price_decimals(feed, price)), last.direction
        mid = feed.book.mid if feed.book is not None else None
        return "" if mid is None else format_decimal(mid, style, self._price_decimals(feed, mid)), 0

    def tick(self, feed: FeedView) -> Decimal | None:
        """The price step: the venue's, or what the book's prices tell; None while neither is there."""
        has_tick = feed.info is not None and feed.info.tick is not None
        return self._instruments.read(feed).tick if has_tick or feed.book is not None else None

    def _price_decimals(self, feed: FeedView, number: Decimal) -> int:
        tick = self.tick(feed)
        return max(decimals_of(number), decimals_of(tick) if tick else 0)

    def _stats(self, feed: FeedView, now_s: float, loop_lag_ms: float) -> tuple[StatView, ...]:
        style, book, counters = self.options.number_format, feed.book, feed.counters
        spread, mid = (None, None) if book is None else (book.spread, book.mid)
        stats: list[StatView] = []
        halt = halt_of(feed)
        if halt is not None:
            since = halt.since(now_wall_ms(feed, now_s), self.options.zone)
            stats.append(StatView("trading", halt.word, f"Trading \u00b7 {since}" if since else "Trading", -1, "amber"))
        if spread is not None and mid:
            decimals = self._price_decimals(feed, spread)
            bps = f"{spread / mid * 10_000:.2f} bps"
            stats.append(StatView("spread", format_decimal(spread, style, decimals), f"Spread \u00b7 {bps}", 0))
            middle = format_decimal(mid, style, max(self._price_decimals(feed, mid), decimals_of(mid)))
            stats.append(StatView("mid", middle, "Mid", 2))
        if book is not None:
            band = self.options.band_percent
            share = imbalance(book, band * _BPS_PER_PERCENT)
            if share is not None:
                tone = "bid" if share > 0 else "ask" if share < 0 else ""
                caption = f"Imbalance \u00b7 \u00b1{band:g} %"
                stats.append(StatView("imbalance", _signed_percent(share), caption, 1, tone))
        if feed.info is None and book is not None:
            stats.append(StatView("description", "not known yet", "Tick and units", 0, "amber"))
        stats.append(StatView("updates", f"{counters.updates_per_s:.1f} /s", "Updates", 3))
        if loop_lag_ms >= _BUSY_MS:
            stats.append(StatView("lag", f"{loop_lag_ms:.0f} ms", "App busy", 4, "amber"))
        elif counters.lag_ms is not None and abs(counters.lag_ms) < _ABSURD_MS:
            stats.append(StatView("lag", _lag_text(counters.lag_ms), "Feed lag", 4))
        return tuple(stats)


def pill_of(feed: FeedView, now_s: float, zone: TimeZone) -> PillView:
    """The state in a few words; the tool tip has the counts behind them."""
    state, halt = shown_state(feed), halt_of(feed)
    status, counters = feed.status, feed.counters
    halted = "" if halt is None else halt.text(now_wall_ms(feed, now_s), zone)
    brief = state.capitalize()
    text = brief
    if state == HALTED and halt is not None:
        text, brief = halted, halt.word
    elif state == "live":
        verified = counters.verified_s
        if verified is not None:
            age_s = now_s - verified
            when = "now" if age_s < _NOW_S else f"{duration_text(age_s)} ago"
            text = f"Live \u00b7 verified {when}"
    elif state == "connecting":
        text = f"Buffering {count_text(status.buffered, 'event')}" if status.buffered else "Connecting"
    elif state in {"stale", "stopped"}:
        text = f"{brief} since {clock_text(status.since_wall_ms, zone)}"
    elif state == "reconnecting":
        text = f"Reconnecting \u00b7 {duration_text(max(0.0, now_s - status.since_s))}"
    lines = [] if halt is None else [f"{halted}. {halt.meaning}"]
    if status.detail and state != HALTED:
        lines.append(status.detail)
    elif state == HALTED:
        lines.append("The book is in step with the venue." if _has_levels(feed) else "The book is empty.")
    lines.append(_counts(counters))
    if feed.book is not None:
        lines.append(f"Update id {feed.book.last_update_id}")
    return PillView(state, text, brief, "\n".join(lines))


def _has_levels(feed: FeedView) -> bool:
    return feed.book is not None and bool(feed.book.bids or feed.book.asks)


def _counts(counters: CountersView) -> str:
    return (
        f"{count_text(counters.gaps, 'gap')}, {count_text(counters.resyncs, 'resync')} since the start\n"
        f"{count_text(counters.audits, 'audit')}, {count_text(counters.audit_differences, 'difference')}\n"
        f"{count_text(counters.malformed, 'malformed message')}"
    )


def _signed_percent(share: float) -> str:
    sign = "+" if share > 0 else "\u2212" if share < 0 else ""
    return f"{sign}{abs(share) * 100:.1f} %"


def _lag_text(lag_ms: float) -> str:
    if abs(lag_ms) < 1000:
        return f"{lag_ms:.0f} ms".replace("-", "\u2212")
    return f"{lag_ms / 1000:.1f} s".replace("-", "\u2212")
