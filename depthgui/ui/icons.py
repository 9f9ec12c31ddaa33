"""Icons: this project's SVG files, tinted with the theme's colours.

Every file is drawn on a 24-unit grid with one stroke width and paints with `currentColor`; the tint replaces that
word. The application's own icon is the one file in colour.
"""

from __future__ import annotations

import functools

from PySide6 import QtCore, QtGui, QtSvg

from depthgui.ui.painting import painting
from depthgui.ui.palettes import Palette
from depthgui.ui.resources import resource

_SIZES = (16, 20, 24, 32)
_STYLE_IMAGES = ("check", "chevron-down", "chevron-up", "close", "dash")


@functools.cache
def svg_source(name: str) -> str:
    """The SVG text of an icon, untinted. Raises FileNotFoundError for an unknown name."""
    return resource(f"icons/{name}.svg").read_text(encoding="utf-8")


def tinted_svg(name: str, colour: str) -> bytes:
    """The SVG of an icon in one colour (``#rrggbb``)."""
    return svg_source(name).replace("currentColor", colour).encode()


@functools.lru_cache(maxsize=512)
def icon_pixmap(name: str, colour: str, size: int, ratio: float) -> QtGui.QPixmap:
    """An icon of `size` logical pixels in one colour, at a device pixel ratio."""
    # The file first: a pixmap that dies under its painter takes the process with it.
    drawing = QtSvg.QSvgRenderer(QtCore.QByteArray(tinted_svg(name, colour)))
    device = max(1, round(size * ratio))
    pixmap = QtGui.QPixmap(device, device)
    pixmap.fill(QtCore.Qt.GlobalColor.transparent)
    with painting(pixmap) as painter:
        drawing.render(painter, QtCore.QRectF(0, 0, device, device))
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


@functools.lru_cache(maxsize=256)
def _tinted_icon(name: str, normal: str, active: str, disabled: str, ratio: float) -> QtGui.QIcon:
    icon = QtGui.QIcon()
    modes = (
        (QtGui.QIcon.Mode.Normal, normal),
        (QtGui.QIcon.Mode.Active, active),
        (QtGui.QIcon.Mode.Selected, active),
        (QtGui.QIcon.Mode.Disabled, disabled),
    )
    for mode, colour in modes:
        for size in _SIZES:
            icon.addPixmap(icon_pixmap(name, colour, size, ratio), mode)
    return icon


def themed_icon(name: str, palette: Palette, colour: str = "text", ratio: float = 2.0) -> QtGui.QIcon:
    """An icon in a named colour of the theme, with its active and disabled looks.

    `ratio` is the device pixel ratio it is rendered at; Qt scales down, never up, so 2 serves every common screen.
    """
    names = palette.colours()
    active = names["text"] if colour == "muted" else names[colour]
    return _tinted_icon(name, names[colour], active, names["faint"], ratio)


def state_icon(state: str, palette: Palette, ratio: float = 2.0) -> QtGui.QIcon:
    """The mark of a feed's state ("live", "stale", ...): its shape tells it too, not the colour alone."""
    shape, colour = STATE_MARKS.get(state, STATE_MARKS["stopped"])
    return themed_icon(shape, palette, colour, ratio)


STATE_MARKS = {
    "live": ("state-live", "bid"),
    "halted": ("state-halted", "amber"),
    "connecting": ("state-connecting", "accent"),
    "stale": ("state-stale", "amber"),
    "reconnecting": ("state-reconnecting", "amber"),
    "stopped": ("state-stopped", "muted"),
    "failed": ("state-failed", "ask"),
}
"""State name -> (icon, colour name)."""


def app_icon() -> QtGui.QIcon:
    """The application's icon, in all the sizes that desktops ask for."""
    icon = QtGui.QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        icon.addPixmap(icon_pixmap("depthgui", "#000000", size, 1.0))
    return icon


def style_images(palette: Palette) -> dict[str, bytes]:
    """The images that the style sheet names by url, by their file names: `<icon>-<colour>.svg`."""
    colours = palette.colours()
    return {
        f"{name}-{colour}.svg": tinted_svg(name, colours[colour])
        for name in _STYLE_IMAGES
        for colour in ("text", "muted", "faint", "on_primary")
    }
