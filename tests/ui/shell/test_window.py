"""The main window: tabs, their states and commands, what they become when the venue or the program changes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6 import QtCore, QtGui, QtTest, QtWidgets
from ui.shell.conftest import Shell, end_shell, make_shell
from ui.shell.fakes import connection, info, lost
from unit.ui.books import make_book, small_book

from depthgui.binance.endpoints import Market, SymbolRef, parse_symbol_ref
from depthgui.book.errors import ConnectFailedError, RegionNotServedError, UnknownSymbolError
from depthgui.depthcache.connection import ConnectionPhase as Phase
from depthgui.depthcache.feed import FeedState
from depthgui.settings import TabState, schema
from depthgui.settings.state import VenueTabs
from depthgui.ui.actions import ACTIONS
from depthgui.ui.fonts import load_typeface
from depthgui.ui.palettes import LIGHT
from depthgui.ui.symbol_tab import SymbolTab
from depthgui.ui.theme import Theme


def tab_texts(shell: Shell) -> list[str]:
    tabs = shell.window.tabs
    return [tabs.tabText(index) for index in range(tabs.count())]


def note(shell: Shell, index: int) -> str:
    side = shell.window.tabs.tabBar().tabButton(index, QtWidgets.QTabBar.ButtonPosition.RightSide)
    assert side is not None
    label = side.findChild(QtWidgets.QLabel)
    assert label is not None
    return label.text()


def trigger(shell: Shell, name: str) -> None:
    action = shell.window.findChild(QtGui.QAction, name)
    assert action is not None
    assert action.isEnabled(), name
    action.trigger()


def child(page: QtWidgets.QWidget, name: str) -> QtWidgets.QWidget:
    found = page.findChildren(QtWidgets.QWidget, name)
    assert len(found) == 1, (name, found)
    return found[0]


# ---- stable names


async def test_scripts_find_what_they_rely_on(shell: Shell) -> None:
    assert shell.window.objectName() == "mainWindow"
    tabs = shell.window.findChild(QtWidgets.QTabWidget, "symbolTabs")
    assert tabs is not None
    assert tabs.count() == 0, "neither a welcome page nor “+” counts as a tab"
    page = shell.open("usdm:ETHUSDT")
    assert tabs.widget(0) is page
    for name in ("ladder", "depthChart", "stopButton", "stateLabel", "staleBanner"):
        child(page, name)
    assert page.symbol == "ETHUSDT"
    assert page.market is Market.USDM
    assert page.state == "connecting"
    shell.feed("usdm:ETHUSDT").become(FeedState.LIVE)
    assert page.state == "live"
    assert page.feed is shell.feed("usdm:ETHUSDT")
    assert page.feed.book is not None
    for name in ("actionAddSymbol", "actionCloseTab", "actionStopTab", "actionResync"):
        assert shell.window.findChild(QtGui.QAction, name) is not None


async def test_a_feed_that_began_before_its_tab_is_not_started_again(shell: Shell) -> None:
    feed = shell.hub.feed(parse_symbol_ref("NOSUCH"))
    feed.start()
    feed.become(FeedState.FAILED, error=UnknownSymbolError("NOSUCH", "Spot"))
    page = shell.open("NOSUCH")
    assert feed.calls == ["start"]
    assert page.state == "failed"


async def test_the_menus_have_their_icons_when_one_is_opened(shell: Shell) -> None:
    action = shell.window.actions_by_name["actionAddSymbol"]
    assert action.icon().isNull(), "nobody has seen it yet"
    menu = shell.window.findChild(QtWidgets.QMenu, "menuHelp")
    assert menu is not None
    menu.popup(QtCore.QPoint(0, 0))
    menu.close()
    dark = action.icon().cacheKey()
    assert not action.icon().isNull()
    shell.window.actions_by_name.set_theme(Theme(LIGHT, load_typeface()))
    assert action.icon().cacheKey() != dark


async def test_keys_are_those_of_the_design_and_no_two_commands_share_one(shell: Shell) -> None:
    keys = {spec.name: spec.keys for spec in ACTIONS}
    assert keys["actionAddSymbol"] == ("Ctrl+T",)
    assert keys["actionCloseTab"] == ("Ctrl+W",)
    assert keys["actionReopenTab"] == ("Ctrl+Shift+T",)
    assert keys["actionStopTab"] == ("Ctrl+.",)
    assert keys["actionCentre"] == ("Space",)
    assert keys["actionResync"] == ("F5",)
    assert keys["actionFullScreen"] == ("F11",)
    assert keys["actionSettings"] == ("Ctrl+,",)
    assert keys["actionPicture"] == ("Ctrl+S",)
    assert keys["actionKeys"] == ("F1",)
    every = [key for each in keys.values() for key in each] + [f"Ctrl+{number}" for number in range(1, 10)]
    assert len(every) == len(set(every))
    shown = shell.window.findChild(QtGui.QAction, "actionAddSymbol").shortcut().toString()  # type: ignore[union-attr]
    assert shown == "Ctrl+T"


# ---- tabs


async def test_an_empty_window_offers_symbols_and_venues(shell: Shell) -> None:
    welcome = child(shell.window, "welcomePage")
    assert welcome.isVisible()
    button = welcome.findChild(QtWidgets.QPushButton, "open-usdm:BTCUSDT")
    assert button is not None
    button.click()
    assert tab_texts(shell) == ["BTCUSDT"]
    assert not welcome.isVisible()
    trigger(shell, "actionCloseTab")
    assert welcome.isVisible()


async def test_opening_the_same_symbol_brings_its_tab_to_the_front(shell: Shell) -> None:
    first = shell.open("BTCUSDT")
    shell.open("usdm:BTCUSDT")
    assert shell.open("BTCUSDT") is first
    assert shell.window.tabs.currentWidget() is first
    assert len(shell.window.pages.all()) == 2


async def test_a_tab_tells_its_state_in_words_and_by_its_mark(shell: Shell) -> None:
    shell.open("BTCUSDT")
    feed = shell.feed("BTCUSDT")
    marks = []
    for state, said in (
        (FeedState.LIVE, "Spot"),
        (FeedState.STALE, "stale"),
        (FeedState.STOPPED, "stopped"),
        (FeedState.FAILED, "failed"),
    ):
        feed.become(state)
        assert note(shell, 0) == said
        marks.append(shell.window.tabs.tabIcon(0).pixmap(16, 16).toImage())
        assert state.value in shell.window.tabs.tabBar().accessibleTabName(0)
    assert all(a != b for i, a in enumerate(marks) for b in marks[:i])
    shell.feed("BTCUSDT").become(FeedState.RECONNECTING)
    shell.hub.report(lost("BTCUSDT"))
    assert note(shell, 0) == "retry 2/5"


async def test_stop_and_start_one_tab_only(shell: Shell) -> None:
    shell.open("ETHUSDT")
    page = shell.open("BTCUSDT")
    for text in ("BTCUSDT", "ETHUSDT"):
        shell.feed(text).become(FeedState.LIVE)
    trigger(shell, "actionStopTab")
    await asyncio.sleep(0.02)
    assert page.state == "stopped"
    assert shell.feed("ETHUSDT").state is FeedState.LIVE
    assert page.banner.isVisible()
    assert "Stopped at" in page.banner.text
    child(page, "stopButton").click()  # type: ignore[attr-defined]
    assert page.state == "connecting"


async def test_closing_stops_the_feed_and_reopening_starts_it_where_it_stood(shell: Shell) -> None:
    for text in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
        shell.open(text)
    shell.window.pages.go_to(2)
    closed = shell.feed("ETHUSDT")
    trigger(shell, "actionCloseTab")
    await asyncio.sleep(0.02)
    assert closed.calls == ["start", "stop"]
    assert closed.listeners == 0
    assert tab_texts(shell) == ["BTCUSDT", "SOLUSDT"]
    trigger(shell, "actionReopenTab")
    assert tab_texts(shell) == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert shell.window.pages.current().symbol == "ETHUSDT"  # type: ignore[union-attr]


async def test_reopening_at_once_does_not_stop_the_new_one(shell: Shell) -> None:
    shell.open("BTCUSDT")
    trigger(shell, "actionCloseTab")
    trigger(shell, "actionReopenTab")
    await asyncio.sleep(0.02)
    assert shell.feed("BTCUSDT").calls == ["start"]
    assert shell.window.pages.all()[0].state == "connecting"


async def test_a_duplicate_shares_the_feed_until_both_are_closed(shell: Shell) -> None:
    page = shell.open("BTCUSDT")
    page.panels.ladder.set_grouping(10)
    trigger(shell, "actionDuplicate")
    first, second = shell.window.pages.all()
    assert first.feed is second.feed
    assert second.panels.ladder.grouping == 10
    trigger(shell, "actionCloseTab")
    await asyncio.sleep(0.02)
    assert shell.feed("BTCUSDT").calls == ["start"]
    trigger(shell, "actionCloseTab")
    await asyncio.sleep(0.02)
    assert shell.feed("BTCUSDT").calls == ["start", "stop"]


async def test_pop_out_and_back(shell: Shell) -> None:
    page = shell.open("BTCUSDT")
    shell.feed("BTCUSDT").become(FeedState.LIVE)
    trigger(shell, "actionPopOut")
    assert shell.window.tabs.count() == 0
    window = page.window()
    assert window is not shell.window
    assert window.isVisible()
    assert page.feed is shell.feed("BTCUSDT")
    window.close()
    assert shell.window.tabs.widget(0) is page
    assert page.window() is shell.window
    assert note(shell, 0) == "Spot"
    assert shell.feed("BTCUSDT").calls == ["start"]


async def test_switching_by_keys(shell: Shell) -> None:
    for number in range(12):
        shell.open(f"S{number}USDT")
    pages = shell.window.pages
    pages.go_to(3)
    assert shell.window.tabs.currentIndex() == 2
    pages.go_to(9)
    assert shell.window.tabs.currentIndex() == 11
    trigger(shell, "actionNextTab")
    assert shell.window.tabs.currentIndex() == 0
    trigger(shell, "actionPreviousTab")
    assert shell.window.tabs.currentIndex() == 11


async def test_thirty_tabs_have_a_list(shell: Shell) -> None:
    overflow = child(shell.window, "tabList")
    shell.open("BTCUSDT")
    assert not overflow.isVisible()
    for number in range(30):
        shell.open(f"S{number}USDT")
    await asyncio.sleep(0.02)
    assert overflow.isVisible()
    assert not child(shell.window, "tabAdd").isVisible()
    child(shell.window, "tabAddCorner").click()  # type: ignore[attr-defined]
    assert shell.dialog("addSymbolDialog") is not None


async def test_the_tab_in_front_gets_its_snapshot_first(shell: Shell) -> None:
    shell.open("BTCUSDT")
    shell.open("ETHUSDT")
    assert (shell.feed("BTCUSDT").urgency, shell.feed("ETHUSDT").urgency) == (1, 0)
    shell.window.pages.go_to(1)
    assert (shell.feed("BTCUSDT").urgency, shell.feed("ETHUSDT").urgency) == (0, 1)


async def test_only_what_is_in_view_wakes_the_frame_clock(shell: Shell) -> None:
    shell.open("BTCUSDT")
    shell.open("ETHUSDT")
    clock = shell.window._services.clock
    bitcoin, ether = shell.feed("BTCUSDT"), shell.feed("ETHUSDT")
    for in_front, behind in ((ether, bitcoin), (bitcoin, ether)):
        clock.tick()
        behind.wake()
        assert not clock.is_awake
        in_front.wake()
        assert clock.is_awake
        shell.window.pages.go_to(1)
    trigger(shell, "actionPopOut")
    for symbol in ("BTCUSDT", "ETHUSDT"):
        clock.tick()
        shell.feed(symbol).wake()
        assert clock.is_awake


async def test_plus_stands_behind_the_last_tab_and_opens_the_search(shell: Shell) -> None:
    shell.open("BTCUSDT")
    await asyncio.sleep(0.02)
    plus = child(shell.window, "tabAdd")
    bar = shell.window.tabs.tabBar()
    last = bar.mapTo(shell.window.tabs, bar.tabRect(bar.count() - 1).topRight())
    assert 0 < plus.x() - last.x() < 24
    plus.click()  # type: ignore[attr-defined]
    assert shell.dialog("addSymbolDialog") is not None


async def test_the_tab_menu_acts_on_the_tab_it_was_opened_on(shell: Shell) -> None:
    first = shell.open("BTCUSDT")
    shell.open("ETHUSDT")
    shell.window._show_tab_menu(first, QtCore.QPoint(10, 10))
    menu = shell.window.findChild(QtWidgets.QMenu, "tabMenu")
    assert menu is not None
    by_text = {action.text(): action for action in menu.actions()}
    by_text["Close the others"].trigger()
    menu.close()
    assert shell.window.pages.all() == [first]


# ---- what went wrong with one symbol


async def test_an_unknown_symbol_says_which_and_offers_near_ones(shell: Shell) -> None:
    page = shell.open("BTCUSTD")
    error = UnknownSymbolError("BTCUSTD", "Spot", suggestions=("BTCUSDT", "BTCUSDC"))
    shell.feed("BTCUSTD").become(FeedState.FAILED, str(error), error)
    assert page.failed_panel.isVisible()
    assert child(page, "failedHeading").text() == "BTCUSTD is not a symbol of Spot"  # type: ignore[attr-defined]
    child(page, "suggestionBTCUSDT").click()  # type: ignore[attr-defined]
    assert tab_texts(shell) == ["BTCUSTD", "BTCUSDT"]
    assert shell.window.pages.current().symbol == "BTCUSDT"  # type: ignore[union-attr]


async def test_where_the_region_is_not_served_the_data_only_hosts_are_one_click_away(shell: Shell) -> None:
    page = shell.open("BTCUSDT")
    error = RegionNotServedError(url="https://api.binance.com/api/v3/depth")
    shell.feed("BTCUSDT").become(FeedState.FAILED, str(error), error)
    assert child(page, "failedHeading").text() == "This region is not served"  # type: ignore[attr-defined]
    child(page, "failedDataOnly").click()  # type: ignore[attr-defined]
    await asyncio.sleep(0.02)
    assert shell.switch.asked == [("data-only", "")]
    future = shell.open("usdm:BTCUSDT")
    shell.feed("usdm:BTCUSDT").become(FeedState.FAILED, str(error), error)
    assert not child(future, "failedDataOnly").isVisible(), "they have spot only"


async def test_try_again_starts_a_failed_feed(shell: Shell) -> None:
    page = shell.open("BTCUSDT")
    feed = shell.feed("BTCUSDT")
    error = ConnectFailedError("wss://h", "connection refused")
    feed.become(FeedState.FAILED, str(error), error)
    assert "cannot connect to wss://h: connection refused" in child(page, "failedSentence").text()  # type: ignore[attr-defined]
    child(page, "failedRetry").click()  # type: ignore[attr-defined]
    assert feed.calls == ["start", "start"]
    assert not page.failed_panel.isVisible()


async def test_a_failed_feed_with_a_book_keeps_it_on_screen(shell: Shell) -> None:
    page = shell.open("BTCUSDT")
    shell.feed("BTCUSDT").become(FeedState.LIVE)
    shell.feed("BTCUSDT").become(FeedState.FAILED, "gone")
    assert not page.failed_panel.isVisible()
    assert page.panels.ladder.isVisible()
    assert "Gone." in page.banner.text


# ---- keys


async def test_space_presses_a_focused_button_and_centres_otherwise(shell: Shell) -> None:
    page = shell.open("BTCUSDT")
    feed = shell.feed("BTCUSDT")
    feed.become(FeedState.LIVE)
    shell.window.activateWindow()
    stop = child(page, "stopButton")
    stop.setFocus()
    await asyncio.sleep(0.02)
    QtTest.QTest.keyClick(stop, QtCore.Qt.Key.Key_Space)
    await asyncio.sleep(0.02)
    assert feed.calls == ["start", "stop"]


async def test_own_keys_take_effect_at_once(shell: Shell) -> None:
    shell.profile.settings.set_shortcut("actionResync", "Ctrl+R")
    action = shell.window.findChild(QtGui.QAction, "actionResync")
    assert action is not None
    assert [each.toString() for each in action.shortcuts()] == ["Ctrl+R"]
    shell.profile.settings.set_shortcut("actionResync", None)
    assert [each.toString() for each in action.shortcuts()] == ["F5"]


# ---- status bar, notices, settings


async def test_the_status_bar_counts_connections_and_streams(shell: Shell) -> None:
    shell.open("BTCUSDT")
    shell.hub.report(connection(Phase.OPEN, "BTCUSDT", streams=3))
    texts = [label.text() for label in shell.window.status.findChildren(QtWidgets.QLabel)]
    assert "Binance" in texts
    assert "1 connection · 3 streams" in texts
    assert "REST weight 260 / 6000" in texts


async def test_the_same_trouble_is_told_once(shell: Shell) -> None:
    for _ in range(3):
        shell.window.notices.add("Something went wrong", "details")
    shell.window.notices.add("Something else")
    assert shell.window.notices.texts == ("Something went wrong", "Something else")
    assert "and 1 earlier notice" in child(shell.window, "noticeText").text()  # type: ignore[attr-defined]
    child(shell.window, "noticeDismiss").click()  # type: ignore[attr-defined]
    assert not shell.window.notices.isVisible()


async def test_compact_shows_only_the_ladder_and_gives_back_what_was_shown(shell: Shell) -> None:
    page = shell.open("BTCUSDT")
    shell.feed("BTCUSDT").become(FeedState.LIVE)
    page.show_panel("tape", is_shown=False)
    trigger(shell, "actionCompact")
    assert page.panels.ladder.isVisible()
    assert not page.panels.chart.isVisible()
    assert not page.panels.header.isVisible()
    trigger(shell, "actionCompact")
    assert page.panels.chart.isVisible()
    assert not page.panels.tape.isVisible()


async def test_a_venue_is_asked_for_by_its_button(shell: Shell) -> None:
    shell.window.show_welcome()
    child(shell.window, "venue-demo").click()  # type: ignore[attr-defined]
    await asyncio.sleep(0.02)
    assert shell.switch.asked == [("demo", "")]


@pytest.mark.expected_logs("symbol list of")
async def test_without_a_network_the_welcome_page_says_so(qapp: QtWidgets.QApplication, tmp_path: Path) -> None:
    shell, services = make_shell(qapp, tmp_path, [])
    for market in Market:
        shell.hub.lists[market] = ConnectFailedError("https://api.binance.com", "no route")
    await shell.attach()
    shell.window.show()
    await services.tasks.settle()
    problem = child(shell.window, "welcomeProblem")
    assert problem.isVisible()
    assert problem.text() == (  # type: ignore[attr-defined]
        "Cannot connect to https://api.binance.com: no route. The embedded exchange works without a network."
    )
    await end_shell(shell, services)


# ---- memory


async def test_tabs_order_and_layout_come_back(qapp: QtWidgets.QApplication, tmp_path: Path) -> None:
    shell, services = make_shell(qapp, tmp_path, [])
    await shell.attach()
    shell.window.show()
    await services.tasks.settle()
    for text in ("BTCUSDT", "usdm:ETHUSDT", "coinm:BTCUSD_PERP"):
        shell.open(text)
        shell.feed(text).become(FeedState.LIVE)
    shell.window.tabs.tabBar().moveTab(2, 0)
    page = next(page for page in shell.window.pages.all() if page.symbol == "ETHUSDT")
    page.panels.ladder.set_grouping(25)
    page.show_panel("tape", is_shown=False)
    shell.window.stop_or_start(page)
    shell.window.resize(1111, 666)
    await services.tasks.settle()
    await end_shell(shell, services)

    again, services = make_shell(qapp, tmp_path, [])
    again.window.show()
    await again.attach()
    await services.tasks.settle()
    pages = again.window.pages.all()
    assert [str(page.ref) for page in pages] == ["coinm:BTCUSD_PERP", "BTCUSDT", "usdm:ETHUSDT"]
    assert [page.state for page in pages] == ["connecting", "connecting", "stopped"]
    assert pages[2].panels.ladder.grouping == 25
    assert not pages[2].is_panel_shown("tape")
    assert again.window.size() == QtCore.QSize(1111, 666)
    assert again.window.pages.current() is pages[0]
    await end_shell(again, services)


async def test_settings_reach_open_tabs_at_once(shell: Shell) -> None:
    page: SymbolTab = shell.open("BTCUSDT")
    shell.feed("BTCUSDT").become(FeedState.LIVE)
    shell.feed("BTCUSDT").become(FeedState.STALE)
    shell.profile.settings.set(schema.TIME_ZONE, "utc")
    assert page.banner.text.startswith("Stale since 22:13:20Z")


async def test_a_symbol_that_cannot_be_read_costs_only_itself(shell: Shell) -> None:
    tabs = [TabState(symbol="mars:X"), TabState(symbol="BTCUSDT")]
    restored = list(shell.window.pages.restore(VenueTabs(tabs=tabs)))
    assert [page.ref for page, _ in restored] == [SymbolRef(Market.SPOT, "BTCUSDT")]
    assert parse_symbol_ref("BTCUSDT") == restored[0][0].ref


async def test_the_tab_in_front_comes_back_first(shell: Shell) -> None:
    tabs = [TabState(symbol=text) for text in ("SOLUSDT", "mars:X", "usdm:ETHUSDT", "BTCUSDT", "coinm:BTCUSD_PERP")]
    steps = shell.window.pages.restore(VenueTabs(tabs=tabs, current=3))
    front, _ = next(steps)
    assert front.symbol == "BTCUSDT"
    assert shell.window.pages.current() is front
    assert len(list(steps)) == 3
    assert tab_texts(shell) == ["SOLUSDT", "ETHUSDT", "BTCUSDT", "BTCUSD_PERP"]
    assert shell.window.pages.current() is front


async def test_a_window_that_is_closed_too_early_forgets_no_tab(shell: Shell) -> None:
    tabs = [TabState(symbol=text) for text in ("SOLUSDT", "BTCUSDT", "usdm:ETHUSDT")]
    shell.profile.state.venues["production"] = VenueTabs(tabs=tabs, current=1)
    one_is_there = asyncio.Event()
    shell.window.pages.opened.connect(lambda _page: one_is_there.set())
    restoring = asyncio.create_task(shell.window.restore_session())
    await one_is_there.wait()
    shell.window.close()
    await restoring
    assert len(shell.window.pages.all()) == 1
    shell.window.save_session()
    assert [tab.symbol for tab in shell.profile.state.tabs_of("production").tabs] == [tab.symbol for tab in tabs]


async def test_workspaces_keep_sets_of_tabs(shell: Shell) -> None:
    for text in ("BTCUSDT", "usdm:ETHUSDT"):
        shell.open(text)
    shell.window.pages.all()[0].panels.ladder.set_grouping(100)
    workspaces = shell.window.workspaces
    workspaces.save("  majors ")
    trigger(shell, "actionCloseTab")
    shell.open("SOLUSDT")
    workspaces.save("Alts & more")
    workspaces.fill()
    menu = shell.window.findChild(QtWidgets.QMenu, "menuWorkspaces")
    assert menu is not None
    texts = [action.text() for action in menu.actions() if action.text()]
    assert texts == ["Alts && more\t2 tabs", "majors\t2 tabs", "Save these tabs as…", "Delete"]
    workspaces.switch_to("majors")
    assert tab_texts(shell) == ["BTCUSDT", "ETHUSDT"]
    assert shell.window.pages.all()[0].panels.ladder.grouping == 100
    assert not shell.window.pages.has_closed
    workspaces.delete("majors")
    assert workspaces.names == ["Alts & more"]
    await asyncio.sleep(0.02)
    assert shell.feed("SOLUSDT").calls == ["start", "stop"]
    assert shell.feed("BTCUSDT").calls == ["start"], "it is in both: its feed never stopped"


async def test_a_halt_is_told_in_tab_pill_and_header_and_goes_again(shell: Shell) -> None:
    page = shell.open("BTCUSDT")
    feed = shell.feed("BTCUSDT")
    feed.book = small_book()
    feed.become(FeedState.LIVE)
    header, bar = page.panels.header, shell.window.tabs.tabBar()

    def shown() -> tuple[str, str, str, bool]:
        shell.time.now_s += 1
        shell.window._services.clock.tick()
        assert header.view is not None
        side = shell.window.tabs._side(0)
        assert side is not None
        has_figure = any(stat.name == "trading" for stat in header.view.stats)
        return header.pill.state, header.pill.text().partition(" ")[0], side._note.text(), has_figure

    feed.info = info("BTCUSDT", "BTC", "USDT")  # type: ignore[assignment]
    feed.become(FeedState.LIVE)
    assert shown() == ("live", "Live", "Spot", False)
    feed.info = info("BTCUSDT", "BTC", "USDT", status="halt")  # type: ignore[assignment]
    feed.trading_status_since_wall_ms = 1_700_000_000_000
    feed.become(FeedState.LIVE)
    assert shown() == ("halted", "Halted", "halted", True)
    assert "Halted since" in bar.tabToolTip(0)
    assert bar.accessibleTabName(0).endswith("halted")
    feed.book = make_book([], [], update_id=8)
    feed.become(FeedState.LIVE)
    assert shown()[0] == "halted"
    assert page.panels.ladder._frame is not None
    assert "the book is empty" in page.panels.ladder._frame.note
    feed.become(FeedState.RECONNECTING)
    assert shown()[:3] == ("reconnecting", "Reconnecting", "reconnecting")
    feed.info = info("BTCUSDT", "BTC", "USDT", status="<b>new</b>")  # type: ignore[assignment]
    feed.become(FeedState.LIVE)
    assert shown()[2] == "<b>new</b>"
    assert "<b>new" not in bar.tabToolTip(0).lower()
    feed.info, feed.trading_status_since_wall_ms = info("BTCUSDT", "BTC", "USDT"), None  # type: ignore[assignment]
    feed.become(FeedState.LIVE)
    assert shown() == ("live", "Live", "Spot", False)
