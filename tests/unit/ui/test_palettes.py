"""The themes can be read, and their sides told apart."""

from __future__ import annotations

import itertools

import pytest

from depthgui.ui.palettes import DARK, LIGHT, PALETTES, Palette, Scheme, contrast, palette_for

GROUNDS = ("background", "panel", "raised")
READABLE = ("text", "muted", "bid", "ask", "amber", "accent")


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
@pytest.mark.parametrize(("text", "ground"), list(itertools.product(READABLE, GROUNDS)))
def test_text_has_contrast_on_every_ground(palette: Palette, text: str, ground: str) -> None:
    colours = palette.colours()
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_chosen_things_stay_readable(palette: Palette) -> None:
    assert contrast(palette.on_primary, palette.primary) >= 4.5
    assert contrast(palette.on_primary, palette.primary_hover) >= 4.5
    assert contrast(palette.text, palette.selection) >= 4.5
    assert contrast(palette.text, palette.hover) >= 4.5


def test_contrast_is_the_standards() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("is_dark", [True, False])
@pytest.mark.parametrize("scheme", Scheme)
def test_every_choice_has_a_palette(scheme: Scheme, is_dark: bool) -> None:
    palette = palette_for(scheme, system_is_dark=is_dark)
    if scheme.follows_system:
        assert palette.is_dark is is_dark
    assert ("colour-blind" in palette.name) is ("colour-blind" in scheme.value)


def test_an_explicit_choice_doesn_t_follow_the_system() -> None:
    assert palette_for(Scheme.DARK, system_is_dark=False) is DARK
    assert palette_for(Scheme.LIGHT, system_is_dark=True) is LIGHT


def test_names_are_the_same_in_every_theme() -> None:
    assert len({tuple(palette.colours()) for palette in PALETTES}) == 1
