"""Theme, icons, typeface and resources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui import icons, resources
from depthgui.ui.fonts import Typeface, load_typeface
from depthgui.ui.memory_resources import MemoryResources
from depthgui.ui.palettes import DARK, LIGHT, PALETTES, Palette, Scheme
from depthgui.ui.theme import Theme, ThemeManager

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QApplication
    from pytestqt.qtbot import QtBot

ICONS = sorted(path.stem for path in (resources.resource_root() / "icons").glob("*.svg"))


@pytest.fixture
def manager(qapp: QApplication) -> Iterator[ThemeManager]:
    before = (qapp.styleSheet(), qapp.palette(), qapp.font())
    made = ThemeManager(qapp, Scheme.DARK)
    yield made
    made.deleteLater()
    qapp.setStyleSheet(before[0])
    qapp.setPalette(before[1])
    qapp.setFont(before[2])


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_the_style_sheet_has_no_name_left_open(theme: Theme, palette: Palette) -> None:
    sheet = Theme(palette, theme.typeface).style_sheet("images")
    assert "$" not in sheet
    assert palette.background in sheet
    assert sheet.count("{") == sheet.count("}")


@pytest.mark.parametrize("palette", PALETTES, ids=lambda palette: palette.name)
def test_every_image_of_the_style_sheet_is_there_and_none_is_a_file(theme: Theme, palette: Palette) -> None:
    images = MemoryResources()
    folder = images.add(f"test-{palette.name}", icons.style_images(palette))
    assert images.add(f"test-{palette.name}", {}) == folder, "once is enough"
    wanted = re.findall(r'url\("(.*?)"\)', theme.style_sheet(folder))
    assert len(wanted) >= 10
    for path in wanted:
        assert path.startswith(":/")
        assert QtGui.QImageReader(path).canRead(), path
    images.close()
    assert not QtGui.QImageReader(wanted[0]).canRead()


def test_files_in_memory_have_their_names_and_contents(qapp: QtWidgets.QApplication) -> None:
    files = {f"{letter}{number}-\u00e4.txt": bytes([number]) * number for letter in "azAZ" for number in range(40)}
    images = MemoryResources()
    folder = images.add("test-files", files)
    assert set(QtCore.QDir(folder).entryList()) == set(files)
    for name, content in files.items():
        file = QtCore.QFile(f"{folder}/{name}")
        assert file.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        assert bytes(file.readAll().data()) == content
    images.close()


def test_the_style_sheet_is_understood_by_qt(qtbot: QtBot, manager: ThemeManager) -> None:
    # Qt warns of what it can't parse, and a warning fails the test.
    for kind in (QtWidgets.QPushButton, QtWidgets.QLineEdit, QtWidgets.QComboBox, QtWidgets.QTableWidget):
        widget = kind()
        qtbot.addWidget(widget)
        widget.show()
        widget.grab()


def test_a_chosen_theme_is_applied_at_once(qapp: QApplication, manager: ThemeManager, qtbot: QtBot) -> None:
    assert qapp.palette().color(QtGui.QPalette.ColorRole.Window).name() == DARK.panel
    with qtbot.waitSignal(manager.changed) as signal:
        manager.set_scheme(Scheme.LIGHT)
    assert signal.args[0].palette is LIGHT
    assert manager.theme.palette is LIGHT
    assert qapp.palette().color(QtGui.QPalette.ColorRole.Window).name() == LIGHT.panel
    assert LIGHT.accent in qapp.styleSheet()


def test_choosing_the_same_look_again_says_nothing(manager: ThemeManager) -> None:
    seen: list[object] = []
    manager.changed.connect(seen.append)
    manager.set_scheme(Scheme.DARK)
    assert seen == []


def test_the_system_is_followed_only_where_it_was_chosen(
    manager: ThemeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hints:
        def colorScheme(self) -> QtCore.Qt.ColorScheme:
            return QtCore.Qt.ColorScheme.Light

    monkeypatch.setattr(manager, "_hints", Hints())
    manager._on_system_changed()
    assert manager.theme.palette is DARK
    manager.set_scheme(Scheme.SYSTEM)
    assert manager.theme.palette is LIGHT


def test_text_grows_with_the_font_scale(qapp: QApplication, manager: ThemeManager) -> None:
    before = qapp.font().pixelSize()
    manager.set_font_scale(1.5)
    assert qapp.font().pixelSize() == round(before * 1.5)


def test_colours_by_name(theme: Theme) -> None:
    assert theme.colour("bid").name() == DARK.bid
    assert theme.colour("bid", 0.5).alpha() == 128
    assert theme.mix("bid", "background", 0).name() == DARK.background
    assert theme.pen("ask", width=2).widthF() == 2
    with pytest.raises(KeyError):
        theme.colour("mauve")


@pytest.mark.parametrize("name", ICONS)
def test_every_icon_is_of_one_family_and_draws_something(qapp: QApplication, name: str) -> None:
    source = icons.svg_source(name)
    if name != "depthgui":
        assert 'viewBox="0 0 24 24"' in source
        assert 'stroke="currentColor"' in source
        assert 'stroke-width="1.75"' in source
        assert not re.search(r"#[0-9a-fA-F]{3}", source)
    picture = icons.icon_pixmap(name, "#ff0000", 24, 2.0).toImage()
    assert picture.size() == QtCore.QSize(48, 48)
    filled = [picture.pixelColor(x, y) for x in range(48) for y in range(48) if picture.pixelColor(x, y).alpha() > 200]
    assert len(filled) > 30
    if name != "depthgui":
        assert {colour.name() for colour in filled} <= {f"#{red:02x}0000" for red in range(250, 256)}


ASKED_FOR = """
add close stop start centre resync settings search star star-filled warning error info copy pop-out pop-in compact
screenshot lock unlock minus plus depthgui
"""


@pytest.mark.parametrize("name", ASKED_FOR.split())
def test_the_icons_that_are_asked_for_are_there(name: str) -> None:
    assert name in ICONS


def test_an_icon_has_a_look_for_each_of_its_states(qapp: QApplication) -> None:
    icon = icons.themed_icon("settings", DARK, "muted")
    modes = (QtGui.QIcon.Mode.Normal, QtGui.QIcon.Mode.Active, QtGui.QIcon.Mode.Disabled)
    pictures = [icon.pixmap(QtCore.QSize(24, 24), mode).toImage() for mode in modes]
    assert pictures[0] != pictures[1]
    assert pictures[0] != pictures[2]
    assert icons.themed_icon("settings", DARK, "muted") is icon


def test_state_marks_have_different_shapes() -> None:
    shapes = [shape for shape, _ in icons.STATE_MARKS.values()]
    assert len(set(shapes)) == len(shapes) == 7


def test_the_application_s_icon_has_every_usual_size(qapp: QApplication) -> None:
    sizes = {size.width() for size in icons.app_icon().availableSizes()}
    assert {16, 24, 32, 48, 64, 128, 256} <= sizes


def test_unknown_files_are_named(qapp: QApplication) -> None:
    with pytest.raises(FileNotFoundError, match="nonsense"):
        icons.icon_pixmap("nonsense", "#000000", 16, 1.0)


@pytest.mark.parametrize("weight", [400, 600])
def test_figures_are_all_of_one_width(qapp: QApplication, weight: int) -> None:
    metrics = QtGui.QFontMetricsF(load_typeface().figures(13, weight))
    assert len({metrics.horizontalAdvance(digit) for digit in "0123456789"}) == 1
    assert metrics.horizontalAdvance("11111.11") == pytest.approx(metrics.horizontalAdvance("88888.88"))


def test_a_typeface_is_found_and_can_draw(qapp: QApplication) -> None:
    face = load_typeface()
    assert face.family
    assert face.source in {"fontpkg_inter", "font_roboto", "system"}
    metrics = QtGui.QFontMetricsF(face.font(20))
    assert metrics.horizontalAdvance("A") != metrics.horizontalAdvance("W")


def test_without_a_packaged_font_the_system_s_is_taken(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    face = load_typeface(1.25)
    assert (face.source, face.scale) == ("system", 1.25)


def test_sizes_follow_the_scale() -> None:
    assert Typeface("Any", "system").scaled(1.5).font(12).pixelSize() == 18
    assert Typeface("Any", "system").scaled(0.1).font(12).pixelSize() == 8
