"""Theme: named colours and a typeface, turned into a style sheet, a QPalette, and what painters need.

Everything that has a colour takes it from here by name, so that a change of theme changes all of it at once.
"""

from __future__ import annotations

import string

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.fonts import Typeface, load_typeface
from depthgui.ui.icons import style_images
from depthgui.ui.memory_resources import MemoryResources
from depthgui.ui.palettes import Palette, Scheme, palette_for
from depthgui.ui.resources import resource

_GROUP = QtGui.QPalette.ColorGroup
_ROLE = QtGui.QPalette.ColorRole


class Theme:
    """One palette with one typeface. Immutable; widgets are given a new one when it changes."""

    def __init__(self, palette: Palette, typeface: Typeface) -> None:
        """Prepare the colours of `palette`."""
        self.palette = palette
        self.typeface = typeface
        self._colours = {name: QtGui.QColor(value) for name, value in palette.colours().items()}

    @property
    def is_dark(self) -> bool:
        """True for light text on a dark background."""
        return self.palette.is_dark

    def colour(self, name: str, alpha: float = 1.0) -> QtGui.QColor:
        """A named colour, `alpha` from 0 (clear) to 1. Raises KeyError for a name that is no colour."""
        colour = QtGui.QColor(self._colours[name])
        colour.setAlphaF(alpha)
        return colour

    def mix(self, name: str, under: str, share: float) -> QtGui.QColor:
        """The opaque colour of `share` (0 to 1) of `name` laid over `under`."""
        over, base = self._colours[name], self._colours[under]
        return QtGui.QColor(
            round(over.red() * share + base.red() * (1 - share)),
            round(over.green() * share + base.green() * (1 - share)),
            round(over.blue() * share + base.blue() * (1 - share)),
        )

    def pen(self, name: str, alpha: float = 1.0, width: float = 1.0, dashes: tuple[float, ...] = ()) -> QtGui.QPen:
        """A pen of a named colour; `width` in logical pixels, `dashes` in pen widths."""
        pen = QtGui.QPen(self.colour(name, alpha), width)
        if dashes:
            pen.setDashPattern(list(dashes))
        return pen

    def brush(self, name: str, alpha: float = 1.0) -> QtGui.QBrush:
        """A solid brush of a named colour."""
        return QtGui.QBrush(self.colour(name, alpha))

    def qpalette(self) -> QtGui.QPalette:
        """The palette for Qt's own style (Fusion), for what the style sheet doesn't reach."""
        palette = QtGui.QPalette()
        roles = {
            _ROLE.Window: "panel",
            _ROLE.Base: "background",
            _ROLE.AlternateBase: "panel",
            _ROLE.Button: "raised",
            _ROLE.WindowText: "text",
            _ROLE.Text: "text",
            _ROLE.ButtonText: "text",
            _ROLE.BrightText: "ask",
            _ROLE.ToolTipBase: "raised",
            _ROLE.ToolTipText: "text",
            _ROLE.PlaceholderText: "muted",
            _ROLE.Highlight: "primary",
            _ROLE.HighlightedText: "on_primary",
            _ROLE.Link: "accent",
            _ROLE.LinkVisited: "accent",
            _ROLE.Light: "hover",
            _ROLE.Midlight: "hover",
            _ROLE.Mid: "line",
            _ROLE.Dark: "line",
            _ROLE.Shadow: "background",
            _ROLE.Accent: "accent",
        }
        for role, name in roles.items():
            palette.setColor(role, self._colours[name])
        for role in (_ROLE.WindowText, _ROLE.Text, _ROLE.ButtonText):
            palette.setColor(_GROUP.Disabled, role, self._colours["faint"])
        return palette

    def style_sheet(self, images: str = "") -> str:
        """The application's style sheet; `images` is the folder of `style_images`, in url() form."""
        template = string.Template(resource("theme.qss").read_text(encoding="utf-8"))
        scale = self.typeface.scale
        sizes = {"images": images, "small": f"{round(12 * scale)}px", "control": f"{round(17 * scale)}px"}
        washes = {
            f"{name}_{word}": _rgba(self.colour(name, alpha))
            for name in ("bid", "ask", "amber", "accent")
            for word, alpha in (("wash", 0.16), ("edge", 0.45))
        }
        return template.substitute(self.palette.colours(), **sizes, **washes)


def _rgba(colour: QtGui.QColor) -> str:
    return f"rgba({colour.red()}, {colour.green()}, {colour.blue()}, {colour.alpha()})"


class ThemeManager(QtCore.QObject):
    """Applies a theme to the application and follows the desktop's light or dark while that is the choice.

    Keep one for the application's life. Connect `changed` to every widget's `set_theme`.
    """

    changed = QtCore.Signal(object)  # the new Theme

    def __init__(self, app: QtWidgets.QApplication, scheme: Scheme = Scheme.SYSTEM, font_scale: float = 1.0) -> None:
        """Set style, typeface and colours of `app`."""
        super().__init__(app)
        self._app = app
        self._scheme = scheme
        self._typeface = load_typeface(font_scale)
        self._images = MemoryResources()
        self.destroyed.connect(self._images.close)
        self._hints = app.styleHints()
        app.setStyle("Fusion")
        self._hints.colorSchemeChanged.connect(self._on_system_changed)
        self._theme = self._build()
        self._apply()

    @property
    def theme(self) -> Theme:
        """The theme in use."""
        return self._theme

    @property
    def scheme(self) -> Scheme:
        """What was chosen."""
        return self._scheme

    def set_scheme(self, scheme: Scheme) -> None:
        """Choose a theme; takes effect at once."""
        self._scheme = scheme
        self._refresh()

    def set_font_scale(self, scale: float) -> None:
        """Set the size of all text, 1.0 being the design's."""
        self._typeface = self._typeface.scaled(scale)
        self._refresh()

    def _on_system_changed(self) -> None:
        if self._scheme.follows_system:
            self._refresh()

    def _build(self) -> Theme:
        # Without a desktop theme Qt answers Unknown; the design's first picture is the dark one.
        is_dark = self._hints.colorScheme() != QtCore.Qt.ColorScheme.Light
        return Theme(palette_for(self._scheme, system_is_dark=is_dark), self._typeface)

    def _refresh(self) -> None:
        theme = self._build()
        if theme.palette == self._theme.palette and theme.typeface == self._theme.typeface:
            return
        self._theme = theme
        self._apply()
        self.changed.emit(theme)

    def _apply(self) -> None:
        palette = self._theme.palette
        images = self._images.add(f"style-{palette.name}", style_images(palette))
        self._app.setFont(self._theme.typeface.font())
        self._app.setPalette(self._theme.qpalette())
        self._app.setStyleSheet(self._theme.style_sheet(images))
