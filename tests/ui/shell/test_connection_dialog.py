"""One dialog per connection: when it opens, what it does, when it goes, and that it takes no focus."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest
from PySide6 import QtGui, QtWidgets
from ui.shell.conftest import Shell
from ui.shell.fakes import connection, lost

from depthgui.depthcache.connection import ConnectionPhase as Phase
from depthgui.depthcache.feed import FeedState
from depthgui.ui.dialogs.connection import ConnectionDialog


def dialogs(shell: Shell) -> list[ConnectionDialog]:
    return [each for each in shell.window.findChildren(ConnectionDialog, "connectionDialog") if each.isVisible()]


def button(dialog: QtWidgets.QDialog, name: str) -> QtWidgets.QPushButton:
    found = dialog.findChild(QtWidgets.QPushButton, name)
    assert found is not None
    return found


def pass_time(shell: Shell, seconds: float) -> None:
    shell.time.now_s += seconds
    shell.window.connections._tick()


async def lose(shell: Shell, *symbols: str) -> ConnectionDialog:
    """Open tabs that are live, and lose their connection."""
    for text in symbols:
        shell.open(text)
        shell.feed(text).become(FeedState.LIVE)
    for text in symbols:
        shell.feed(text).become(FeedState.RECONNECTING, "Reconnecting")
    shell.hub.report(lost(*symbols))
    (dialog,) = dialogs(shell)
    return dialog


async def test_ten_tabs_on_one_connection_make_one_dialog(shell: Shell) -> None:
    names = [f"S{number}USDT" for number in range(10)]
    dialog = await lose(shell, *names)
    for attempt in (3, 4):
        shell.hub.report(lost(*names, attempt=attempt))
    assert dialogs(shell) == [dialog]
    assert not dialog.isModal()
    rows = [label.text() for label in dialog.findChildren(QtWidgets.QLabel)]
    assert "4 of 5, next in 3 s" in rows
    assert "10 symbols" in rows


async def test_it_takes_no_focus_from_what_is_typed(shell: Shell) -> None:
    shell.open("BTCUSDT")
    shell.window.dialogs.add_symbol()
    search = shell.window.findChild(QtWidgets.QLineEdit, "symbolSearch")
    assert search is not None
    search.activateWindow()
    await asyncio.sleep(0.05)
    assert QtWidgets.QApplication.focusWidget() is search
    await lose(shell, "ETHUSDT")
    await asyncio.sleep(0.1)
    assert QtWidgets.QApplication.focusWidget() is search


async def test_the_countdown_runs_and_the_bar_with_it(shell: Shell) -> None:
    dialog = await lose(shell, "BTCUSDT")
    bar = dialog.findChild(QtWidgets.QProgressBar, "connectionCountdown")
    assert bar is not None
    assert bar.value() == 0
    pass_time(shell, 1.5)
    assert bar.value() == bar.maximum() // 2
    assert "2 of 5, next in 2 s" in [label.text() for label in dialog.findChildren(QtWidgets.QLabel)]
    page = shell.window.pages.all()[0]
    page.refresh_banner()
    assert page.banner.text.endswith("reconnecting, attempt 2 of 5 in 2 s")


async def test_it_closes_when_the_books_are_live_and_tells_how_long_it_was(shell: Shell) -> None:
    dialog = await lose(shell, "BTCUSDT", "BNBBTC")
    pass_time(shell, 9)
    shell.feed("BTCUSDT").become(FeedState.LIVE)
    shell.hub.report(connection(Phase.OPEN, "BTCUSDT", "BNBBTC"))
    assert dialogs(shell) == [dialog], "one book is not in step yet"
    assert dialog.windowTitle() == "Connected again"
    shell.feed("BNBBTC").become(FeedState.LIVE)
    pass_time(shell, 0.2)
    assert dialogs(shell) == []
    assert shell.window.status.notice == "Binance Spot is live again after 9 s"


async def test_a_short_outage_makes_no_flicker(shell: Shell) -> None:
    await lose(shell, "BTCUSDT")
    pass_time(shell, 0.3)
    shell.feed("BTCUSDT").become(FeedState.LIVE)
    shell.hub.report(connection(Phase.OPEN, "BTCUSDT"))
    assert len(dialogs(shell)) == 1
    pass_time(shell, 1.5)
    assert dialogs(shell) == []


async def test_a_connection_that_opens_at_once_is_not_worth_a_dialog(shell: Shell) -> None:
    shell.open("BTCUSDT")
    shell.hub.report(connection(Phase.CONNECTING, "BTCUSDT", attempt=1))
    shell.hub.report(connection(Phase.OPEN, "BTCUSDT"))
    assert dialogs(shell) == []


async def test_an_ordinary_resync_makes_no_dialog(shell: Shell) -> None:
    page = shell.open("BTCUSDT")
    feed = shell.feed("BTCUSDT")
    feed.become(FeedState.LIVE)
    shell.hub.report(connection(Phase.OPEN, "BTCUSDT"))
    feed.become(FeedState.STALE, "Waiting for a snapshot")
    assert dialogs(shell) == []
    assert "Waiting for a snapshot" in page.banner.text


async def test_hidden_stays_hidden_for_this_outage_and_can_be_called_back(shell: Shell) -> None:
    dialog = await lose(shell, "BTCUSDT")
    button(dialog, "connectionHide").click()
    shell.hub.report(lost("BTCUSDT", attempt=3))
    pass_time(shell, 1)
    assert dialogs(shell) == []
    shell.window.show_connection_problems()
    assert dialogs(shell) == [dialog]


async def test_after_five_failures_it_comes_back_even_if_hidden(shell: Shell) -> None:
    dialog = await lose(shell, "BTCUSDT")
    button(dialog, "connectionHide").click()
    shell.hub.report(dataclasses.replace(lost("BTCUSDT", attempt=5), phase=Phase.FAILED))
    assert dialogs(shell) == [dialog]
    assert dialog.windowTitle() == "Unable to connect"
    visible = {each.text() for each in dialog.findChildren(QtWidgets.QPushButton) if each.isVisible()}
    assert visible == {"Copy details", "Open log", "Close tab", "Reconnect"}
    button(dialog, "connectionCopy").click()
    assert "max reconnect attempts (5) reached" in QtGui.QGuiApplication.clipboard().text()
    button(dialog, "connectionReconnect").click()
    assert shell.hub.retried == ["spot/public/1"]


async def test_retry_now(shell: Shell) -> None:
    button(await lose(shell, "BTCUSDT"), "connectionRetry").click()
    assert shell.hub.retried == ["spot/public/1"]


@pytest.mark.parametrize("phase", [Phase.WAITING, Phase.FAILED])
async def test_an_attempt_that_begins_is_not_yet_a_success(shell: Shell, phase: Phase) -> None:
    shell.open("BTCUSDT")
    shell.hub.report(connection(phase, "BTCUSDT", attempt=1))  # it was never open
    (dialog,) = dialogs(shell)
    pass_time(shell, 5)
    shell.hub.report(connection(Phase.CONNECTING, "BTCUSDT", attempt=int(phase is Phase.WAITING)))
    pass_time(shell, 5)
    assert dialogs(shell) == [dialog]
    assert dialog.windowTitle() == "Not connected"
    assert "live again" not in shell.window.status.notice
    shell.feed("BTCUSDT").become(FeedState.LIVE)
    shell.hub.report(connection(Phase.OPEN, "BTCUSDT"))
    assert shell.window.status.notice == "Binance Spot is live again after 10 s"
    pass_time(shell, 1)
    assert dialogs(shell) == []


async def test_stop_these_tabs_stops_only_those(shell: Shell) -> None:
    shell.open("usdm:BTCUSDT")
    shell.feed("usdm:BTCUSDT").become(FeedState.LIVE)
    button(await lose(shell, "BTCUSDT", "BNBBTC"), "connectionStop").click()
    await asyncio.sleep(0.05)
    states = {str(page.ref): page.state for page in shell.window.pages.all()}
    assert states == {"usdm:BTCUSDT": "live", "BTCUSDT": "stopped", "BNBBTC": "stopped"}


async def test_close_tab_closes_them_and_the_dialog(shell: Shell) -> None:
    dialog = await lose(shell, "BTCUSDT")
    shell.hub.report(dataclasses.replace(lost("BTCUSDT", attempt=5), phase=Phase.FAILED))
    button(dialog, "connectionCloseTabs").click()
    shell.hub.report(connection(Phase.CLOSED))
    assert shell.window.pages.all() == []
    assert dialogs(shell) == []


async def test_nobody_is_told_of_a_connection_that_carries_nothing(shell: Shell) -> None:
    shell.hub.report(lost())
    assert dialogs(shell) == []


async def test_two_connections_make_two_dialogs_that_do_not_cover_each_other(shell: Shell) -> None:
    await lose(shell, "BTCUSDT")
    shell.open("usdm:BTCUSDT")
    shell.hub.report(lost("usdm:BTCUSDT", key="usdm/public/1", label="Binance USD-M"))
    first, second = dialogs(shell)
    assert first.pos() != second.pos()


async def test_several_connections_back_at_once_make_one_notice(shell: Shell) -> None:
    await lose(shell, "BTCUSDT")
    shell.open("usdm:BTCUSDT")
    shell.hub.report(lost("usdm:BTCUSDT", key="usdm/public/1", label="Binance USD-M"))
    pass_time(shell, 9)
    for text in ("BTCUSDT", "usdm:BTCUSDT"):
        shell.feed(text).become(FeedState.LIVE)
    shell.hub.report(connection(Phase.OPEN, "BTCUSDT"))
    shell.hub.report(connection(Phase.OPEN, "usdm:BTCUSDT", key="usdm/public/1", label="Binance USD-M"))
    assert shell.window.status.notice == "2 connections are live again, after 9 s at most"


async def test_retry_starts_the_tabs_that_had_given_up(shell: Shell) -> None:
    for text in ("BTCUSDT", "BNBUSDT", "BNBBTC"):
        shell.open(text)
    given_up = connection(Phase.FAILED, "BTCUSDT", "BNBUSDT", attempt=5)
    shell.feed("BTCUSDT").become(FeedState.FAILED)
    shell.feed("BNBUSDT").become(FeedState.STOPPED)
    shell.feed("BNBBTC").become(FeedState.FAILED)
    shell.hub.report(given_up)
    before = {text: list(shell.feed(text).calls) for text in ("BTCUSDT", "BNBUSDT", "BNBBTC")}
    (dialog,) = shell.window.connections.dialogs()
    dialog.retry_wanted.emit(given_up.key)
    assert shell.hub.retried == [given_up.key]
    started = {text: shell.feed(text).calls[len(before[text]) :] for text in before}
    assert started == {"BTCUSDT": ["start"], "BNBUSDT": [], "BNBBTC": []}
    assert shell.window.pages.all()[0].state == "connecting"
