"""Whether a symbol is traded, in words: pill, header, and what stands where a book is empty."""

from __future__ import annotations

import pytest
from unit.ui.books import FakeFeed, Info, State, Status, make_book, small_book

from depthgui.ui.dialogs.connection_text import tab_note
from depthgui.ui.engine import FeedState
from depthgui.ui.viewmodels.header import HeaderModel, HeaderOptions, pill_of
from depthgui.ui.viewmodels.trading_status import empty_text, halt_of, shown_state, status_words
from depthgui.ui.wording import TimeZone, tool_tip

SINCE_MS = 1_700_000_000_000  # 22:13:20 UTC on 14 November 2023
NOW_S = 1000.0


def feed_of(status: str, **changes: object) -> FakeFeed:
    facts = {"since_s": NOW_S, "since_wall_ms": SINCE_MS + 60_000}
    values = {"info": Info(status=status), "trading_status_since_wall_ms": SINCE_MS, "status": Status(**facts)}  # type: ignore[arg-type]
    return FakeFeed(**{"book": small_book(), **values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("halt", "Halted"),
        ("break", "Trading break"),
        ("end_of_day", "End of day"),
        ("cancel_only", "Cancel only"),
        ("pre_trading", "Not yet trading"),
        ("delivering", "Delivering"),
        ("delivered", "Delivered"),
        ("settling", "Settling"),
        ("close", "Closed"),
        ("pre_delivering", "Before delivery"),
        ("some_new_word", "Some new word"),
        ("<b>bold</b>\n\x07", "<b>bold</b>"),
        ("x" * 200, "X" + "x" * 31),
        ("\x00", "Not trading"),
    ],
)
def test_the_venues_words_in_words_for_people(status: str, word: str) -> None:
    assert status_words(status) == word
    pill = pill_of(feed_of(status), NOW_S, TimeZone.UTC)
    assert (pill.state, pill.text, pill.brief) == ("halted", f"{word} since 22:13:20Z", word)
    assert word in pill.tip


def test_a_tip_shows_markup_as_text() -> None:
    tip = tool_tip(pill_of(feed_of("<img src=x>"), NOW_S, TimeZone.UTC).tip)
    assert "<img" not in tip
    assert "&lt;img src=x&gt;" in tip
    assert tool_tip("a & b\nc") == "a & b\nc"


@pytest.mark.parametrize("book", [small_book(), make_book([], [])], ids=["with a book", "empty"])
def test_a_halted_symbol_is_not_live_and_a_resumed_one_is(book: object) -> None:
    feed = feed_of("halt", book=book)
    assert shown_state(feed) == "halted"
    assert pill_of(feed, NOW_S, TimeZone.UTC).text == "Halted since 22:13:20Z"
    assert ("The book is empty." in pill_of(feed, NOW_S, TimeZone.UTC).tip) is (not feed.book.bids)  # type: ignore[union-attr]
    feed.info, feed.trading_status_since_wall_ms = Info(), None
    assert shown_state(feed) == "live"
    assert pill_of(feed, NOW_S, TimeZone.UTC).text == "Live"


@pytest.mark.parametrize("state", [state for state in State if state is not State.LIVE], ids=lambda state: state.value)
def test_what_is_wrong_with_the_connection_comes_first(state: State) -> None:
    pill = pill_of(feed_of("halt", state=state), NOW_S, TimeZone.UTC)
    assert pill.state == state.value
    assert "Halted since 22:13:20Z" in pill.tip


def test_without_a_moment_only_the_word_is_said() -> None:
    pill = pill_of(feed_of("break", trading_status_since_wall_ms=None), NOW_S, TimeZone.UTC)
    assert pill.text == "Trading break"


def test_a_halt_of_long_ago_has_its_day() -> None:
    feed = feed_of("halt")
    halt = halt_of(feed)
    assert halt is not None
    assert halt.text(SINCE_MS + 3_600_000, TimeZone.UTC) == "Halted since 22:13:20Z"
    assert halt.text(SINCE_MS + 48 * 3_600_000, TimeZone.UTC) == "Halted since 14 Nov, 22:13:20Z"


@pytest.mark.parametrize("info", [None, Info(), Info(status="")], ids=["unknown", "trading", "no word"])
def test_what_is_not_known_to_be_halted_is_not_called_so(info: Info | None) -> None:
    feed = feed_of("trading", info=info)
    assert halt_of(feed) is None
    assert shown_state(feed) == "live"


def test_the_header_has_it_before_every_other_figure() -> None:
    view = HeaderModel(HeaderOptions(zone=TimeZone.UTC)).build(feed_of("cancel_only"), NOW_S)
    (stat,) = [stat for stat in view.stats if stat.name == "trading"]
    assert (stat.value, stat.caption, stat.tone) == ("Cancel only", "Trading \u00b7 since 22:13:20Z", "amber")
    assert stat.rank < min(other.rank for other in view.stats if other is not stat)
    assert not any(stat.name == "trading" for stat in HeaderModel().build(feed_of("trading"), NOW_S).stats)


def test_an_empty_book_says_why() -> None:
    assert empty_text(feed_of("halt"), NOW_S, TimeZone.UTC) == "Halted since 22:13:20Z: the book is empty"
    assert empty_text(feed_of("trading"), NOW_S) == "The book is empty"


def test_the_tab_says_it_in_place_of_the_market() -> None:
    assert tab_note("Spot", FeedState.LIVE, None, "Halted") == "halted"
    assert tab_note("Spot", FeedState.LIVE, None) == "Spot"
    assert tab_note("Spot", FeedState.STALE, None, "Halted") == "stale"
