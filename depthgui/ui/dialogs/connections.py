"""Keeps one connection dialog per venue connection: opens, updates and closes them as the hub reports.

Ten tabs on one connection make one dialog. A dialog that was hidden stays hidden for the rest of that outage. One
that was shown stays readable for a moment, so that a short outage makes no flicker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from PySide6 import QtCore, QtWidgets

from depthgui.ui.dialogs.connection import ConnectionDialog
from depthgui.ui.dialogs.connection_text import Outage, outage_of, restored_notice
from depthgui.ui.engine import ConnectionPhase, ConnectionStatus, Hub, SymbolRef
from depthgui.ui.theme import Theme
from depthgui.ui.wording import TimeZone

_TICK_MS = 200
_LEAST_SHOWN_S = 1.5
_TOGETHER_S = 3.0
_MARGIN = 16
_CASCADE = 30
_BELOW_HEADER = 120


class TabCommands(Protocol):
    """What the dialogs ask of the window."""

    def stop_symbols(self, refs: tuple[SymbolRef, ...]) -> None:
        """Stop the tabs of these symbols."""

    def start_failed(self, refs: tuple[SymbolRef, ...]) -> None:
        """Start those tabs of these symbols again that had given up."""

    def close_symbols(self, refs: tuple[SymbolRef, ...]) -> None:
        """Close the tabs of these symbols."""

    def are_waiting(self, refs: tuple[SymbolRef, ...]) -> bool:
        """True while a tab of these symbols is on its way to being live."""

    def have_books(self, refs: tuple[SymbolRef, ...]) -> bool:
        """True if a tab of these symbols shows a book, live or not."""

    def open_log(self) -> None:
        """Show the log."""

    def notify(self, text: str) -> None:
        """Show a short notice."""


@dataclass(slots=True)
class _Trouble:
    dialog: ConnectionDialog
    status: ConnectionStatus
    began_s: float
    shown_at_s: float
    restored_at_s: float | None = None
    is_hidden: bool = False


class ConnectionDialogs(QtCore.QObject):
    """All the connection dialogs of one window."""

    def __init__(
        self, window: QtWidgets.QWidget, commands: TabCommands, theme: Theme, zone: TimeZone, now_s: Callable[[], float]
    ) -> None:
        """`now_s` is the monotonic clock that the hub's statuses use."""
        super().__init__(window)
        self._window = window
        self._commands = commands
        self._theme = theme
        self._zone = zone
        self._now_s = now_s
        self._hub: Hub | None = None
        self._unlisten: Callable[[], None] | None = None
        self._troubles: dict[str, _Trouble] = {}
        self._restored: list[tuple[float, str, float]] = []
        self._timer = QtCore.QTimer(self, interval=_TICK_MS)
        self._timer.timeout.connect(self._tick)

    @property
    def open_keys(self) -> tuple[str, ...]:
        """The connections that have trouble now."""
        return tuple(self._troubles)

    def dialogs(self) -> tuple[ConnectionDialog, ...]:
        """The dialogs that exist now, shown or hidden."""
        return tuple(trouble.dialog for trouble in self._troubles.values())

    def attach(self, hub: Hub) -> None:
        """Follow this hub's connections."""
        self.detach()
        self._hub = hub
        self._unlisten = hub.listen(self.on_status)
        for status in tuple(hub.connections.values()):
            self.on_status(status)

    def detach(self) -> None:
        """Follow none; every dialog goes away."""
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        self._hub = None
        for key in tuple(self._troubles):
            self._drop(key)

    def set_theme(self, theme: Theme) -> None:
        """Hand the theme on."""
        self._theme = theme
        for dialog in self.dialogs():
            dialog.set_theme(theme)

    def set_zone(self, zone: TimeZone) -> None:
        """Tell times in this zone."""
        self._zone = zone
        self._tick()

    def show_all(self) -> None:
        """Show the hidden ones again."""
        for trouble in self._troubles.values():
            trouble.is_hidden = False
            self._show(trouble)

    def on_status(self, status: ConnectionStatus) -> None:
        """A connection changed."""
        known = self._troubles.get(status.key)
        if known is not None:
            known.status = status
            self._update(known)
            return
        outage = outage_of(status)
        if outage is Outage.NONE or not status.symbols:
            return
        self._begin(status, outage)

    def _begin(self, status: ConnectionStatus, outage: Outage) -> None:
        now = self._now_s()
        dialog = ConnectionDialog(status.key, self._theme, self._window)
        dialog.retry_wanted.connect(self._on_retry)
        dialog.stop_wanted.connect(lambda key: self._commands.stop_symbols(self._symbols(key)))
        dialog.close_tabs_wanted.connect(lambda key: self._commands.close_symbols(self._symbols(key)))
        dialog.log_wanted.connect(self._commands.open_log)
        dialog.hidden_by_user.connect(self._on_hidden)
        began = status.lost_at_s if status.lost_at_s is not None else now
        trouble = _Trouble(dialog, status, began, now)
        self._troubles[status.key] = trouble
        self._fill(trouble, outage, now)
        self._show(trouble)
        self._timer.start()

    def _fill(self, trouble: _Trouble, outage: Outage, now: float) -> None:
        has_books = self._commands.have_books(trouble.status.symbols)
        trouble.dialog.show_status(trouble.status, outage, now, self._zone, has_books=has_books)

    def _show(self, trouble: _Trouble) -> None:
        dialog = trouble.dialog
        if dialog.isVisible():
            return
        dialog.adjustSize()
        shown = sum(other.dialog.isVisible() for other in self._troubles.values())
        area = self._window.frameGeometry()
        offset = _MARGIN + _CASCADE * shown
        dialog.move(area.right() - dialog.width() - offset, area.top() + _BELOW_HEADER + offset)
        active = QtWidgets.QApplication.activeWindow()
        dialog.show_beside(self._window if isinstance(active, ConnectionDialog) else active)

    def _on_retry(self, key: str) -> None:
        if self._hub is not None:
            symbols = self._symbols(key)
            self._hub.retry_now(key)
            self._commands.start_failed(symbols)  # else they would say "failed" beside a connection that is tried again

    def _on_hidden(self, key: str) -> None:
        trouble = self._troubles.get(key)
        if trouble is not None:
            trouble.is_hidden = True

    def _symbols(self, key: str) -> tuple[SymbolRef, ...]:
        trouble = self._troubles.get(key)
        return () if trouble is None else trouble.status.symbols

    def _tick(self) -> None:
        for trouble in tuple(self._troubles.values()):
            self._update(trouble)

    def _update(self, trouble: _Trouble) -> None:
        now, status = self._now_s(), trouble.status
        if not status.symbols:
            self._drop(status.key)
            return
        outage = outage_of(status, waits_for_books=self._commands.are_waiting(status.symbols))
        if outage is Outage.NONE and status.phase is ConnectionPhase.CONNECTING:
            outage = Outage.RETRYING  # the first of a new series of attempts ends nothing yet
        if outage is Outage.NONE:
            self._end(trouble, now)
            return
        trouble.restored_at_s = None
        was = trouble.dialog.outage
        self._fill(trouble, outage, now)
        if outage is Outage.GIVEN_UP and was is not Outage.GIVEN_UP:
            trouble.is_hidden = False
            self._show(trouble)

    def _end(self, trouble: _Trouble, now: float) -> None:
        """Live again: tell how long it was, and leave a dialog that has only just opened for a moment longer."""
        if trouble.restored_at_s is None:
            trouble.restored_at_s = now
            self._tell_restored(trouble, now)
        if trouble.dialog.isVisible() and now - trouble.shown_at_s < _LEAST_SHOWN_S:
            self._fill(trouble, Outage.RESTORED, now)
            return
        self._drop(trouble.status.key)

    def _tell_restored(self, trouble: _Trouble, now: float) -> None:
        """One notice for all that came back within a moment."""
        self._restored = [
            (at_s, label, outage_s) for at_s, label, outage_s in self._restored if now - at_s < _TOGETHER_S
        ]
        self._restored.append((now, trouble.status.label, now - trouble.began_s))
        self._commands.notify(restored_notice([(label, outage_s) for _, label, outage_s in self._restored]))

    def _drop(self, key: str) -> None:
        trouble = self._troubles.pop(key)
        trouble.dialog.hide()
        trouble.dialog.deleteLater()
        if not self._troubles:
            self._timer.stop()
