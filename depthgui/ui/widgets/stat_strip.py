"""The header's figures in one painted widget: the last price, then as many values with captions as fit."""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.header import HeaderView, StatView

_PAD = 16
_GAP = 26


class StatStrip(QtWidgets.QWidget):
    """Paints a `HeaderView`'s figures. The least important ones go first when it gets narrow."""

    def __init__(self, theme: Theme, parent: QtWidgets.QWidget | None = None) -> None:
        """Start empty."""
        super().__init__(parent)
        self.setObjectName("statStrip")
        self._view: HeaderView | None = None
        self._widths: dict[str, float] = {}
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take another theme."""
        self._theme = theme
        face = theme.typeface
        self._big = face.figures(24, 600)
        self._value = face.figures(13, 600)
        self._caption = face.figures(11.5)
        self._widths.clear()
        self.updateGeometry()
        self.update()

    def show_view(self, view: HeaderView | None) -> None:
        """Show other figures."""
        if view == self._view:
            return
        self._view = view
        if view is None:
            self._widths.clear()
        else:
            spoken = [f"last price {view.last}", *(f"{stat.caption} {stat.value}" for stat in view.stats)]
            self.setAccessibleName(", ".join(spoken))
        self.update()

    def forget_widths(self) -> None:
        """Fit to new text, as for another symbol."""
        self._widths.clear()

    def sizeHint(self) -> QtCore.QSize:
        """Room for everything, as tall as the last price."""
        return QtCore.QSize(640, QtGui.QFontMetrics(self._big).height() + 22)

    def minimumSizeHint(self) -> QtCore.QSize:
        """Room for the last price alone."""
        return QtCore.QSize(150, self.sizeHint().height())

    def shown_stats(self) -> list[StatView]:
        """The figures that there is room for, in their order."""
        view = self._view
        if view is None:
            return []
        room = self.width() - _PAD - self._width_of("last", view.last, self._big)
        chosen: list[StatView] = []
        for stat in sorted(view.stats, key=lambda stat: stat.rank):
            room -= _GAP + self._stat_width(stat)
            if room < 0:
                break
            chosen.append(stat)
        return [stat for stat in view.stats if stat in chosen]

    def _stat_width(self, stat: StatView) -> float:
        value = self._width_of(stat.name, stat.value, self._value)
        return max(value, self._width_of(f"{stat.name} caption", stat.caption, self._caption))

    def _width_of(self, name: str, text: str, font: QtGui.QFont) -> float:
        # A place only grows, so that the figures after it stand still while this one changes.
        width = QtGui.QFontMetricsF(font).horizontalAdvance(text)
        self._widths[name] = max(self._widths.get(name, 0.0), width)
        return self._widths[name]

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Draw the figures."""
        view = self._view
        if view is None:
            return
        theme = self._theme
        painter = QtGui.QPainter(self)
        painter.setFont(self._big)
        tone = "text" if view.is_stale or not view.direction else "bid" if view.direction > 0 else "ask"
        painter.setPen(theme.colour(tone))
        box = QtCore.QRectF(_PAD, 0, self.width(), self.height())
        painter.drawText(box, QtCore.Qt.AlignmentFlag.AlignVCenter, view.last)
        value, caption = QtGui.QFontMetricsF(self._value), QtGui.QFontMetricsF(self._caption)
        top = (self.height() - value.height() - caption.height() - 2) / 2
        x = _PAD + self._width_of("last", view.last, self._big)
        for stat in self.shown_stats():
            x += _GAP
            painter.setFont(self._value)
            painter.setPen(theme.colour(stat.tone or "text"))
            painter.drawText(QtCore.QPointF(round(x), round(top + value.ascent())), stat.value)
            painter.setFont(self._caption)
            painter.setPen(theme.colour("muted"))
            y = top + value.height() + 2 + caption.ascent()
            painter.drawText(QtCore.QPointF(round(x), round(y)), stat.caption)
            x += self._stat_width(stat)
        painter.end()
