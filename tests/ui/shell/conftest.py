"""A main window on a fake hub, with clocks that go when they are told to."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6 import QtWidgets
from ui.shell.fakes import FakeHub, ShellFeed, Time, some_lists

from depthgui.binance.endpoints import Market, parse_symbol_ref
from depthgui.settings import Profile, profile_paths
from depthgui.transport.proxy import ProxyChoice
from depthgui.transport.rest import RestClient
from depthgui.transport.updates import UpdateCheck, check_for_update
from depthgui.ui.fonts import load_typeface
from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.main_window import MainWindow, Services
from depthgui.ui.palettes import DARK, Scheme
from depthgui.ui.symbol_tab import SymbolTab
from depthgui.ui.tasks import Tasks
from depthgui.ui.theme import Theme, ThemeManager
from depthgui.ui.venues import ConnectedVenue, venue_choice


@pytest.fixture
def theme(qapp: QtWidgets.QApplication) -> Theme:
    return Theme(DARK, load_typeface())


class Switch:
    """Notes which environments were asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def switch(self, key: str, endpoint: str = "") -> None:
        self.asked.append((key, endpoint))

    async def try_proxy(self, proxy: str) -> str:
        return f"{proxy} works."

    async def check_update(self, url: str) -> UpdateCheck:
        async with RestClient(proxy=ProxyChoice("")) as client:
            return await check_for_update(url, "1.2.0", client)


@dataclass
class Shell:
    """The window and everything it was given."""

    window: MainWindow
    hub: FakeHub
    time: Time
    profile: Profile
    switch: Switch
    reported: list[BaseException]

    def open(self, text: str) -> SymbolTab:
        """Open a tab; its feed connects."""
        return self.window.open_symbol(parse_symbol_ref(text))

    def feed(self, text: str) -> ShellFeed:
        return self.hub[text]

    async def attach(self) -> None:
        """Give the window its venue and the tabs it had there."""
        self.window.attach(
            ConnectedVenue(
                "production", venue_choice("production"), "Binance", tuple(Market), self.hub, self.hub.feed, lambda: 0.0
            )
        )
        await self.window.restore_session()

    def dialog(self, name: str) -> QtWidgets.QDialog | None:
        """The visible dialog of that name."""
        found = [each for each in self.window.findChildren(QtWidgets.QDialog, name) if each.isVisible()]
        assert len(found) < 2
        return found[0] if found else None


def make_shell(qapp: QtWidgets.QApplication, folder: Path, reported: list[BaseException]) -> tuple[Shell, Services]:
    qapp.setQuitOnLastWindowClosed(False)  # as the application has it: a test may close its window before it ends
    paths = profile_paths(folder)
    paths.make()
    profile = Profile(paths)
    profile.load(datetime.datetime.now(tz=datetime.UTC))
    time, hub, switch = Time(), FakeHub(), Switch()
    hub.lists = some_lists()
    services = Services(
        ThemeManager(qapp, Scheme.DARK),
        profile,
        FrameClock(now=time.monotonic),
        Tasks(reported.append),
        switch,
        time.monotonic,
        time.wall_s,
    )
    return Shell(MainWindow(services), hub, time, profile, switch, reported), services


async def end_shell(shell: Shell, services: Services) -> None:
    """Take the window apart as the composition root does."""
    shell.window.shut_down()
    await services.tasks.settle()
    await services.tasks.aclose()
    services.clock.stop()
    shell.window.close()
    shell.window.deleteLater()
    services.themes.deleteLater()


@pytest.fixture
async def shell(qapp: QtWidgets.QApplication, tmp_path: Path) -> AsyncIterator[Shell]:
    """A shown window on a fake venue; an error that a task ends with fails the test."""
    made, services = make_shell(qapp, tmp_path / "profile", [])
    await made.attach()
    made.window.show()
    # Between a fixture and its test Qt runs without asyncio's loop: nothing may be under way.
    await services.tasks.settle()
    yield made
    await end_shell(made, services)
    assert made.reported == []
