"""The header's figures in one painted widget: the last price, then as many values with captions as fit."""

from __future__ import annotations

import math

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.painting import painting
from depthgui.ui.panel_guard import PanelGuard, guarded
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.header import HeaderView, StatView
from depthgui.ui.widgets.text_cache import TextCache

_PAD = 16
_GAP = 26
_ROLES = {"text": 0, "muted": 1, "bid": 2, "ask": 3, "amber": 4}


@guarded
class StatStrip(QtWidgets.QWidget):
    """Paints a `HeaderView`'s figures. The least important ones go first when it gets narrow."""

    def __init__(self, theme: Theme, parent: QtWidgets.QWidget | None = None) -> None:
        """Start empty."""
        super().__init__(parent)
        self.setObjectName("statStrip")
        self.panel_guard = PanelGuard(self, "strip of figures", lambda: self.set_theme(self._theme))
        self._view: HeaderView | None = None
        self._widths: dict[str, float] = {}
        # It covers its own ground: else the header and the window behind it are painted ten times a second too.
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take another theme."""
        self._theme = theme
        face, ratio = theme.typeface, self.devicePixelRatioF()
        roles = {role: theme.colour(name) for name, role in _ROLES.items()}
        self._big = TextCache(face.figures(24, 600), roles, ratio)
        self._value = TextCache(face.figures(13, 600), roles, ratio)
        self._caption = TextCache(face.figures(11.5), roles, ratio)
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

    def show_last(self, view: HeaderView) -> None:
        """Show figures that differ from the last ones in nothing but the last price; that alone is painted anew."""
        self._view = view
        known = self._widths.get("last", 0.0)
        if self._width_of("last", view.last, self._big) == known:
            self.update(0, 0, _PAD + math.ceil(known) + 2, self.height())
        else:
            self.update()

    def forget_widths(self) -> None:
        """Fit to new text, as for another symbol."""
        self._widths.clear()

    def sizeHint(self) -> QtCore.QSize:
        """Room for everything, as tall as the last price."""
        return QtCore.QSize(640, self._big.height + 22)

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

    def _width_of(self, name: str, text: str, texts: TextCache) -> float:
        # A place only grows, so that the figures after it stand still while this one changes.
        self._widths[name] = max(self._widths.get(name, 0.0), texts.width(text))
        return self._widths[name]

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Draw the figures."""
        view = self._view
        big, value, caption = self._big, self._value, self._caption
        with painting(self) as painter:
            painter.fillRect(self.rect(), self._theme.colour("background"))
            if view is None:
                return
            for texts in (big, value, caption):
                texts.set_ratio(self.devicePixelRatioF())
            tone = "text" if view.is_stale or not view.direction else "bid" if view.direction > 0 else "ask"
            big.draw(painter, _PAD, (self.height() - big.height) // 2, view.last, _ROLES[tone])
            if event.rect().right() <= _PAD + self._width_of("last", view.last, big) + 2:
                return
            top = (self.height() - value.height - caption.height - 2) // 2
            x = _PAD + self._width_of("last", view.last, big)
            for stat in self.shown_stats():
                x += _GAP
                value.draw(painter, round(x), top, stat.value, _ROLES[stat.tone or "text"])
                caption.draw(painter, round(x), top + value.height + 2, stat.caption, _ROLES["muted"])
                x += self._stat_width(stat)
