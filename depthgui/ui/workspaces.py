"""Workspaces: named sets of tabs with their layouts, saved from the tabs that are open and switched by a menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6 import QtCore, QtWidgets

if TYPE_CHECKING:
    from depthgui.ui.main_window import MainWindow

_MOST_CHARACTERS = 60


class Workspaces(QtCore.QObject):
    """The menu of workspaces and what it does. They are kept in the profile's state."""

    def __init__(self, window: MainWindow, menu: QtWidgets.QMenu) -> None:
        """Fill `menu` anew whenever it is opened."""
        super().__init__(window)
        self._window = window
        self._menu = menu
        menu.setObjectName("menuWorkspaces")
        menu.aboutToShow.connect(self.fill)

    @property
    def names(self) -> list[str]:
        """The names, sorted as people sort them."""
        return sorted(self._window.state.workspaces, key=str.casefold)

    def fill(self) -> None:
        """Show the workspaces there are, and what can be done with them."""
        self._menu.clear()
        for name in self.names:
            count = len(self._window.state.workspaces[name].tabs)
            text = f"{name.replace('&', '&&')}\t{count} {'tab' if count == 1 else 'tabs'}"
            self._menu.addAction(text).triggered.connect(lambda _checked=False, chosen=name: self.switch_to(chosen))
        if self.names:
            self._menu.addSeparator()
        self._menu.addAction("Save these tabs as…", self.ask_name)
        delete = self._menu.addMenu("Delete")
        delete.setEnabled(bool(self.names))
        for name in self.names:
            action = delete.addAction(name.replace("&", "&&"))
            action.triggered.connect(lambda _checked=False, chosen=name: self.delete(chosen))

    def ask_name(self) -> None:
        """Ask for a name, then save."""
        dialog = QtWidgets.QInputDialog(self._window)
        dialog.setObjectName("workspaceDialog")
        dialog.setWindowTitle("Save workspace")
        dialog.setLabelText("Name of this set of tabs. A name that is there already is replaced.")
        dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.textValueSelected.connect(self.save)
        dialog.open()

    def save(self, name: str) -> None:
        """Keep the open tabs under a name."""
        name = name.strip()[:_MOST_CHARACTERS]
        if not name:
            return
        self._window.state.workspaces[name] = self._window.pages.remember()
        self._window.save_session()
        self._window.notify(f"Workspace {name} saved")

    def switch_to(self, name: str) -> None:
        """Close the open tabs and open those of a workspace. Raises KeyError for a name that is none."""
        remembered = self._window.state.workspaces[name]
        self._window.pages.close_all()
        self._window.reopen(remembered)
        self._window.notify(f"Workspace {name}")

    def delete(self, name: str) -> None:
        """Forget a workspace; open tabs stay."""
        del self._window.state.workspaces[name]
        self._window.save_session()
