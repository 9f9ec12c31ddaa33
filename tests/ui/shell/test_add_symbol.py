"""The add-symbol dialog: typed into, filtered, without a mouse, without a network."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from PySide6 import QtCore, QtTest, QtWidgets
from ui.shell.conftest import Shell, end_shell, make_shell
from ui.shell.fakes import info

from depthgui.binance.endpoints import Market
from depthgui.book.errors import ConnectFailedError
from depthgui.ui.dialogs.add_symbol import AddSymbolDialog
from depthgui.ui.dialogs.symbol_table import MATCH_ROLE, TONE_ROLE

Key = QtCore.Qt.Key


class Search:
    """The dialog, driven by its stable names."""

    def __init__(self, shell: Shell) -> None:
        shell.window.dialogs.add_symbol()
        dialog = shell.dialog("addSymbolDialog")
        assert isinstance(dialog, AddSymbolDialog)
        self.dialog = dialog
        field = dialog.findChild(QtWidgets.QLineEdit, "symbolSearch")
        rows = dialog.findChild(QtWidgets.QTableView, "symbolList")
        message = dialog.findChild(QtWidgets.QLabel, "symbolMessage")
        assert field is not None
        assert rows is not None
        assert message is not None
        self.field, self.rows, self.message = field, rows, message

    def type(self, text: str) -> None:
        self.field.clear()
        QtTest.QTest.keyClicks(self.field, text)

    def press(self, key: Key, modifier: QtCore.Qt.KeyboardModifier = QtCore.Qt.KeyboardModifier.NoModifier) -> None:
        QtTest.QTest.keyClick(self.field, key, modifier)

    def shown(self) -> list[tuple[str, str]]:
        model = self.rows.model()
        return [(model.index(row, 0).data(), model.index(row, 1).data()) for row in range(model.rowCount())]

    def button(self, name: str) -> QtWidgets.QPushButton:
        found = self.dialog.findChild(QtWidgets.QPushButton, name)
        assert found is not None
        return found


def tabs(shell: Shell) -> list[str]:
    return [str(page.ref) for page in shell.window.pages.all()]


async def test_typing_finds_at_once_and_enter_opens(shell: Shell) -> None:
    search = Search(shell)
    search.type("bnb")
    assert search.shown() == [
        ("BNBUSDT", "Spot"),
        ("BNBUSDT", "USD-M perpetual"),
        ("BNB-261225-700-C", "Option"),
        ("BNBUSD_PERP", "COIN-M perpetual"),
        ("BNBBTC", "Spot"),
        ("OLDBNB", "Spot"),
    ]
    search.press(Key.Key_Down)
    search.press(Key.Key_Return)
    assert tabs(shell) == ["usdm:BNBUSDT"]
    assert shell.dialog("addSymbolDialog") is None


async def test_the_typed_beginning_is_bold_and_halted_symbols_are_marked(shell: Shell) -> None:
    search = Search(shell)
    search.type("bnb")
    model = search.rows.model()
    assert model.index(0, 0).data(MATCH_ROLE) == 3
    assert model.index(5, 0).data(MATCH_ROLE) == 0
    assert model.index(5, 3).data() == "break"
    assert model.index(5, 3).data(TONE_ROLE) == "amber"
    assert model.index(4, 2).data() == "tick 0.000001"


async def test_what_is_open_is_marked(shell: Shell) -> None:
    shell.open("BNBUSDT")
    search = Search(shell)
    search.type("bnbusdt")
    assert [search.rows.model().index(row, 3).data() for row in range(2)] == ["open in a tab", "trading"]


async def test_the_market_buttons_filter_by_click_and_by_key(shell: Shell) -> None:
    search = Search(shell)
    search.type("btc")
    search.button("filterUsdm").click()
    assert search.shown() == [("BTCUSDT", "USD-M perpetual")]
    search.button("filterAll").click()
    assert ("BTCUSDT", "Spot") in search.shown()
    assert search.button("filterCoinm").shortcut().toString() == "Alt+4"


async def test_control_enter_opens_and_stays(shell: Shell) -> None:
    search = Search(shell)
    search.type("btcusdt")
    search.press(Key.Key_Return, QtCore.Qt.KeyboardModifier.ControlModifier)
    assert tabs(shell) == ["BTCUSDT"]
    assert search.dialog.isVisible()
    assert search.rows.model().index(0, 3).data() == "open in a tab"


async def test_escape_opens_nothing(shell: Shell) -> None:
    search = Search(shell)
    search.type("btc")
    search.press(Key.Key_Escape)
    assert tabs(shell) == []
    assert shell.dialog("addSymbolDialog") is None


async def test_favourites_and_recents_come_first(shell: Shell) -> None:
    shell.open("SHIBUSDT")
    search = Search(shell)
    search.type("btczar")
    search.press(Key.Key_B, QtCore.Qt.KeyboardModifier.ControlModifier)
    search.field.clear()
    assert search.shown()[:2] == [("BTCZAR", "Spot"), ("SHIBUSDT", "Spot")]
    assert shell.profile.state.symbols_of("production").favourites == ["BTCZAR"]


async def test_an_unknown_text_says_so_and_offers_near_matches(shell: Shell) -> None:
    search = Search(shell)
    search.type("BTCUSTD")
    assert search.message.text() == "BTCUSTD is not a symbol of this venue. Did you mean one of these?"
    assert search.shown()[0] == ("BTCUSDT", "Spot")
    search.type("QQQQQ")
    assert search.shown() == []
    assert "QQQQQ is not a symbol of this venue." in search.message.text()
    assert not search.button("symbolOpen").isEnabled()
    search.press(Key.Key_Return)
    assert tabs(shell) == []


async def test_ten_thousand_rows_are_shown_while_typing(shell: Shell) -> None:
    shell.hub.lists[Market.SPOT] = [info(f"B{n:05}USDT", f"B{n:05}", "USDT") for n in range(10_000)]
    shell.window.detach()
    await shell.attach()
    await asyncio.sleep(0.3)
    search = Search(shell)
    for text in ("b", "b0", "b09", "b0999", "b09999"):
        search.type(text)
    assert search.shown() == [("B09999USDT", "Spot")]


@pytest.mark.expected_logs("symbol list of")
async def test_without_a_network_the_kept_list_is_shown_with_its_age(
    qapp: QtWidgets.QApplication, tmp_path: Path
) -> None:
    shell, services = make_shell(qapp, tmp_path, [])
    await shell.attach()
    await services.tasks.settle()
    await end_shell(shell, services)

    again, services = make_shell(qapp, tmp_path, [])
    again.time.now_s += 7200
    for market in Market:
        again.hub.lists[market] = ConnectFailedError("https://api.binance.com", "no route")
    again.window.show()
    await again.attach()
    await services.tasks.settle()
    search = Search(again)
    await services.tasks.settle()
    search.type("shib")
    assert search.shown() == [("SHIBUSDT", "Spot")]
    assert search.rows.model().index(0, 2).data() == "tick 0.00000001"
    assert "Spot: list of 2 h ago" in search.message.text()
    asked = len(again.hub.asked)
    search.button("symbolReload").click()
    await services.tasks.settle()
    assert len(again.hub.asked) == asked + len(Market)
    search.dialog.close()
    await end_shell(again, services)


@pytest.mark.expected_logs("symbol list of")
async def test_without_any_list_what_is_typed_can_be_opened(qapp: QtWidgets.QApplication, tmp_path: Path) -> None:
    shell, services = make_shell(qapp, tmp_path, [])
    for market in Market:
        shell.hub.lists[market] = ConnectFailedError("https://api.binance.com", "no route")
    await shell.attach()
    shell.window.show()
    await services.tasks.settle()
    search = Search(shell)
    await services.tasks.settle()
    search.type("usdm:solusdt")
    assert "cannot connect to https://api.binance.com: no route" in search.message.text()
    search.press(Key.Key_Return)
    assert tabs(shell) == ["usdm:SOLUSDT"]
    await end_shell(shell, services)
