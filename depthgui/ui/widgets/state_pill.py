"""The state pill: a feed's state as a shape, a colour and words, so that it is never told by colour alone."""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.icons import STATE_MARKS, icon_pixmap
from depthgui.ui.painting import painting
from depthgui.ui.panel_guard import PanelGuard, guarded
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.header import PillView
from depthgui.ui.wording import tool_tip

_ICON_PX = 14
_PAD = 11
_GAP = 6


@guarded
class StatePill(QtWidgets.QLabel):
    """Shows a `PillView`; `text()` is what it says, `state` the state's name."""

    def __init__(self, theme: Theme, parent: QtWidgets.QWidget | None = None) -> None:
        """Start as connecting."""
        super().__init__(parent)
        self.setObjectName("stateLabel")
        self.setTextFormat(QtCore.Qt.TextFormat.PlainText)
        self.panel_guard = PanelGuard(self, "state", lambda: self.set_theme(self._theme))
        self._view = PillView("connecting", "Connecting", "Connecting", "")
        self._is_brief = False
        self._widest = 0
        self._said = ("", "")
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Fixed, QtWidgets.QSizePolicy.Policy.Fixed)
        self.set_theme(theme)
        self._say()

    @property
    def state(self) -> str:
        """Name of the state that is shown."""
        return self._view.state

    def set_theme(self, theme: Theme) -> None:
        """Take another theme."""
        self._theme = theme
        self.setFont(theme.typeface.font(12.5))
        self._widest = 0
        self.updateGeometry()
        self.update()

    def show_state(self, view: PillView) -> None:
        """Show another state."""
        if view == self._view:
            return
        if view.state != self._view.state:
            self._widest = 0
        self._view = view
        self._say()

    def set_brief(self, is_brief: bool) -> None:
        """Say it in one word, for narrow windows."""
        if is_brief != self._is_brief:
            self._is_brief = is_brief
            self._widest = 0
            self._say()

    def _say(self) -> None:
        self.setToolTip(tool_tip(self._view.tip))  # has counts that change with every diff
        text = self._view.brief if self._is_brief else self._view.text
        said = (self._view.state, text)
        if said == self._said:
            return  # laying out anew would repaint the whole window, tab bar included
        self._said = said
        self.setText(text)
        self.setAccessibleName(f"State: {self._view.text}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QtCore.QSize:
        """Room for the words; while a state lasts the pill only grows, lest what stands beside it jumps."""
        metrics = self.fontMetrics()
        wanted = metrics.horizontalAdvance(self.text()) + _ICON_PX + _GAP + 2 * _PAD
        self._widest = max(self._widest, wanted)
        return QtCore.QSize(self._widest, metrics.height() + 11)

    def minimumSizeHint(self) -> QtCore.QSize:
        """The same: a cut-off state would mislead."""
        return self.sizeHint()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Draw capsule, shape and words."""
        shape, name = STATE_MARKS.get(self._view.state, STATE_MARKS["stopped"])
        theme = self._theme
        with painting(self) as painter:
            painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
            box = QtCore.QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.setPen(theme.pen(name, 0.65))
            painter.setBrush(theme.colour(name, 0.18))
            painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
            icon = icon_pixmap(shape, theme.palette.colours()[name], _ICON_PX, self.devicePixelRatioF())
            painter.drawPixmap(_PAD - 2, (self.height() - _ICON_PX) // 2, icon)
            painter.setPen(theme.colour(name))
            left = _PAD + _ICON_PX + _GAP - 3
            where = QtCore.QRect(left, 0, self.width() - left, self.height())
            painter.drawText(where, QtCore.Qt.AlignmentFlag.AlignVCenter, self.text())
