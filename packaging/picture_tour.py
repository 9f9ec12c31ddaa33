"""Takes one of the project's pictures: the real window on the real embedded exchange, driven by its stable names.

``python packaging/picture_tour.py NAME FILE`` in the project's environment; ``dev.py screenshots`` takes them all.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.app.event_loop import EventLoop
from depthgui.app.root import open_application
from depthgui.cli import parse
from depthgui.exchange import Exchange, Replay
from depthgui.settings import Profile, profile_paths
from depthgui.settings.schema import THEME
from depthgui.ui.main_window import MainWindow
from depthgui.ui.picture import grab_window, save_picture
from depthgui.ui.symbol_tab import SymbolTab

LIMIT_S = 60
DESK = ("BTCUSDT", "usdm:ETHUSDT", "BNBBTC", "coinm:BTCUSD_PERP")
MANY = (
    *("BTCUSDT", "ETHUSDT", "BNBUSDT", "BNBBTC", "SOLUSDT", "XRPUSDT", "DOGEUSDT", "ETHBTC", "SHIBUSDT"),
    *("usdm:BTCUSDT", "usdm:ETHUSDT", "usdm:SOLUSDT", "coinm:BTCUSD_PERP", "coinm:ETHUSD_PERP"),
    "options:BTC-261225-100000-C",
)

Step = Callable[[MainWindow, Exchange], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: what is open, how the window looks, and what is done before it is taken."""

    symbols: tuple[str, ...] = DESK
    theme: str = "dark"
    size: tuple[int, int] = (1440, 900)
    steps: tuple[Step, ...] = field(default=())
    copies: int = 0
    is_wide_spread: bool = False


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait for what is shown; no signal tells of it."""
    try:
        async with asyncio.timeout(LIMIT_S):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise SystemExit(f"not within {LIMIT_S} s: {what}") from None


def pages(window: MainWindow) -> list[SymbolTab]:
    """The symbol pages, in the order of their tabs."""
    tabs = window.findChild(QtWidgets.QTabWidget, "symbolTabs")
    assert tabs is not None
    widgets = [tabs.widget(index) for index in range(tabs.count())]
    return [widget for widget in widgets if isinstance(widget, SymbolTab)]


def trigger(window: MainWindow, name: str) -> None:
    """Do what a menu entry does."""
    action = window.findChild(QtGui.QAction, name)
    assert action is not None, name
    action.trigger()


def shown_dialog(window: MainWindow, name: str) -> QtWidgets.QDialog | None:
    """A dialog that is visible now."""
    return next((dialog for dialog in window.findChildren(QtWidgets.QDialog, name) if dialog.isVisible()), None)


async def trade_a_while(window: MainWindow, exchange: Exchange) -> None:
    """Let the tape and the ladder fill."""
    await asyncio.sleep(5)


async def watch_a_while(window: MainWindow, exchange: Exchange) -> None:
    """Let the heatmap fill as well."""
    await asyncio.sleep(40)


async def lose_spot(window: MainWindow, exchange: Exchange) -> None:
    """Lose the spot connection for longer than the picture takes."""
    exchange.faults.add_script("refuse market=spot count=0 how=reset")
    exchange.disconnect("spot")
    first = pages(window)[0]
    await until(lambda: first.state == "reconnecting", "reconnecting")
    await until(lambda: shown_dialog(window, "connectionDialog"), "the dialog")
    await asyncio.sleep(3.5)


async def hide_dialogs(window: MainWindow, exchange: Exchange) -> None:
    """Put the connection dialog away, as its Hide button does."""
    dialog = shown_dialog(window, "connectionDialog")
    assert dialog is not None
    dialog.hide()


async def give_up(window: MainWindow, exchange: Exchange) -> None:
    """Use up the five attempts."""
    while pages(window)[0].state != "failed":
        dialog = shown_dialog(window, "connectionDialog")
        retry = None if dialog is None else dialog.findChild(QtWidgets.QPushButton, "connectionRetry")
        if retry is not None and retry.isVisible():
            retry.click()
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)


async def search(window: MainWindow, exchange: Exchange) -> None:
    """Type into the search for symbols."""
    trigger(window, "actionAddSymbol")
    await until(lambda: shown_dialog(window, "addSymbolDialog"), "the search")
    dialog = shown_dialog(window, "addSymbolDialog")
    assert dialog is not None
    box = dialog.findChild(QtWidgets.QLineEdit, "symbolSearch")
    assert box is not None
    await asyncio.sleep(1)
    box.setText("bnb")
    await asyncio.sleep(0.5)


async def settings(window: MainWindow, exchange: Exchange) -> None:
    """Open the settings, at the page with the most of them."""
    trigger(window, "actionSettings")
    await asyncio.sleep(0.5)
    for groups in window.findChildren(QtWidgets.QListWidget):
        for entry in groups.findItems("Ladder", QtCore.Qt.MatchFlag.MatchContains):
            groups.setCurrentItem(entry)
    await asyncio.sleep(0.5)


async def compact(window: MainWindow, exchange: Exchange) -> None:
    """Only the ladder."""
    trigger(window, "actionCompact")
    await asyncio.sleep(1)


PICTURES: dict[str, Picture] = {
    "main-dark": Picture(steps=(watch_a_while,)),
    "main-light": Picture(theme="light", steps=(watch_a_while,)),
    "main-colour-blind": Picture(theme="colour-blind-dark", steps=(watch_a_while,)),
    "main-1024": Picture(size=(1024, 640), steps=(watch_a_while,)),
    "main-200-percent": Picture(size=(1440, 900), steps=(watch_a_while,)),
    "wide-spread": Picture(symbols=("BTCUSDT",), is_wide_spread=True, steps=(watch_a_while,)),
    "stale": Picture(steps=(watch_a_while, lose_spot, hide_dialogs)),
    "reconnecting": Picture(steps=(watch_a_while, lose_spot)),
    "unable-to-connect": Picture(steps=(trade_a_while, lose_spot, give_up)),
    "add-symbol": Picture(steps=(search,)),
    "settings": Picture(steps=(settings,)),
    "compact": Picture(steps=(trade_a_while, compact)),
    "thirty-tabs": Picture(symbols=MANY, copies=15, steps=(trade_a_while,)),
    "welcome": Picture(symbols=()),
}


def wide_recording(folder: Path) -> Replay:
    """Write a short recording of a market with hardly anybody in it."""
    bids = [[f"{67400 - 2.5 * step:.8f}", f"{0.4 + step % 7:.8f}"] for step in range(1, 200)]
    asks = [[f"{67440 + 2.5 * step:.8f}", f"{0.3 + step % 5:.8f}"] for step in range(1, 200)]
    start_ns = 1_700_000_000_000_000_000
    path = folder / "spot_BTCUSDT_wide.ndjson.gz"
    with gzip.open(path, "wt") as lines:
        lines.write(f"{start_ns} {json.dumps({'lastUpdateId': 100, 'bids': bids, 'asks': asks})}\n")
        for number in range(1, 2000):
            level = [bids[number % 20][0], f"{0.5 + number % 9:.8f}"]
            event = {"e": "depthUpdate", "E": 1_700_000_000_000 + 100 * number, "s": "BTCUSDT"}
            event |= {"U": 100 + number, "u": 100 + number, "b": [level], "a": []}
            frame = {"stream": "btcusdt@depth@100ms", "data": event}
            lines.write(f"{start_ns + 100_000_000 * number} {json.dumps(frame)}\n")
    return Replay(path, loop=True, hold=True, now=True)


async def take(picture: Picture, target: Path) -> None:
    """Open the application, do the steps, save what the window shows."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Profile(profile_paths(Path(folder) / "profile"))
        profile.paths.make()
        profile.settings.set(THEME, picture.theme)
        profile.save_settings()
        replays = [wide_recording(Path(folder))] if picture.is_wide_spread else []
        async with Exchange(seed=11, replays=replays, history=2000) as exchange:
            arguments = ["--profile", str(profile.paths.settings_file.parent), "--endpoint", exchange.base_url]
            async with open_application(parse([*arguments, *picture.symbols])) as application:
                window = application.window
                window.resize(*picture.size)
                await until(lambda: all(page.state == "live" for page in pages(window)), "all tabs live")
                for number in range(picture.copies):
                    window.duplicate(pages(window)[number])
                for step in picture.steps:
                    await step(window, exchange)
                await asyncio.sleep(0.5)
                save_picture(grab_window(window, application.theme), target)


if __name__ == "__main__":
    name, file = sys.argv[1:]
    app = QtWidgets.QApplication([])
    with asyncio.Runner(loop_factory=lambda: EventLoop(app)) as runner:
        runner.run(take(PICTURES[name], Path(file)))
