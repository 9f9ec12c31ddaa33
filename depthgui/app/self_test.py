"""The self-test: the real program on the embedded exchange, checked step by step, for a machine nobody sits at."""

from __future__ import annotations

import asyncio
import dataclasses
import platform
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import certifi

from depthgui._version import __version__
from depthgui.app import root
from depthgui.cli import Arguments
from depthgui.ui.icons import state_icon
from depthgui.ui.main_window import MainWindow
from depthgui.ui.qt import QtCore, QtGui
from depthgui.ui.resources import resource
from depthgui.ui.symbol_tab import SymbolTab
from depthgui.ui.theme import Theme

_SYMBOLS = ("BTCUSDT", "usdm:ETHUSDT")
_STEP_S = 30.0
_WHOLE_S = 120.0
_LOOK_S = 0.05


class CheckFailedError(Exception):
    """A check did not find what it looked for; the text says what it found."""


@dataclass(slots=True)
class Report:
    """One line a check, on standard output and in a file (a program without a console has no output)."""

    path: Path | None
    lines: list[str] = field(default_factory=list)
    has_failed: bool = False

    def say(self, line: str) -> None:
        """Write a line at once: what comes after may end the process."""
        self.lines.append(line)
        if sys.stdout is not None:
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        if self.path is not None:
            self.path.write_text("\n".join(self.lines) + "\n", encoding="utf-8")

    async def check(self, name: str, look: Callable[[], Awaitable[str]]) -> bool:
        """Run one check and say how it went; True if it passed."""
        try:
            found = await asyncio.wait_for(look(), _STEP_S)
        except TimeoutError:
            found, is_good = f"not within {_STEP_S:.0f} s", False
        except (CheckFailedError, OSError) as error:
            found, is_good = str(error), False
        else:
            is_good = True
        self.has_failed = self.has_failed or not is_good
        self.say(f"{'ok  ' if is_good else 'FAIL'} {name}: {found}")
        return is_good


async def run_self_test(arguments: Arguments) -> int:
    """Run every check; returns 0 if all passed, else 1."""
    report = Report(arguments.report)
    report.say(
        f"depthgui {__version__}, Python {platform.python_version()}, Qt {QtCore.qVersion()} "
        f"on {QtGui.QGuiApplication.platformName()}, {platform.platform()}"
    )
    try:
        await asyncio.wait_for(_run(report, arguments), _WHOLE_S)
    except TimeoutError:
        report.has_failed = True
        report.say(f"FAIL the whole: not within {_WHOLE_S:.0f} s")
    report.say("FAILED" if report.has_failed else "all checks passed")
    return 1 if report.has_failed else 0


async def _run(report: Report, arguments: Arguments) -> None:
    with tempfile.TemporaryDirectory(prefix="depthgui-self-test-") as folder:
        chosen = dataclasses.replace(
            arguments, demo=True, endpoint=None, venue=None, symbols=_SYMBOLS, profile=Path(folder)
        )
        await report.check("certificates", _certificates)
        async with root.open_application(chosen) as application:
            window, theme = application.window, application.theme
            await report.check("fonts", lambda: _fonts(theme))
            await report.check("resources", lambda: _resources(theme))
            exchange = application.exchange
            if exchange is None:
                report.has_failed = True
                report.say("FAIL embedded exchange: it did not start")
                return
            report.say(f"ok   embedded exchange: {exchange.base_url}")
            pages = window.pages.all()
            for page in pages:
                await report.check(f"{page.ref} live", partial(_live, window, page))
            await report.check("disconnect seen", lambda: _disconnect(exchange.disconnect, pages))
            for page in pages:
                await report.check(f"{page.ref} painted again", partial(_live, window, page))
        await report.check("state kept", lambda: _state_kept(Path(folder)))


async def _certificates() -> str:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    count = context.cert_store_stats()["x509_ca"]
    if count < 20:
        raise CheckFailedError(f"only {count} authorities")
    return f"{count} authorities"


async def _fonts(theme: Theme) -> str:
    pictures = [_rendered(letter, theme.typeface.font(24)) for letter in "AW"]
    if pictures[0] == pictures[1]:
        raise CheckFailedError("“A” and “W” look the same: no usable font is installed")
    return f"{theme.typeface.family} from {theme.typeface.source}"


def _rendered(letter: str, font: QtGui.QFont) -> QtGui.QImage:
    image = QtGui.QImage(48, 48, QtGui.QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QtGui.QPainter(image)
    painter.setFont(font)
    painter.setPen(QtGui.QColor("white"))
    painter.drawText(image.rect(), QtCore.Qt.AlignmentFlag.AlignCenter, letter)
    painter.end()
    return image


async def _resources(theme: Theme) -> str:
    sheet = resource("theme.qss")
    pixmap = state_icon("live", theme.palette).pixmap(16, 16)
    image = pixmap.toImage()
    is_drawn = any(image.pixelColor(x, y).alpha() for x in range(image.width()) for y in range(image.height()))
    if not is_drawn:
        raise CheckFailedError("icons are not drawn: is Qt's SVG plug-in there?")
    return f"style sheet of {sheet.stat().st_size} bytes, icons drawn"


async def _live(window: MainWindow, page: SymbolTab) -> str:
    """The page is live, and what the ladder has painted is that live book and moves on."""
    window.pages.show(page)
    first: int | None = None
    async for _ in _looks():
        painted = page.panels.ladder.painted
        if page.state != "live" or painted.stale or not painted.rows:
            continue
        first = painted.update_id if first is None else first
        if painted.update_id > first:
            return f"update {painted.update_id}, {len(painted.rows)} rows painted"
    raise CheckFailedError("the window has gone")


async def _looks() -> AsyncIterator[None]:
    """Look again and again: what has been painted makes no signal."""
    while True:
        yield
        await asyncio.sleep(_LOOK_S)


async def _disconnect(make: Callable[[], None], pages: list[SymbolTab]) -> str:
    seen = {page.ref: {page.state} for page in pages}
    for page in pages:
        page.state_changed.connect(lambda changed: seen[changed.ref].add(changed.state))
    make()
    async for _ in _looks():
        if all(states - {"live"} for states in seen.values()):
            break
    return ", ".join(f"{ref} {'/'.join(sorted(states - {'live'}))}" for ref, states in seen.items())


async def _state_kept(folder: Path) -> str:
    path = folder / "state.json"
    if not path.is_file():
        raise CheckFailedError("no state file was written")
    return f"{path.stat().st_size} bytes"
