"""What the connection dialog, the stale banner and the tab say about a connection: sentences from data. No Qt."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from depthgui.ui.engine import ConnectionPhase, ConnectionStatus, FeedState, FeedStatus
from depthgui.ui.wording import TimeZone, clock_text, count_text, duration_text, listed, sentence


class Outage(enum.Enum):
    """What a connection's trouble looks like to a person; NONE means there is nothing to tell."""

    NONE = "none"
    RETRYING = "retrying"
    RESTORED = "restored"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class ConnectionText:
    """Everything the dialog shows. `rows` are label and value; `details` is the log box, "" where there is none."""

    outage: Outage
    title: str
    heading: str
    paragraph: str
    rows: tuple[tuple[str, str], ...] = ()
    details: str = ""


def outage_of(status: ConnectionStatus, *, waits_for_books: bool = False) -> Outage:
    """What to tell about a connection. `waits_for_books`: it is open again, but its books are not in step yet."""
    if status.phase is ConnectionPhase.FAILED:
        return Outage.GIVEN_UP
    if status.phase is ConnectionPhase.OPEN:
        return Outage.RESTORED if waits_for_books else Outage.NONE
    has_failed = status.lost_at_s is not None or status.attempt > 1 or status.phase is ConnectionPhase.WAITING
    if status.phase in {ConnectionPhase.WAITING, ConnectionPhase.CONNECTING} and has_failed:
        return Outage.RETRYING
    return Outage.NONE


def connection_text(
    status: ConnectionStatus, outage: Outage, now_s: float, zone: TimeZone, *, has_books: bool = True
) -> ConnectionText:
    """What the dialog says at the monotonic time `now_s`. `has_books`: there is a book on screen that went stale."""
    if outage is Outage.GIVEN_UP:
        return _given_up(status, zone)
    if outage is Outage.RESTORED:
        return ConnectionText(
            outage,
            "Connected again",
            f"{status.label} is connected again",
            "The books are being brought into step with the stream.",
            _rows(status, now_s, zone, has_books=has_books),
        )
    was_open = status.lost_at_s is not None and has_books
    paragraph = (
        "The last book stays on screen, marked stale. It is replaced when a fresh snapshot is in step with the stream."
        if was_open
        else "There is no connection yet. It is tried again by itself; the tabs fill as soon as it succeeds."
    )
    heading = (
        f"{status.label} disconnected — reconnecting" if was_open else f"{status.label} does not answer — trying again"
    )
    return ConnectionText(
        outage,
        "Connection lost" if was_open else "Not connected",
        heading,
        paragraph,
        _rows(status, now_s, zone, has_books=has_books),
    )


def _rows(status: ConnectionStatus, now_s: float, zone: TimeZone, *, has_books: bool) -> tuple[tuple[str, str], ...]:
    rows = [("Symbols", _symbols(status)), ("Attempt", attempt_text(status, now_s))]
    if status.lost_at_s is not None and status.lost_at_wall_ms is not None:
        ago = duration_text(now_s - status.lost_at_s)
        rows.append(("Since", f"{clock_text(status.lost_at_wall_ms, zone)} ({ago} ago)"))
    if not has_books:
        rows.append(("Address", status.url))
    rows.append(("Reason", short_reason(status) or "not known yet"))
    return tuple(rows)


def attempt_text(status: ConnectionStatus, now_s: float) -> str:
    """Which attempt is next or under way: "2 of 5, next in 3 s"."""
    if status.phase is ConnectionPhase.OPEN:
        return "connected"
    number = _number(status, " of ")
    if status.phase is ConnectionPhase.WAITING and status.retry_at_s is not None:
        left = status.retry_at_s - now_s
        return f"{number}, next in {_ceil_s(left)}" if left > 0 else f"{number}, now"
    return f"{number}, connecting"


def _given_up(status: ConnectionStatus, zone: TimeZone) -> ConnectionText:
    who = _symbols(status)
    heading = f"{who} · {status.label} is offline" if len(status.symbols) == 1 else f"{status.label} is offline"
    if status.is_permanent:
        return ConnectionText(
            Outage.GIVEN_UP,
            "Unable to connect",
            heading,
            f"{sentence(status.reason)} Trying again changes nothing by itself. Other connections go on.",
            details=failure_details(status, zone),
        )
    last = ""
    if status.lost_at_wall_ms is not None:
        last = f" ({clock_text(status.lost_at_wall_ms, zone)})"
    tabs = "The tab is stopped; its last book" if len(status.symbols) == 1 else "Its tabs are stopped; their last books"
    kept = "is kept and marked stale" if len(status.symbols) == 1 else "are kept and marked stale"
    return ConnectionText(
        Outage.GIVEN_UP,
        "Unable to connect",
        heading,
        f"{status.max_attempts} reconnect attempts failed. {tabs}{last} {kept}. Other tabs go on.",
        details=failure_details(status, zone),
    )


def failure_details(status: ConnectionStatus, zone: TimeZone) -> str:
    """The facts of a failure, for the log box and the clipboard."""
    first = (
        "BinanceUnableToConnect"
        if status.is_permanent
        else f"BinanceUnableToConnect: max reconnect attempts ({status.max_attempts}) reached"
    )
    lines = [first, f"  {status.url} — {short_reason(status) or 'no reason given'}"]
    if status.attempts_wall_ms:
        lines.append("  attempts " + "  ".join(clock_text(moment, zone) for moment in status.attempts_wall_ms))
    if len(status.symbols) > 1:
        lines.append("  symbols " + " ".join(ref.symbol for ref in status.symbols))
    return "\n".join(lines)


def short_reason(status: ConnectionStatus) -> str:
    """The reason without the address, which stands beside it."""
    before, separator, after = status.reason.partition(": ")
    return after if separator and status.url in before else status.reason


def restored_notice(restored: Sequence[tuple[str, float]]) -> str:
    """The short notice when connections (label, seconds without data) are live again; one notice for all of them."""
    longest = duration_text(max(outage_s for _label, outage_s in restored))
    if len(restored) == 1:
        return f"{restored[0][0]} is live again after {longest}"
    return f"{len(restored)} connections are live again, after {longest} at most"


def bearing(connection: ConnectionStatus | None, state: FeedState) -> ConnectionStatus | None:
    """The connection's status where it explains the feed's state, else None.

    Tab, pill and banner show the feed's state and nothing else: a connection that says something different, because its
    news came a moment earlier or because a feed gave up on its own, would have them contradict each other.
    """
    if connection is None:
        return None
    outage = outage_of(connection)
    is_retried = outage is Outage.RETRYING and state in {FeedState.CONNECTING, FeedState.RECONNECTING}
    is_given_up = outage is Outage.GIVEN_UP and state is FeedState.FAILED
    return connection if is_retried or is_given_up else None


def banner_text(
    status: FeedStatus, connection: ConnectionStatus | None, now_s: float, zone: TimeZone, *, has_book: bool
) -> str:
    """What the banner over a stale book says: since when, and what happens next. "" where there is nothing to say."""
    if not has_book:
        return ""
    since = clock_text(status.since_wall_ms, zone)
    if status.state is FeedState.STOPPED:
        return f"Stopped at {since} — the last book is kept; start to go on"
    if status.state is FeedState.LIVE:
        return ""
    cause = bearing(connection, status.state)
    if cause is not None:
        return f"Stale since {_lost_at(cause, since, zone)} — {_next_step(cause, now_s)}"
    if status.state is FeedState.FAILED:
        return f"Stale since {since} — {sentence(status.detail)}"
    return f"Stale since {since} — {status.detail or 'a fresh snapshot is being fetched'}"


def _lost_at(connection: ConnectionStatus, otherwise: str, zone: TimeZone) -> str:
    return otherwise if connection.lost_at_wall_ms is None else clock_text(connection.lost_at_wall_ms, zone)


def _next_step(connection: ConnectionStatus, now_s: float) -> str:
    if connection.phase is ConnectionPhase.FAILED:
        if connection.is_permanent:
            return f"unable to connect: {short_reason(connection)}"
        return f"unable to connect after {connection.max_attempts} attempts"
    number = f"attempt {_number(connection, ' of ')}"
    if connection.phase is ConnectionPhase.WAITING and connection.retry_at_s is not None:
        left = connection.retry_at_s - now_s
        return f"reconnecting, {number} in {_ceil_s(left)}" if left > 0 else f"reconnecting, {number}"
    return f"reconnecting, {number}"


def tab_note(market_label: str, state: FeedState, connection: ConnectionStatus | None, halt: str = "") -> str:
    """The small word beside a tab's symbol: the market, or what is wrong. `halt` says why the symbol is not traded."""
    cause = bearing(connection, state)
    if cause is not None and state is not FeedState.FAILED and cause.attempt > 0:
        return f"retry {_number(cause, '/')}"
    words = {
        FeedState.LIVE: halt.lower() or market_label,
        FeedState.CONNECTING: market_label,
        FeedState.STALE: "stale",
        FeedState.RECONNECTING: "reconnecting",
        FeedState.STOPPED: "stopped",
        FeedState.FAILED: "failed",
    }
    return words[state]


def _number(status: ConnectionStatus, between: str) -> str:
    """Which attempt: "2 of 5"; beyond the last one, where it goes on for ever, only "7"."""
    number = max(1, status.attempt)
    return f"{number}{between}{status.max_attempts}" if number <= status.max_attempts else str(number)


def _symbols(status: ConnectionStatus) -> str:
    if not status.symbols:
        return "none open"
    return (
        listed(ref.symbol for ref in status.symbols)
        if len(status.symbols) < 9
        else count_text(len(status.symbols), "symbol")
    )


def _ceil_s(seconds: float) -> str:
    return duration_text(-(-seconds // 1))
