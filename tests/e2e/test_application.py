"""The whole application inside this process, on the real embedded exchange: driven and looked at by stable names."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import pytest
from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.app import open_app
from depthgui.exchange import Exchange
from depthgui.ui.main_window import MainWindow
from depthgui.ui.symbol_tab import SymbolTab

LIMIT_S = 20


async def until(condition: Callable[[], Any], what: str) -> None:
    """Wait for what no signal tells of: what is painted."""
    try:
        async with asyncio.timeout(LIMIT_S):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"not within {LIMIT_S} s: {what}")


# No asynchronous fixtures: between a fixture and its test Qt handles events while asyncio's loop stands still.


def arguments(exchange: Exchange, profile: Path, *symbols: str) -> list[str]:
    return ["--profile", str(profile), "--endpoint", exchange.base_url, *symbols]


@contextlib.asynccontextmanager
async def trading(profile: Path, *symbols: str) -> AsyncIterator[tuple[MainWindow, Exchange]]:
    """The application on an exchange in this process."""
    async with Exchange(seed=1) as exchange, open_app(arguments(exchange, profile, *symbols)) as window:
        yield window, exchange


def pages(window: MainWindow) -> list[SymbolTab]:
    tabs = window.findChild(QtWidgets.QTabWidget, "symbolTabs")
    assert tabs is not None
    found = [tabs.widget(index) for index in range(tabs.count())]
    return [page for page in found if isinstance(page, SymbolTab)]


def painted(page: SymbolTab) -> Any:
    ladder = page.findChild(QtWidgets.QWidget, "ladder")
    assert ladder is not None
    return ladder.painted  # type: ignore[attr-defined]


def levels_in(frame: Any) -> int:
    return sum(1 for _, bid, ask in frame.rows if bid or ask)


async def is_live_and_painted(page: SymbolTab) -> None:
    await until(lambda: page.state == "live" and painted(page).rows and not painted(page).stale, f"{page.symbol} live")


def visible(window: MainWindow, name: str) -> list[QtWidgets.QDialog]:
    return [dialog for dialog in window.findChildren(QtWidgets.QDialog, name) if dialog.isVisible()]


def grouped(levels: list[tuple[str, str]], step: Decimal, rounding: str) -> dict[Decimal, Decimal]:
    """Sums by row: bids downwards, asks upwards onto the grid."""
    sums: dict[Decimal, Decimal] = {}
    for price, size in levels:
        row = (Decimal(price) / step).to_integral_value(rounding) * step
        sums[row] = sums.get(row, Decimal(0)) + Decimal(size)
    return sums


async def test_what_is_painted_is_the_exchanges_own_book(tmp_path: Path) -> None:
    async with trading(tmp_path, "BTCUSDT", "usdm:ETHUSDT", "coinm:BTCUSD_PERP") as (window, exchange):
        for page in pages(window):
            window.findChild(QtWidgets.QTabWidget, "symbolTabs").setCurrentWidget(page)  # type: ignore[union-attr]
            await is_live_and_painted(page)
            first = painted(page).update_id
            await until(lambda page=page, first=first: painted(page).update_id > first, "the painted book moves on")
            # While the spread is wider than the view, all of its rows are rightly empty.
            await until(lambda page=page: levels_in(painted(page)) >= 2, "levels in view")
            frame = painted(page)
            truth = exchange.book_at(page.market.value, page.symbol, frame.update_id)
            bids = grouped(truth.bids, frame.step, ROUND_FLOOR)
            asks = grouped(truth.asks, frame.step, ROUND_CEILING)
            for price, bid, ask in frame.rows:
                assert bid == bids.get(price), (page.symbol, price)
                assert ask == asks.get(price), (page.symbol, price)
            assert levels_in(frame) >= 2


async def test_a_lost_connection_is_told_and_the_painted_data_resumes(tmp_path: Path) -> None:
    async with trading(tmp_path, "BTCUSDT", "ETHUSDT") as (window, exchange):
        for page in pages(window):
            await until(lambda page=page: page.state == "live", "live")
        page = pages(window)[0]
        await is_live_and_painted(page)
        exchange.faults.add_script("refuse count=2")
        exchange.disconnect("spot")
        await until(lambda: page.state == "reconnecting" and painted(page).stale, "told as reconnecting, painted stale")
        banner = page.findChild(QtWidgets.QWidget, "staleBanner")
        assert banner is not None
        await until(banner.isVisible, "the banner")
        await until(lambda: visible(window, "connectionDialog"), "the dialog")
        assert len(visible(window, "connectionDialog")) == 1, "two tabs, one connection, one dialog"
        last = painted(page).update_id
        (dialog,) = visible(window, "connectionDialog")
        await until(lambda: "BTCUSDT, ETHUSDT" in texts(dialog), "the symbols")
        retry = dialog.findChild(QtWidgets.QPushButton, "connectionRetry")
        assert retry is not None
        while page.state != "live":
            if retry.isVisible():
                retry.click()
            await asyncio.sleep(0.1)
        await until(lambda: painted(page).update_id > last and not painted(page).stale, "painted data resumes")
        await until(lambda: not visible(window, "connectionDialog"), "the dialog goes by itself")
        assert not banner.isVisible()


def texts(widget: QtWidgets.QWidget) -> list[str]:
    return [label.text() for label in widget.findChildren(QtWidgets.QLabel)]


async def test_stop_start_and_close_leave_the_others_alone(tmp_path: Path) -> None:
    async with trading(tmp_path, "BTCUSDT", "ETHUSDT") as (window, _):
        first, second = pages(window)
        await until(lambda: first.state == second.state == "live", "both live")
        first.findChild(QtWidgets.QPushButton, "stopButton").click()  # type: ignore[union-attr]
        await until(lambda: first.state == "stopped", "stopped")
        assert second.state == "live"
        book = first.feed.book  # type: ignore[union-attr]
        assert book is not None
        stopped_at = book.last_update_id
        going = second.feed.book.last_update_id  # type: ignore[union-attr]
        await until(lambda: second.feed.book.last_update_id > going, "the other goes on")  # type: ignore[union-attr]
        assert first.feed.book.last_update_id == stopped_at  # type: ignore[union-attr]
        first.findChild(QtWidgets.QPushButton, "stopButton").click()  # type: ignore[union-attr]
        await until(lambda: first.state == "live", "live again")
        action(window, "actionCloseTab").trigger()
        await asyncio.sleep(0.1)
        assert pages(window) == [second]
        assert second.state == "live"


def action(window: MainWindow, name: str) -> QtGui.QAction:
    found = window.findChild(QtGui.QAction, name)
    assert found is not None
    return found


async def test_a_tab_is_added_through_the_search(tmp_path: Path) -> None:
    async with trading(tmp_path) as (window, _):
        action(window, "actionAddSymbol").trigger()
        (dialog,) = visible(window, "addSymbolDialog")
        search = dialog.findChild(QtWidgets.QLineEdit, "symbolSearch")
        rows = dialog.findChild(QtWidgets.QTableView, "symbolList")
        assert search is not None
        assert rows is not None
        search.setText("usdm:btc")
        await until(lambda: rows.model().rowCount() > 0, "the list arrives")
        assert rows.model().index(0, 0).data() == "BTCUSDT"
        enter = QtGui.QKeyEvent(
            QtCore.QEvent.Type.KeyPress, QtCore.Qt.Key.Key_Return, QtCore.Qt.KeyboardModifier.NoModifier
        )
        QtWidgets.QApplication.sendEvent(search, enter)
        assert not visible(window, "addSymbolDialog")
        (page,) = pages(window)
        assert str(page.ref) == "usdm:BTCUSDT"
        await is_live_and_painted(page)


@pytest.mark.expected_logs("is not a symbol")
async def test_an_unknown_symbol_is_told_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with trading(tmp_path, "BTCUSTD", "BTCUSDT") as (window, _):
        wrong, right = pages(window)
        await until(lambda: wrong.state == "failed" and right.state == "live", "one failed, one live")
        assert "Did you mean one of these?" in " ".join(texts(wrong))
        suggestion = wrong.findChild(QtWidgets.QPushButton, "suggestionBTCUSDT")
        assert suggestion is not None
        suggestion.click()
        assert window.pages.current() is right
        await asyncio.sleep(0.05)
    assert "depthgui: BTCUSTD is not a symbol of Binance Spot. Did you mean BTCUSDT" in capsys.readouterr().err


async def test_tabs_come_back_at_the_next_start(tmp_path: Path) -> None:
    async with trading(tmp_path, "ETHUSDT", "usdm:BTCUSDT") as (window, _):
        first, _second = pages(window)
        await until(lambda: first.state == "live", "live")
        window.resize(1234, 777)
        first.findChild(QtWidgets.QPushButton, "stopButton").click()  # type: ignore[union-attr]
        await until(lambda: first.state == "stopped", "stopped")
    async with trading(tmp_path) as (window, _):
        assert [str(page.ref) for page in pages(window)] == ["ETHUSDT", "usdm:BTCUSDT"]
        assert window.size() == QtCore.QSize(1234, 777)
        stopped, live = pages(window)
        await until(lambda: stopped.state == "stopped" and live.state == "live", "as they were")


async def test_a_second_program_says_that_it_keeps_nothing(tmp_path: Path) -> None:
    async with (
        trading(tmp_path, "BTCUSDT") as (_, exchange),
        open_app(arguments(exchange, tmp_path, "ETHUSDT")) as second,
    ):
        assert any("Another DepthGUI uses this profile" in text for text in second.notices.texts)
        assert {page.symbol for page in pages(second)} >= {"ETHUSDT"}
    tabs = json.loads((tmp_path / "state.json").read_text())["venues"]["custom"]["tabs"]
    assert [tab["symbol"] for tab in tabs] == ["BTCUSDT"]
    assert sorted(os.listdir(tmp_path / "logs")) == ["depthgui.log"]


async def test_a_damaged_profile_is_told_and_kept(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{")
    async with trading(tmp_path) as (window, _):
        assert any("state.json could not be used" in text for text in window.notices.texts)
    assert any(name.startswith("state.json.corrupt-") for name in os.listdir(tmp_path))


async def test_the_start_goes_on_as_soon_as_the_window_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthgui.app.root._SEEN_S", 1000.0)
    async with asyncio.timeout(LIMIT_S), trading(tmp_path, "BTCUSDT") as (window, _):
        (page,) = pages(window)
        await is_live_and_painted(page)


async def test_an_endpoint_that_is_not_there(tmp_path: Path, expected_logs: Any) -> None:
    expected_logs.allow("symbol list of .*: cannot connect")  # asked for in the background; may come too late
    async with Exchange() as gone:
        address = gone.base_url
    async with open_app(["--profile", str(tmp_path), "--endpoint", address, "BTCUSDT"]) as window:
        await until(lambda: visible(window, "connectionDialog"), "the dialog")
        (dialog,) = visible(window, "connectionDialog")
        said = " ".join(texts(dialog))
        assert address in said
        await until(lambda: "refused" in " ".join(texts(dialog)), "the cause")
        assert "does not answer" in said


async def test_an_update_check_goes_through_the_proxy_of_the_settings(tmp_path: Path) -> None:
    async with Exchange() as gone:
        proxy = gone.base_url
    values = {"network.proxy": proxy, "updates.url": "https://updates.invalid/latest"}
    (tmp_path / "settings.json").write_text(json.dumps({"version": 1, "values": values}))
    async with trading(tmp_path) as (window, _):
        window.actions_by_name["actionUpdates"].trigger()
        (dialog,) = visible(window, "updateDialog")
        where = proxy.removeprefix("http://")
        await until(lambda: f"the proxy {where}: connection refused" in " ".join(texts(dialog)), "the proxy's name")


@pytest.mark.expected_logs("unexpected error")
async def test_an_unexpected_error_is_told_once_and_ends_nothing(tmp_path: Path) -> None:
    async with trading(tmp_path, "BTCUSDT") as (window, _):

        def fail() -> None:
            raise RuntimeError("a fault of ours")

        for _ in range(3):
            QtCore.QTimer.singleShot(0, fail)
            asyncio.get_running_loop().call_soon(fail)
        await until(lambda: window.notices.texts, "the notice")
        await asyncio.sleep(0.1)
        assert len(window.notices.texts) == 1
        assert "RuntimeError: a fault of ours" in window.notices.texts[0]
        await until(lambda: pages(window)[0].state == "live", "it goes on")
    assert "a fault of ours" in (tmp_path / "logs" / "depthgui.log").read_text()


async def test_opening_and_closing_many_times_leaves_nothing_behind(tmp_path: Path) -> None:
    for _ in range(3):
        async with trading(tmp_path, "BTCUSDT") as (window, _):
            await until(lambda window=window: pages(window)[0].state == "live", "live")
    # The fixtures of this suite fail the test for a task, a timer or a window that is left.
