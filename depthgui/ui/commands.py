"""What the main window's commands do; one method per action of `actions.ACTIONS`, called by it and by nothing else."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.picture import save_picture

if TYPE_CHECKING:
    from depthgui.ui.main_window import MainWindow
    from depthgui.ui.symbol_tab import SymbolTab


class Commands:
    """The commands of one window, on its current page where they need one."""

    def __init__(self, window: MainWindow) -> None:
        """Act on `window`."""
        self._window = window

    def _on_page(self, act: Callable[[SymbolTab], None]) -> None:
        page = self._window.pages.current()
        if page is not None:
            act(page)

    def add_symbol(self) -> None:
        """Open the search."""
        self._window.dialogs.add_symbol()

    def reopen_tab(self) -> None:
        """Open the tab that was closed last."""
        self._window.pages.reopen()

    def close_tab(self) -> None:
        """Close the current tab."""
        self._on_page(self._window.pages.close)

    def save_picture(self) -> None:
        """Ask for a file name, then save a picture of the tab."""
        page = self._window.pages.current()
        if page is None:
            return
        picture = page.grab()
        stamp = f"{datetime.datetime.now().astimezone():%Y%m%d-%H%M%S}"
        dialog = QtWidgets.QFileDialog(
            self._window, "Save picture", f"{page.symbol}-{stamp}.png", "Pictures (*.png *.jpg)"
        )
        dialog.setObjectName("pictureDialog")
        dialog.setAcceptMode(QtWidgets.QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("png")
        dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self._save_to(picture, Path(name)))
        dialog.open()

    def _save_to(self, picture: QtGui.QPixmap, path: Path) -> None:
        try:
            save_picture(picture, path)
        except OSError as error:
            self._window.notices.add(str(error))
        else:
            self._window.notify(f"Picture saved as {path}")

    def settings(self) -> None:
        """Open the settings."""
        self._window.dialogs.settings()

    def quit(self) -> None:
        """End the program."""
        self._window.close()

    def centre(self) -> None:
        """Centre the ladder on the spread."""
        self._on_page(lambda page: page.panels.centre())

    def group_more(self) -> None:
        """Larger price steps."""
        self._on_page(lambda page: page.panels.group(1))

    def group_less(self) -> None:
        """Smaller price steps."""
        self._on_page(lambda page: page.panels.group(-1))

    def show_heatmap(self) -> None:
        """Show or hide the heatmap."""
        self._toggle_panel("heatmap", "actionShowHeatmap")

    def show_chart(self) -> None:
        """Show or hide the depth chart."""
        self._toggle_panel("chart", "actionShowChart")

    def show_tape(self) -> None:
        """Show or hide the tape."""
        self._toggle_panel("tape", "actionShowTape")

    def _toggle_panel(self, name: str, action: str) -> None:
        is_shown = self._window.actions_by_name[action].isChecked()
        self._on_page(lambda page: page.show_panel(name, is_shown=is_shown))

    def compact(self) -> None:
        """Only the ladder, or everything."""
        self._window.set_compact(is_compact=self._window.actions_by_name["actionCompact"].isChecked())

    def stay_on_top(self) -> None:
        """Keep the window above others, or not."""
        is_on_top = self._window.actions_by_name["actionOnTop"].isChecked()
        self._window.setWindowFlag(QtCore.Qt.WindowType.WindowStaysOnTopHint, is_on_top)
        self._window.show()

    def next_tab(self) -> None:
        """Go to the next tab."""
        self._window.pages.step(1)

    def previous_tab(self) -> None:
        """Go to the previous tab."""
        self._window.pages.step(-1)

    def pop_out(self) -> None:
        """Give the tab a window of its own, or put it back."""
        self._on_page(self._window.pages.pop_out)

    def full_screen(self) -> None:
        """Full screen, or back."""
        self._window.setWindowState(self._window.windowState() ^ QtCore.Qt.WindowState.WindowFullScreen)

    def stop_or_start(self) -> None:
        """Stop the tab's feed, or start it again."""
        self._on_page(self._window.stop_or_start)

    def resync(self) -> None:
        """Fetch a fresh snapshot for the tab."""
        self._on_page(self._window.resync)

    def retry_now(self) -> None:
        """Try to connect without waiting."""
        self._on_page(self._window.retry_page)

    def duplicate_tab(self) -> None:
        """A second page of the same symbol."""
        self._on_page(self._window.duplicate)

    def toggle_favourite(self) -> None:
        """Give the symbol a star, or take it away."""
        self._on_page(self._window.toggle_favourite)

    def copy_rows(self) -> None:
        """Copy the ladder's rows."""
        self._on_page(lambda page: QtGui.QGuiApplication.clipboard().setText(page.panels.rows_text()))

    def show_welcome(self) -> None:
        """Show the venues."""
        self._window.show_welcome()

    def show_connections(self) -> None:
        """Show the hidden connection dialogs again."""
        self._window.show_connection_problems()

    def open_log(self) -> None:
        """Open the folder with the log."""
        self._window.dialogs.log()

    def copy_diagnostics(self) -> None:
        """Copy what a report of a fault needs."""
        self._window.dialogs.copy_diagnostics()

    def show_keys(self) -> None:
        """Show the list of keys."""
        self._window.dialogs.keys()

    def check_for_updates(self) -> None:
        """Ask whether there is a newer version."""
        self._window.dialogs.updates()

    def show_about(self) -> None:
        """Show versions and licences."""
        self._window.dialogs.about()
