"""The themes' colours, as plain data: one set of names, four sets of values.

Style sheet, palette, icons and painters all read these names, so that a new theme is one more `Palette`.
"""

from __future__ import annotations

import dataclasses
import enum


class Scheme(enum.Enum):
    """What the user chose. SYSTEM follows the desktop's light or dark."""

    SYSTEM = "system"
    DARK = "dark"
    LIGHT = "light"
    COLOUR_BLIND = "colour-blind"
    COLOUR_BLIND_DARK = "colour-blind-dark"
    COLOUR_BLIND_LIGHT = "colour-blind-light"

    @property
    def follows_system(self) -> bool:
        """True where light or dark is the desktop's choice."""
        return self in {Scheme.SYSTEM, Scheme.COLOUR_BLIND}


@dataclasses.dataclass(frozen=True, slots=True)
class Palette:
    """Named colours, each ``#rrggbb``.

    `text`, `muted`, `bid`, `ask`, `amber` and `accent` are readable (4.5:1) on `background`, `panel` and `raised`;
    `on_primary` on `primary`; `text` on `selection`.
    """

    name: str
    is_dark: bool
    background: str
    panel: str
    raised: str
    hover: str
    line: str
    text: str
    muted: str
    faint: str
    bid: str
    ask: str
    amber: str
    accent: str
    primary: str
    primary_hover: str
    on_primary: str
    selection: str

    def colours(self) -> dict[str, str]:
        """Every colour by its name."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, str) and value.startswith("#")}


DARK = Palette(
    name="dark",
    is_dark=True,
    background="#0e1116",
    panel="#141920",
    raised="#1a212b",
    hover="#222b37",
    line="#232b36",
    text="#d5dce6",
    muted="#7f8a99",
    faint="#4a5462",
    bid="#26a69a",
    ask="#ef5350",
    amber="#f0b429",
    accent="#5aa9f8",
    primary="#1d4f8c",
    primary_hover="#245ea5",
    on_primary="#f2f6fb",
    selection="#1c3558",
)

LIGHT = Palette(
    name="light",
    is_dark=False,
    background="#ffffff",
    panel="#f4f6f9",
    raised="#ffffff",
    hover="#e6ebf2",
    line="#d5dce5",
    text="#1b2430",
    muted="#5b6675",
    faint="#aab4c0",
    bid="#00796b",
    ask="#c62f2f",
    amber="#8a5a00",
    accent="#1565c0",
    primary="#1f62b5",
    primary_hover="#1a549c",
    on_primary="#ffffff",
    selection="#cfe2f8",
)

COLOUR_BLIND_DARK = dataclasses.replace(
    DARK, name="colour-blind-dark", bid="#5aaaf5", ask="#f28e2b", amber="#f5d547", accent="#b9a2f7"
)

COLOUR_BLIND_LIGHT = dataclasses.replace(
    LIGHT, name="colour-blind-light", bid="#0a5fa8", ask="#a34a00", amber="#6f5f00", accent="#6a3fc0"
)

PALETTES = (DARK, LIGHT, COLOUR_BLIND_DARK, COLOUR_BLIND_LIGHT)


def palette_for(scheme: Scheme, *, system_is_dark: bool) -> Palette:
    """The palette of a choice, given what the desktop uses now."""
    fixed = {
        Scheme.DARK: DARK,
        Scheme.LIGHT: LIGHT,
        Scheme.COLOUR_BLIND_DARK: COLOUR_BLIND_DARK,
        Scheme.COLOUR_BLIND_LIGHT: COLOUR_BLIND_LIGHT,
    }
    if scheme in fixed:
        return fixed[scheme]
    if scheme is Scheme.COLOUR_BLIND:
        return COLOUR_BLIND_DARK if system_is_dark else COLOUR_BLIND_LIGHT
    return DARK if system_is_dark else LIGHT


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two ``#rrggbb`` colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
