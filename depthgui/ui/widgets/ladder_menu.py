"""The ladder's own menu: columns, what sizes are counted in, short numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.ui.viewmodels.instrument import Instrument
from depthgui.ui.viewmodels.ladder_options import USUAL_COLUMNS, Column, LadderOptions, SizeUnit
from depthgui.ui.widgets.ladder_painter import TITLES

Choose = Callable[[LadderOptions], None]


def ladder_menu(
    parent: QtWidgets.QWidget, options: LadderOptions, instrument: Instrument | None, choose: Choose
) -> QtWidgets.QMenu:
    """A menu that calls `choose` with the changed options; it deletes itself when closed."""
    menu = QtWidgets.QMenu(parent)
    menu.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
    for column in Column:
        action = menu.addAction(TITLES[column])
        action.setCheckable(True)
        action.setChecked(column in options.columns)
        action.setEnabled(column is not Column.PRICE)
        action.triggered.connect(lambda is_on, chosen=column: choose(with_column(options, chosen, is_shown=is_on)))
    usual = menu.addAction("Usual columns")
    usual.setEnabled(options.columns != USUAL_COLUMNS)
    usual.triggered.connect(lambda: choose(dataclasses.replace(options, columns=USUAL_COLUMNS)))
    menu.addSeparator()
    _add_units(menu, options, instrument, choose)
    menu.addSeparator()
    short = menu.addAction("Short numbers (1.25K, 3.40M)")
    short.setCheckable(True)
    short.setChecked(options.short_numbers)
    short.triggered.connect(lambda is_on: choose(dataclasses.replace(options, short_numbers=is_on)))
    return menu


def _add_units(menu: QtWidgets.QMenu, options: LadderOptions, instrument: Instrument | None, choose: Choose) -> None:
    is_contracts = instrument is not None and instrument.size_unit == "contracts"
    base = instrument.base if instrument is not None and instrument.base else "base asset"
    quote = instrument.quote if instrument is not None and instrument.quote else "quote asset"
    units = [(SizeUnit.NATIVE, "contracts")] if is_contracts else [(SizeUnit.NATIVE, base)]
    if is_contracts:
        units.append((SizeUnit.BASE, base))
    units.append((SizeUnit.QUOTE, quote))
    group = QtGui.QActionGroup(menu)
    is_value_known = instrument is None or instrument.is_value_known
    for unit, name in units:
        action = menu.addAction(f"Sizes in {name}")
        action.setEnabled(is_value_known or unit is SizeUnit.NATIVE)
        action.setCheckable(True)
        action.setChecked(unit is options.size_unit)
        action.triggered.connect(lambda _on, chosen=unit: choose(dataclasses.replace(options, size_unit=chosen)))
        group.addAction(action)


def with_column(options: LadderOptions, column: Column, *, is_shown: bool) -> LadderOptions:
    """The same choices with a column shown, at its usual place among the others, or hidden."""
    if (column in options.columns) is is_shown:
        return options
    if not is_shown:
        return dataclasses.replace(options, columns=tuple(c for c in options.columns if c is not column))
    order = list(Column)
    place = sum(1 for other in options.columns if order.index(other) < order.index(column))
    return dataclasses.replace(options, columns=(*options.columns[:place], column, *options.columns[place:]))


def with_column_moved(options: LadderOptions, column: Column, place: int) -> LadderOptions:
    """The same choices with a column at another place, counted from the left."""
    rest = [other for other in options.columns if other is not column]
    place = min(max(place, 0), len(rest))
    return dataclasses.replace(options, columns=(*rest[:place], column, *rest[place:]))
