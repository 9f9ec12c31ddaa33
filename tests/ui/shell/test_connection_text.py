"""The sentences about a connection: dialog, banner and tab."""

from __future__ import annotations

import dataclasses

import pytest
from ui.shell.fakes import LOST_WALL_MS, connection, lost

from depthgui.depthcache.connection import ConnectionPhase as Phase
from depthgui.depthcache.connection import ConnectionStatus
from depthgui.depthcache.feed import FeedState, FeedStatus
from depthgui.ui.dialogs.connection_text import (
    Outage,
    attempt_text,
    banner_text,
    connection_text,
    outage_of,
    restored_notice,
    tab_note,
)
from depthgui.ui.wording import TimeZone, count_text, duration_text, listed, sentence

UTC = TimeZone.UTC
AT = "22:13:20Z"
NOW = 1000.0


def status(state: FeedState, detail: str = "") -> FeedStatus:
    return FeedStatus(state, 0.0, LOST_WALL_MS, detail)


@pytest.mark.parametrize(
    ("phase", "changes", "waits", "outage"),
    [
        (Phase.CONNECTING, {}, False, Outage.NONE),
        (Phase.CONNECTING, {"attempt": 1}, False, Outage.NONE),
        (Phase.CONNECTING, {"attempt": 1, "lost_at_s": 1.0}, False, Outage.RETRYING),
        (Phase.WAITING, {"attempt": 2, "lost_at_s": 1.0}, True, Outage.RETRYING),
        (Phase.OPEN, {}, True, Outage.RESTORED),
        (Phase.OPEN, {}, False, Outage.NONE),
        (Phase.FAILED, {}, True, Outage.GIVEN_UP),
        (Phase.CLOSED, {"lost_at_s": 1.0}, False, Outage.NONE),
    ],
)
def test_what_is_worth_telling(phase: Phase, changes: dict[str, object], waits: bool, outage: Outage) -> None:
    assert outage_of(connection(phase, "BTCUSDT", **changes), waits_for_books=waits) is outage


def test_a_lost_connection_is_described_as_designed() -> None:
    text = connection_text(lost("BTCUSDT", "BNBBTC"), Outage.RETRYING, 1009.0 - 9 + 0.2, UTC)
    assert text.title == "Connection lost"
    assert text.heading == "Binance Spot disconnected — reconnecting"
    assert text.rows == (
        ("Symbols", "BTCUSDT, BNBBTC"),
        ("Attempt", "2 of 5, next in 3 s"),
        ("Since", f"{AT} (0 s ago)"),
        ("Reason", "closed with 1006"),
    )


def test_a_connection_that_was_never_open_names_the_address_instead_of_a_book() -> None:
    text = connection_text(lost("BTCUSDT"), Outage.RETRYING, 1000.0, UTC, has_books=False)
    assert text.heading == "Binance Spot does not answer — trying again"
    assert ("Address", "wss://stream.binance.com:9443") in text.rows
    assert "last book" not in text.paragraph


@pytest.mark.parametrize(
    ("after_s", "said"), [(0.0, "2 of 5, next in 3 s"), (2.1, "2 of 5, next in 1 s"), (3.0, "2 of 5, now")]
)
def test_the_countdown_never_says_zero_or_less(after_s: float, said: str) -> None:
    assert attempt_text(lost("BTCUSDT"), 1000.0 + after_s) == said


def test_where_it_goes_on_for_ever_attempts_are_not_counted_of_five() -> None:
    going_on = lost("X", attempt=7, retry_in_s=30.0)
    assert attempt_text(going_on, 1000.0) == "7, next in 30 s"
    assert tab_note("Spot", FeedState.RECONNECTING, going_on) == "retry 7"


def test_after_five_failures() -> None:
    failed = dataclasses.replace(
        lost("BNBBTC", attempt=5, attempts_wall_ms=(LOST_WALL_MS + 1000, LOST_WALL_MS + 3000)), phase=Phase.FAILED
    )
    text = connection_text(failed, Outage.GIVEN_UP, 1031.0, UTC)
    assert text.title == "Unable to connect"
    assert text.heading == "BNBBTC · Binance Spot is offline"
    assert text.paragraph == (
        f"5 reconnect attempts failed. The tab is stopped; its last book ({AT}) is kept and marked stale. "
        "Other tabs go on."
    )
    assert text.details.splitlines() == [
        "BinanceUnableToConnect: max reconnect attempts (5) reached",
        "  wss://stream.binance.com:9443 — closed with 1006",
        "  attempts 22:13:21Z  22:13:23Z",
    ]


def test_a_permanent_error_does_not_speak_of_attempts() -> None:
    failed = dataclasses.replace(
        lost("BTCUSDT", "BNBBTC", is_permanent=True, reason="Binance does not serve this region (HTTP 451)"),
        phase=Phase.FAILED,
    )
    text = connection_text(failed, Outage.GIVEN_UP, 1031.0, UTC)
    assert text.heading == "Binance Spot is offline"
    assert text.paragraph.startswith("Binance does not serve this region (HTTP 451). ")
    assert "attempt" not in text.paragraph + text.details


def test_the_reason_does_not_repeat_the_address() -> None:
    url = "wss://stream.binance.com:9443"
    status_ = lost("BTCUSDT", reason=f"cannot connect to {url}/stream: connection refused")
    assert ("Reason", "connection refused") in connection_text(status_, Outage.RETRYING, 1000.0, UTC).rows


@pytest.mark.parametrize(
    ("state", "link", "said"),
    [
        (FeedState.LIVE, None, ""),
        (FeedState.STOPPED, None, f"Stopped at {AT} — the last book is kept; start to go on"),
        (FeedState.STALE, None, f"Stale since {AT} — waiting"),
        (FeedState.RECONNECTING, lost("X"), f"Stale since {AT} — reconnecting, attempt 2 of 5 in 3 s"),
        (FeedState.FAILED, None, f"Stale since {AT} — Waiting."),
        # The feed's state alone decides: pill and tab say "failed" then, and nobody counts attempts beside it.
        (FeedState.FAILED, lost("X"), f"Stale since {AT} — Waiting."),
        (FeedState.STALE, lost("X"), f"Stale since {AT} — waiting"),
        (FeedState.RECONNECTING, connection(Phase.FAILED), f"Stale since {AT} — waiting"),
        (
            FeedState.FAILED,
            connection(Phase.FAILED, "X", lost_at_wall_ms=LOST_WALL_MS),
            f"Stale since {AT} — unable to connect after 5 attempts",
        ),
    ],
)
def test_the_banner_says_since_when_and_what_comes_next(state: FeedState, link: object, said: str) -> None:
    found = banner_text(status(state, "waiting"), link, 1000.0, UTC, has_book=True)  # type: ignore[arg-type]
    assert found == said


def test_no_banner_without_a_book() -> None:
    assert banner_text(status(FeedState.STALE), lost("X"), 1000.0, UTC, has_book=False) == ""


@pytest.mark.parametrize(
    ("state", "link", "note"),
    [
        (FeedState.LIVE, connection(Phase.OPEN), "Spot"),
        (FeedState.CONNECTING, None, "Spot"),
        (FeedState.CONNECTING, lost("X"), "retry 2/5"),
        (FeedState.RECONNECTING, lost("X"), "retry 2/5"),
        (FeedState.RECONNECTING, None, "reconnecting"),
        (FeedState.STALE, connection(Phase.OPEN), "stale"),
        (FeedState.STOPPED, lost("X"), "stopped"),
        (FeedState.FAILED, connection(Phase.FAILED), "failed"),
        (FeedState.FAILED, lost("X"), "failed"),
        (FeedState.STALE, lost("X"), "stale"),
        (FeedState.RECONNECTING, connection(Phase.FAILED), "reconnecting"),
    ],
)
def test_the_note_on_a_tab(state: FeedState, link: object, note: str) -> None:
    assert tab_note("Spot", state, link) == note  # type: ignore[arg-type]


def test_the_notice_after_an_outage() -> None:
    assert restored_notice([("Binance Spot", 125.0)]) == "Binance Spot is live again after 2 min 5 s"


def test_words() -> None:
    assert [duration_text(s) for s in (-1, 0.9, 59, 60, 3600, 3780, 90_061)] == [
        "0 s",
        "0 s",
        "59 s",
        "1 min",
        "1 h",
        "1 h 3 min",
        "1 d 1 h",
    ]
    assert listed("ABCDEFGH", 3) == "A, B and 6 more"
    assert listed("AB", 3) == "A, B"
    assert count_text(1, "tab") == "1 tab"
    assert count_text(2, "entry", "entries") == "2 entries"
    assert sentence("cannot connect") == "Cannot connect."
    assert sentence("http://h does not answer!") == "http://h does not answer!"
    assert sentence("") == ""


@pytest.mark.parametrize("state", FeedState)
@pytest.mark.parametrize(
    "link",
    [
        None,
        connection(Phase.OPEN, "X"),
        connection(Phase.CONNECTING, "X"),
        connection(Phase.CONNECTING, "X", attempt=4, lost_at_s=NOW),
        connection(Phase.FAILED, "X", attempt=5),
        connection(Phase.CLOSED, "X"),
        lost("X", attempt=4),
        lost("X", retry_in_s=None, attempt=5),
    ],
    ids=lambda link: "none" if link is None else f"{link.phase.value} {link.attempt}",
)
def test_tab_and_banner_never_say_another_state_than_the_pill(state: FeedState, link: ConnectionStatus | None) -> None:
    note = tab_note("Spot", state, link)
    banner = banner_text(FeedStatus(state, NOW, LOST_WALL_MS, "waiting"), link, NOW, TimeZone.UTC, has_book=True)
    is_tried = state in {FeedState.CONNECTING, FeedState.RECONNECTING}
    assert note.startswith("retry") <= is_tried
    assert ("attempt " in banner) <= is_tried
    assert note.startswith("retry") == ("attempt " in banner)
    assert ("unable to connect" in banner) <= (state is FeedState.FAILED)
    assert (banner == "") is (state is FeedState.LIVE)
