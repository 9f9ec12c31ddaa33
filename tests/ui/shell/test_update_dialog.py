"""Help > Check for updates…, on real sockets: every outcome is a sentence, and nothing happens by itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from PySide6 import QtGui, QtWidgets
from ui.shell.conftest import Shell, end_shell, make_shell

from depthgui.settings import SettingError, schema
from depthgui.ui.dialogs.updates import UpdateDialog

LIMIT_S = 10
NEWER = {"version": "1.3.0", "page": "https://depthgui.invalid/1.3"}


class Releases:
    """What the address answers, and how often it was asked. `gate` holds the answer back."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked = 0
        self.was_asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        self.asked += 1
        self.was_asked.set()
        await self.gate.wait()
        if isinstance(self.answer, int):
            return web.Response(status=self.answer)
        if isinstance(self.answer, str):
            return web.Response(text=self.answer)
        return web.json_response(self.answer)


@contextlib.asynccontextmanager
async def releases(answer: object) -> AsyncIterator[Releases]:
    made = Releases(answer)
    app = web.Application()
    app.router.add_get("/latest", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/latest"
    try:
        yield made
    finally:
        made.gate.set()
        await runner.cleanup()


def check(shell: Shell, url: str) -> UpdateDialog:
    """Choose the menu's command, with that address in the settings."""
    shell.profile.settings.set(schema.UPDATES_URL, url)
    shell.window.actions_by_name["actionUpdates"].trigger()
    dialog = shell.dialog("updateDialog")
    assert isinstance(dialog, UpdateDialog)
    return dialog


async def answered(dialog: UpdateDialog) -> None:
    async with asyncio.timeout(LIMIT_S):
        while dialog.is_checking:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def said(dialog: UpdateDialog) -> str:
    labels = dialog.findChildren(QtWidgets.QLabel)
    return " | ".join(label.text().replace("\u200b", "") for label in labels)


def button(dialog: QtWidgets.QDialog, name: str) -> QtWidgets.QPushButton:
    found = dialog.findChild(QtWidgets.QPushButton, name)
    assert found is not None
    return found


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that were handed to the desktop."""
    urls: list[str] = []
    monkeypatch.setattr(QtGui.QDesktopServices, "openUrl", lambda url: urls.append(url.toString()))
    return urls


async def test_a_newer_version_is_told_and_its_page_opened_on_a_click_only(shell: Shell, opened: list[str]) -> None:
    async with releases(NEWER) as there:
        dialog = check(shell, there.url)
        assert "Checking" in said(dialog)
        assert not dialog.isModal()
        assert not button(dialog, "updateCheck").isEnabled()
        await answered(dialog)
    assert "Version 1.3.0 is available; this is 1.2.0." in said(dialog)
    assert "https://depthgui.invalid/1.3" in said(dialog)
    assert opened == []
    assert button(dialog, "updatePage").isVisible()
    button(dialog, "updatePage").click()
    assert opened == ["https://depthgui.invalid/1.3"]
    assert there.asked == 1


async def test_a_newer_version_without_a_page_has_nothing_to_open(shell: Shell) -> None:
    async with releases({"tag_name": "v1.3.0"}) as there:
        dialog = check(shell, there.url)
        await answered(dialog)
    assert "Version 1.3.0 is available" in said(dialog)
    assert not button(dialog, "updatePage").isVisible()


@pytest.mark.parametrize("version", ["1.2.0", "1.1"])
async def test_the_same_or_an_older_version_is_no_news(shell: Shell, version: str) -> None:
    async with releases({"version": version, "page": NEWER["page"]}) as there:
        dialog = check(shell, there.url)
        await answered(dialog)
    assert "This is the newest version (1.2.0)." in said(dialog)
    assert not button(dialog, "updatePage").isVisible()


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ("<html>", "does not tell a version"),
        (404, "answered with HTTP 404"),
        ({"version": "9", "page": "file:///etc/passwd"}, "names a page that is not on https"),
    ],
)
async def test_a_broken_answer_is_told_with_cause_and_remedy(
    shell: Shell, opened: list[str], answer: object, cause: str
) -> None:
    async with releases(answer) as there:
        dialog = check(shell, there.url)
        await answered(dialog)
        assert cause in said(dialog)
        assert "The address in the settings may be wrong" in said(dialog)
        assert not button(dialog, "updatePage").isVisible()
        there.answer = NEWER
        button(dialog, "updateCheck").click()
        await answered(dialog)
    assert "1.3.0 is available" in said(dialog)
    assert opened == []


async def test_an_address_that_nobody_listens_on(shell: Shell) -> None:
    async with releases(NEWER) as gone:
        pass
    dialog = check(shell, gone.url)
    await answered(dialog)
    assert "connection refused" in said(dialog)
    assert "Check the network, and the proxy and the address in the settings" in said(dialog)


async def test_without_an_address_it_is_off_and_says_how_to_turn_it_on(shell: Shell) -> None:
    async with releases(NEWER) as there:
        dialog = check(shell, "")
        assert "off" in said(dialog)
        button(dialog, "updateSettings").click()
        settings = shell.dialog("settingsDialog")
        assert settings is not None
        field = settings.findChild(QtWidgets.QLineEdit, "setting-updates.url")
        assert field is not None
        assert field.isVisible()
        assert settings.focusWidget() is field
        field.setText(there.url)
        field.editingFinished.emit()
        assert there.asked == 0, "asked by itself"
        button(dialog, "updateCheck").click()
        await answered(dialog)
    assert "1.3.0 is available" in said(dialog)


async def test_asking_again_while_an_answer_is_awaited_asks_once(shell: Shell) -> None:
    async with releases(NEWER) as there:
        there.gate.clear()
        dialog = check(shell, there.url)
        assert check(shell, there.url) is dialog
        await asyncio.wait_for(there.was_asked.wait(), LIMIT_S)
        there.gate.set()
        await answered(dialog)
    assert there.asked == 1


async def test_a_dialog_closed_while_an_answer_is_awaited(shell: Shell) -> None:
    async with releases(NEWER) as there:
        there.gate.clear()
        dialog = check(shell, there.url)
        await asyncio.wait_for(there.was_asked.wait(), LIMIT_S)
        button(dialog, "updateClose").click()
        there.gate.set()
        # The next one is new, and gets its own answer; the old answer finds nobody.
        again = check(shell, there.url)
        await answered(again)
        assert "1.3.0 is available" in said(again)


async def test_the_window_closed_while_an_answer_is_awaited(qapp: QtWidgets.QApplication, tmp_path: Path) -> None:
    reported: list[BaseException] = []
    shell, services = make_shell(qapp, tmp_path, reported)
    async with releases(NEWER) as there:
        there.gate.clear()
        shell.window.show()
        check(shell, there.url)
        await asyncio.wait_for(there.was_asked.wait(), LIMIT_S)
        shell.window.close()
        async with asyncio.timeout(LIMIT_S):
            await services.tasks.aclose()
        await end_shell(shell, services)
    assert reported == []


async def test_nothing_is_asked_without_the_command(shell: Shell) -> None:
    async with releases(NEWER) as there:
        shell.profile.settings.set(schema.UPDATES_URL, there.url)
        shell.open("BTCUSDT")
        await asyncio.sleep(0.05)
    assert there.asked == 0


@pytest.mark.parametrize(
    "text", ["depthgui.invalid/latest", "ftp://depthgui.invalid", "https://", "https:// a", "http:///x"]
)
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="is no address"):
        schema.UPDATES_URL.check(text)


def test_web_addresses_are_taken() -> None:
    for text in ("", "http://127.0.0.1:8900", "https://depthgui.invalid/latest.json?channel=final"):
        assert schema.UPDATES_URL.check(text) == text


def test_it_is_off_by_default() -> None:
    assert schema.UPDATES_URL.default == ""


async def test_long_addresses_can_be_broken(shell: Shell) -> None:
    url = "https://depthgui.invalid/" + "a" * 90 + "/latest"
    shell.window.dialogs.updates()
    dialog = shell.dialog("updateDialog")
    assert isinstance(dialog, UpdateDialog)
    look: Callable[[], int] = lambda: dialog.sizeHint().width()  # noqa: E731
    before = look()
    dialog.show_checking(url)
    assert look() == before
    assert url in said(dialog)
