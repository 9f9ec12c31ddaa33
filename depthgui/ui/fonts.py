"""The application's typeface: from a registry package that carries its licence, else the system's.

Figures are tabular everywhere (OpenType feature `tnum`), so that columns of numbers don't dance.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
import logging
from dataclasses import dataclass

from PySide6 import QtGui

_LOG = logging.getLogger(__name__)

# Package, and its folder of font files. Inter is the typeface of the design; Roboto is as good in figures.
_PACKAGES = (("fontpkg_inter", "files"), ("font_roboto", "files"))
# Roboto's files of looks that are never used: each takes a millisecond and more to read.
_UNUSED = ("Italic", "Black", "Light", "Thin")
_TABULAR = QtGui.QFont.Tag("tnum")
_WEIGHT_AXIS = QtGui.QFont.Tag("wght")
_MIN_PX = 8


@dataclass(frozen=True, slots=True)
class Typeface:
    """A family, and where it came from: a package's name, or "system".

    `is_variable` families take their weight from an axis; Qt would embolden the regular one otherwise.
    """

    family: str
    source: str
    is_variable: bool = False
    scale: float = 1.0

    def font(self, px: float = 13, weight: int = 400) -> QtGui.QFont:
        """A font of `px` logical pixels (times the user's scale), with tabular figures."""
        font = QtGui.QFont(self.family)
        font.setPixelSize(max(_MIN_PX, round(px * self.scale)))
        font.setFeature(_TABULAR, 1)
        if self.is_variable:
            font.setVariableAxis(_WEIGHT_AXIS, weight)
        else:
            font.setWeight(QtGui.QFont.Weight(weight))
        return font

    def figures(self, px: float = 13, weight: int = 400) -> QtGui.QFont:
        """A font for columns of numbers: as `font`, without the kerning that would move a "1" out of its column."""
        font = self.font(px, weight)
        font.setKerning(False)
        return font

    def scaled(self, scale: float) -> Typeface:
        """The same typeface in another size."""
        return Typeface(self.family, self.source, self.is_variable, scale)


def load_typeface(scale: float = 1.0) -> Typeface:
    """Register the packaged font with Qt; needs a QGuiApplication. Falls back to the system's own sans serif."""
    for package, folder in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            continue
        families: dict[str, bool] = {}
        for entry in sorted(importlib.resources.files(package).joinpath(folder).iterdir(), key=lambda item: item.name):
            if not entry.name.lower().endswith((".ttf", ".otf")) or any(look in entry.name for look in _UNUSED):
                continue
            number = QtGui.QFontDatabase.addApplicationFontFromData(entry.read_bytes())
            for family in QtGui.QFontDatabase.applicationFontFamilies(number) if number >= 0 else ():
                families[family] = families.get(family, False) or "[" in entry.name
        if families:
            family = min(families, key=len)
            return Typeface(family, package, families[family], scale)
        _LOG.warning("the font files of %s could not be read; the system's font is used", package)
    return Typeface(
        QtGui.QFontDatabase.systemFont(QtGui.QFontDatabase.SystemFont.GeneralFont).family(), "system", scale=scale
    )
