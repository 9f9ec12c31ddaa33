"""The button that chooses the ladder's grouping: usual steps in a menu, any multiple of the tick typed in."""

from __future__ import annotations

from decimal import Decimal

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.viewmodels.grouping import USUAL_TICKS, next_ticks, step_text, ticks_for


class GroupButton(QtWidgets.QPushButton):
    """Shows the price step of a row and lets the user choose another."""

    grouping_chosen = QtCore.Signal(int)  # ticks in a row

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        """Start at one tick; the tick itself is not known yet."""
        super().__init__(parent)
        self.setObjectName("groupButton")
        self.setProperty("hasMenu", True)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        self._tick: Decimal | None = None
        self._ticks = 1
        self._is_brief = False
        menu = QtWidgets.QMenu(self)
        menu.aboutToShow.connect(self._fill)
        self._entry = QtWidgets.QLineEdit()
        self._entry.setObjectName("groupEntry")
        self._entry.setPlaceholderText("Other step")
        self._entry.setAccessibleName("Other price step of a row")
        self._entry.returnPressed.connect(self._take_entry)
        self._entry_action = QtWidgets.QWidgetAction(menu)
        self._entry_action.setDefaultWidget(self._entry)
        self.setMenu(menu)
        self._say()

    @property
    def ticks(self) -> int:
        """Ticks in a row."""
        return self._ticks

    def set_tick(self, tick: Decimal | None) -> None:
        """Say what the symbol's tick is, or that it isn't known."""
        if tick != self._tick:
            self._tick = tick
            self._say()

    def set_ticks(self, ticks: int) -> None:
        """Show a choice that was made elsewhere; emits nothing."""
        if ticks != self._ticks:
            self._ticks = ticks
            self._say()

    def set_brief(self, is_brief: bool) -> None:
        """Show the step alone, for narrow windows."""
        if is_brief != self._is_brief:
            self._is_brief = is_brief
            self._say()

    def choose(self, ticks: int) -> None:
        """Choose as the menu does."""
        self.set_ticks(ticks)
        self.grouping_chosen.emit(ticks)

    def step(self, direction: int) -> None:
        """Go to the next coarser (1) or finer (-1) usual step."""
        ticks = next_ticks(self._ticks, direction)
        if ticks != self._ticks:
            self.choose(ticks)

    def _say(self) -> None:
        step = "" if self._tick is None else step_text(self._tick, self._ticks)
        self.setText(step if self._is_brief and step else f"Group {step}".rstrip())
        self.setToolTip(f"Price step of a row: {step}\n+ and \u2212 change it" if step else "Price step of a row")
        self.setAccessibleName(f"Price step of a row: {step}")
        self.setEnabled(self._tick is not None)

    def _fill(self) -> None:
        menu = self.menu()
        for action in menu.actions():
            menu.removeAction(action)
        if self._tick is None:
            return
        group = QtGui.QActionGroup(menu)
        for ticks in USUAL_TICKS:
            action = menu.addAction(step_text(self._tick, ticks))
            action.setCheckable(True)
            action.setChecked(ticks == self._ticks)
            action.triggered.connect(lambda _checked, chosen=ticks: self.choose(chosen))
            group.addAction(action)
        menu.addSeparator()
        self._entry.clear()
        self._mark_entry("")
        menu.addAction(self._entry_action)

    def _take_entry(self) -> None:
        if self._tick is None:
            return
        try:
            ticks = ticks_for(self._entry.text(), self._tick)
        except ValueError as error:
            self._mark_entry(str(error))
            return
        self.menu().close()
        self.choose(ticks)

    def _mark_entry(self, fault: str) -> None:
        self._entry.setToolTip(fault)
        self._entry.setProperty("invalid", bool(fault))
        style = self._entry.style()
        style.unpolish(self._entry)
        style.polish(self._entry)
