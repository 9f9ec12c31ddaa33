"""The dialogs that the main window opens on request: search, settings, help. Never two of the same kind.

Each is imported when it is wanted first; together they take 15 ms, which the first window need not wait for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6 import QtCore, QtGui, QtWidgets
from shiboken6 import isValid

from depthgui.book.errors import DepthGuiError
from depthgui.settings import schema
from depthgui.ui.key_window import centre_on

if TYPE_CHECKING:
    from depthgui.settings import Profile
    from depthgui.ui.dialogs.add_symbol import AddSymbolDialog
    from depthgui.ui.dialogs.settings_dialog import SettingsDialog
    from depthgui.ui.dialogs.updates import UpdateDialog
    from depthgui.ui.main_window import MainWindow, Services
    from depthgui.ui.theme import Theme


class WindowDialogs:
    """Opens them, or brings them to the front."""

    def __init__(self, window: MainWindow, services: Services) -> None:
        """Dialogs of this window."""
        self._window = window
        self._services = services
        self._add: AddSymbolDialog | None = None
        self._settings: SettingsDialog | None = None
        self._updates: UpdateDialog | None = None

    @property
    def _profile(self) -> Profile:
        return self._services.profile

    def add_symbol(self) -> None:
        """The search; without a venue the welcome page, where one can be chosen."""
        venue, catalogue = self._window.venue, self._window.catalogue
        if venue is None or catalogue is None:
            self._window.show_welcome()
            return
        if self._add is None:
            from depthgui.ui.dialogs.add_symbol import AddSymbolDialog

            recent = self._profile.state.symbols_of(venue.key)
            self._add = AddSymbolDialog(
                catalogue, recent, self._window.open_refs, self._services.themes.theme, self._window
            )
            self._add.chosen.connect(self._window.open_symbol)
            self._add.reload_wanted.connect(self._window.reload_catalogue)
            self._add.finished.connect(self._forget_add)
            self._window.reload_catalogue()
        self._show(self._add)

    def _forget_add(self) -> None:
        self._add = None

    def settings(self) -> SettingsDialog:
        """All settings."""
        if self._settings is None:
            from depthgui.ui.dialogs.settings_dialog import SettingsDialog

            dialog = self._settings = SettingsDialog(self._profile, self._services.themes.theme, self._window)
            dialog.venue_wanted.connect(self._window.switch_venue)
            dialog.proxy_trial_wanted.connect(lambda proxy: self._try_proxy(dialog, proxy))
            dialog.finished.connect(self._forget_settings)
        self._show(self._settings)
        return self._settings

    def _forget_settings(self) -> None:
        self._settings = None

    def _try_proxy(self, dialog: SettingsDialog, proxy: str) -> None:
        async def try_it() -> None:
            found = await self._services.switch.try_proxy(proxy)
            if isValid(dialog):
                dialog.show_proxy_trial(found)

        self._services.tasks.spawn(try_it(), "try the proxy")

    def updates(self) -> None:
        """Ask whether there is a newer version, and show the answer."""
        if self._updates is None:
            from depthgui.ui.dialogs.updates import UpdateDialog

            dialog = self._updates = UpdateDialog(self._services.themes.theme, self._window)
            dialog.check_wanted.connect(self.updates)
            dialog.settings_wanted.connect(lambda: self.settings().show_setting(schema.UPDATES_URL))
            dialog.finished.connect(self._forget_updates)
        url = self._profile.settings.get(schema.UPDATES_URL)
        if url and not self._updates.is_checking:
            self._updates.show_checking(url)
            self._services.tasks.spawn(self._check_for_update(self._updates, url), "check for updates")
        elif not url:
            self._updates.show_off()
        self._show(self._updates)

    def _forget_updates(self) -> None:
        self._updates = None

    async def _check_for_update(self, dialog: UpdateDialog, url: str) -> None:
        try:
            found = await self._services.switch.check_update(url)
        except DepthGuiError as error:
            if isValid(dialog):
                dialog.show_problem(error)
        else:
            if isValid(dialog):
                dialog.show_found(found)

    def _show(self, dialog: QtWidgets.QDialog) -> None:
        if dialog.isVisible():
            dialog.raise_()
            dialog.activateWindow()
            return
        dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        centre_on(dialog, self._window)
        dialog.show()

    def keys(self) -> None:
        """The list of keys."""
        from depthgui.ui import help_windows

        help_windows.show_keys(self._window, self._profile.settings.shortcuts)

    def about(self) -> None:
        """Versions and licences."""
        from depthgui.ui import help_windows

        help_windows.show_about(self._window)

    def log(self) -> None:
        """The log, in whatever shows text files here."""
        from depthgui.ui import help_windows

        help_windows.open_file(self._profile.paths.log_file)

    def copy_diagnostics(self) -> None:
        """Copy what a report of a fault needs."""
        from depthgui.ui import help_windows

        QtGui.QGuiApplication.clipboard().setText(help_windows.diagnostics(self._window))
        self._window.notify("Diagnostics copied to the clipboard")

    def set_theme(self, theme: Theme) -> None:
        """Hand the theme on."""
        if self._add is not None:
            self._add.set_theme(theme)

    def leave_venue(self) -> None:
        """Close what belongs to the venue in use."""
        if self._add is not None:
            self._add.close()
