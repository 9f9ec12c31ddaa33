"""The heatmap's colours: a table of 256, its lightness even from step to step, for each kind of theme.

The steps are made in OKLab (Björn Ottosson, "A perceptual color space for image processing", 2020), where equal
distances look equal. More size is lighter on a dark theme and darker on a light one, so that it can be told without
any sense of hue; with a colour-blind-safe theme the table has hardly any hue, which leaves blue and orange to trades.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from depthgui.ui.palettes import Palette
from depthgui.ui.viewmodels.heatmap_cells import FULL, GAP, UNKNOWN

Colours = npt.NDArray[np.uint32]

# What lies between the background and the largest size.
_STOPS = {
    (True, False): ("#1c2f66", "#3a5a94", "#93855f", "#f0b429"),
    (False, False): ("#dfe8f5", "#a6bfe4", "#5c82c0", "#14285c"),
    (True, True): ("#2b3038", "#565c66", "#949aa3", "#eef1f5"),
    (False, True): ("#d9dde3", "#a5abb5", "#636975", "#14181f"),
}
_DAMPING = 1.4  # codes go with the square root of a size, brightness nearer to the size itself
_FIRST_SHARE = 0.12  # the smallest size stands off from the background by this much

# Linear sRGB to cone responses, and their cube roots to OKLab.
_TO_LMS = np.array(
    (
        (0.4122214708, 0.5363325363, 0.0514459929),
        (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005),
    )
)
_TO_LAB = np.array(
    (
        (0.2104542553, 0.7936177850, -0.0040720468),
        (1.9779984951, -2.4285922050, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.8086757660),
    )
)


@functools.cache
def heat_table(palette: Palette) -> Colours:
    """Colours as 0xffRRGGBB by cell code: empty, the sizes, unknown, gap. The last two are plain backgrounds."""
    is_neutral = palette.name.startswith("colour-blind")
    stops = (palette.background, *_STOPS[palette.is_dark, is_neutral])
    labs = np.array([to_oklab(stop) for stop in stops])
    # Even steps of lightness: a colour's place on the way is given by how light it is.
    lightness = labs[:, 0]
    places = (lightness - lightness[0]) / (lightness[-1] - lightness[0])
    shares = np.concatenate(((0.0,), np.linspace(_FIRST_SHARE, 1.0, FULL)))
    shares = shares**_DAMPING
    ramp = np.stack([np.interp(shares, places, labs[:, axis]) for axis in range(3)], axis=1)
    table = np.zeros(256, np.uint32)
    table[: FULL + 1] = _packed(ramp)
    table[0] = table[UNKNOWN] = _word(palette.background)
    table[GAP] = _word(palette.panel)
    return table


def to_oklab(colour: str) -> npt.NDArray[np.float64]:
    """OKLab coordinates of ``#rrggbb``; the first, lightness, goes from 0 to 1."""
    channels = np.array([int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return np.asarray(_TO_LAB @ np.cbrt(_TO_LMS @ linear), np.float64)


def _packed(labs: npt.NDArray[np.float64]) -> Colours:
    linear = np.linalg.solve(_TO_LMS, np.linalg.solve(_TO_LAB, labs.T) ** 3).clip(0.0, 1.0)
    channels = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = np.rint(channels * 255).astype(np.uint32)
    return np.asarray(np.uint32(0xFF000000) | red << 16 | green << 8 | blue, np.uint32)


def _word(colour: str) -> int:
    return 0xFF000000 | int(colour[1:], 16)
