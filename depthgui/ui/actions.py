"""The commands of the main window, declared once as data: text, keys, icon, where they stand, what they call.

Menus, shortcuts, the key list in the help and the keys page of the settings are all made from `ACTIONS`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.icons import themed_icon
from depthgui.ui.palettes import Palette
from depthgui.ui.theme import Theme


class Menu(enum.Enum):
    """The menus, in this order; the value is the title with its mnemonic."""

    FILE = "&File"
    VIEW = "&View"
    SYMBOL = "&Symbol"
    TOOLS = "&Tools"
    HELP = "&Help"


class Needs(enum.Enum):
    """What must be there for a command to make sense; it is greyed out otherwise."""

    NOTHING = enum.auto()
    TAB = enum.auto()
    CLOSED_TAB = enum.auto()


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One command. `name` is its object name; `handler` the method of the main window's commands it calls.

    `keys` are portable key sequences, the first shown in the menu. `begins_section` draws a line above it.
    """

    name: str
    menu: Menu
    text: str
    handler: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    needs: Needs = Needs.NOTHING
    begins_section: bool = False
    is_checkable: bool = False
    role: QtGui.QAction.MenuRole = QtGui.QAction.MenuRole.NoRole


_ROLE = QtGui.QAction.MenuRole

ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec(
        "actionAddSymbol", Menu.FILE, "&Add symbol…", "add_symbol", ("Ctrl+T",), "add", "Open a tab for a symbol"
    ),
    ActionSpec(
        "actionReopenTab", Menu.FILE, "&Reopen closed tab", "reopen_tab", ("Ctrl+Shift+T",), needs=Needs.CLOSED_TAB
    ),
    ActionSpec("actionCloseTab", Menu.FILE, "&Close tab", "close_tab", ("Ctrl+W",), "close", needs=Needs.TAB),
    ActionSpec(
        "actionPicture",
        Menu.FILE,
        "Save &picture…",
        "save_picture",
        ("Ctrl+S",),
        "screenshot",
        "Save a picture of the tab",
        needs=Needs.TAB,
        begins_section=True,
    ),
    ActionSpec(
        "actionSettings",
        Menu.FILE,
        "Se&ttings…",
        "settings",
        ("Ctrl+,",),
        "settings",
        begins_section=True,
        role=_ROLE.PreferencesRole,
    ),
    ActionSpec("actionQuit", Menu.FILE, "&Quit", "quit", ("Ctrl+Q",), begins_section=True, role=_ROLE.QuitRole),
    ActionSpec("actionCentre", Menu.VIEW, "&Centre on the spread", "centre", ("Space",), "centre", needs=Needs.TAB),
    ActionSpec(
        "actionGroupMore",
        Menu.VIEW,
        "Group &more",
        "group_more",
        ("+", "="),
        "plus",
        "Larger price steps",
        needs=Needs.TAB,
    ),
    ActionSpec(
        "actionGroupLess",
        Menu.VIEW,
        "Group &less",
        "group_less",
        ("-",),
        "minus",
        "Smaller price steps",
        needs=Needs.TAB,
    ),
    ActionSpec(
        "actionShowHeatmap",
        Menu.VIEW,
        "&Heatmap",
        "show_heatmap",
        needs=Needs.TAB,
        begins_section=True,
        is_checkable=True,
    ),
    ActionSpec("actionShowChart", Menu.VIEW, "&Depth chart", "show_chart", needs=Needs.TAB, is_checkable=True),
    ActionSpec("actionShowTape", Menu.VIEW, "&Tape", "show_tape", needs=Needs.TAB, is_checkable=True),
    ActionSpec(
        "actionCompact",
        Menu.VIEW,
        "Compact, ladder &only",
        "compact",
        ("F10",),
        "compact",
        "Only the ladder",
        is_checkable=True,
    ),
    ActionSpec("actionOnTop", Menu.VIEW, "Stay on &top", "stay_on_top", is_checkable=True),
    ActionSpec(
        "actionNextTab", Menu.VIEW, "&Next tab", "next_tab", ("Ctrl+Tab",), needs=Needs.TAB, begins_section=True
    ),
    ActionSpec("actionPreviousTab", Menu.VIEW, "&Previous tab", "previous_tab", ("Ctrl+Shift+Tab",), needs=Needs.TAB),
    ActionSpec(
        "actionPopOut", Menu.VIEW, "P&op out into a window", "pop_out", ("Ctrl+Shift+O",), "pop-out", needs=Needs.TAB
    ),
    ActionSpec(
        "actionFullScreen", Menu.VIEW, "&Full screen", "full_screen", ("F11",), begins_section=True, is_checkable=True
    ),
    ActionSpec(
        "actionStopTab",
        Menu.SYMBOL,
        "&Stop or start",
        "stop_or_start",
        ("Ctrl+.",),
        "stop",
        "Stop or start this tab; the others go on",
        needs=Needs.TAB,
    ),
    ActionSpec(
        "actionResync",
        Menu.SYMBOL,
        "&Resync",
        "resync",
        ("F5",),
        "resync",
        "Fetch a fresh snapshot; the book on screen stays until it is in step",
        needs=Needs.TAB,
    ),
    ActionSpec("actionRetry", Menu.SYMBOL, "Re&connect now", "retry_now", ("Shift+F5",), needs=Needs.TAB),
    ActionSpec(
        "actionDuplicate",
        Menu.SYMBOL,
        "&Duplicate tab",
        "duplicate_tab",
        ("Ctrl+D",),
        "copy",
        needs=Needs.TAB,
        begins_section=True,
    ),
    ActionSpec(
        "actionFavourite",
        Menu.SYMBOL,
        "&Favourite",
        "toggle_favourite",
        ("Ctrl+B",),
        "star",
        needs=Needs.TAB,
        is_checkable=True,
    ),
    ActionSpec(
        "actionCopyRows",
        Menu.SYMBOL,
        "Copy ladder &rows",
        "copy_rows",
        ("Ctrl+C",),
        "copy",
        "As tab-separated text",
        needs=Needs.TAB,
    ),
    ActionSpec("actionVenue", Menu.TOOLS, "&Welcome and venues…", "show_welcome"),
    ActionSpec("actionConnections", Menu.TOOLS, "Show &connection problems", "show_connections"),
    ActionSpec("actionOpenLog", Menu.TOOLS, "Open &log", "open_log", icon="log", begins_section=True),
    ActionSpec("actionDiagnostics", Menu.TOOLS, "Copy &diagnostics", "copy_diagnostics", icon="copy"),
    ActionSpec("actionKeys", Menu.HELP, "&Keys", "show_keys", ("F1",)),
    ActionSpec("actionUpdates", Menu.HELP, "Check for &updates…", "check_for_updates"),
    ActionSpec("actionAbout", Menu.HELP, "&About DepthGUI", "show_about", icon="info", role=_ROLE.AboutRole),
)


class ActionRegistry(QtCore.QObject):
    """Makes the actions, the menus and the number keys, and keeps them in step with theme, keys and tabs."""

    def __init__(self, window: QtWidgets.QMainWindow, commands: object, shortcuts: Mapping[str, str]) -> None:
        """`commands` has one method per `ActionSpec.handler`; `shortcuts` are the user's own keys by action name.

        Raises AttributeError if `commands` lacks a handler.
        """
        super().__init__(window)
        self._window = window
        self._actions: dict[str, QtGui.QAction] = {}
        self._palette: Palette | None = None
        self._has_icons = False
        for spec in ACTIONS:
            self._actions[spec.name] = self._make(spec, getattr(commands, spec.handler))
            window.addAction(self._actions[spec.name])
        self.set_shortcuts(shortcuts)

    def __getitem__(self, name: str) -> QtGui.QAction:
        """The action of that object name. Raises KeyError."""
        return self._actions[name]

    def _make(self, spec: ActionSpec, handler: Callable[[], None]) -> QtGui.QAction:
        action = QtGui.QAction(spec.text, self._window)
        action.setObjectName(spec.name)
        action.setCheckable(spec.is_checkable)
        action.setMenuRole(spec.role)
        tip = spec.tip or plain_text(spec.text)
        action.setToolTip(tip)
        action.setStatusTip("")
        # Qt hands over "checked"; the commands ask the action itself.
        action.triggered.connect(lambda _checked=False: handler())
        return action

    def set_shortcuts(self, shortcuts: Mapping[str, str]) -> None:
        """Give every action its keys: the user's own where there are some, else those declared."""
        for spec in ACTIONS:
            own = shortcuts.get(spec.name)
            keys = spec.keys if own is None else tuple(filter(None, [own]))
            self._actions[spec.name].setShortcuts([QtGui.QKeySequence(key) for key in keys])

    def set_theme(self, theme: Theme) -> None:
        """Tint the icons, if they have been seen."""
        self._palette = theme.palette
        if self._has_icons:
            self._tint()

    def _show_icons(self) -> None:
        """A menu is about to be seen: its icons take 25 ms to draw, which the first window need not wait for."""
        if not self._has_icons:
            self._has_icons = True
            self._tint()

    def _tint(self) -> None:
        if self._palette is None:
            return
        for spec in ACTIONS:
            if spec.icon:
                self._actions[spec.name].setIcon(themed_icon(spec.icon, self._palette))

    def set_available(self, *, has_tab: bool, has_closed_tab: bool) -> None:
        """Grey out what makes no sense now."""
        there = {Needs.NOTHING: True, Needs.TAB: has_tab, Needs.CLOSED_TAB: has_closed_tab}
        for spec in ACTIONS:
            self._actions[spec.name].setEnabled(there[spec.needs])

    def fill_menu_bar(self, bar: QtWidgets.QMenuBar) -> dict[Menu, QtWidgets.QMenu]:
        """Add the menus, in order; returns them so that others can add what isn't a command."""
        menus = {}
        for menu in Menu:
            menus[menu] = bar.addMenu(menu.value)
            menus[menu].setObjectName(f"menu{plain_text(menu.value)}")
            menus[menu].aboutToShow.connect(self._show_icons)
        for spec in ACTIONS:
            if spec.begins_section:
                menus[spec.menu].addSeparator()
            menus[spec.menu].addAction(self._actions[spec.name])
        return menus


def plain_text(text: str) -> str:
    """A menu text without its mnemonic and its dots."""
    return text.replace("&", "").rstrip("…")


def key_list(shortcuts: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(menu, what it does, keys) of every command that has keys, for the help and the settings."""
    rows = []
    for spec in ACTIONS:
        own = shortcuts.get(spec.name)
        keys = spec.keys if own is None else tuple(filter(None, [own]))
        if keys:
            native = (QtGui.QKeySequence(key).toString(QtGui.QKeySequence.SequenceFormat.NativeText) for key in keys)
            rows.append((plain_text(spec.menu.value), plain_text(spec.text), " or ".join(native)))
    rows.append((plain_text(Menu.VIEW.value), "Go to tab 1 to 9", "Ctrl+1 … Ctrl+9"))
    return rows
