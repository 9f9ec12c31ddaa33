"""The widgets of one page, made and wired together: header, ladder, heatmap, depth chart, tape."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal

from depthgui.settings import Settings, schema
from depthgui.ui.engine import Feed
from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.feed_view import LastPriceTracker
from depthgui.ui.viewmodels.figures import NumberFormat
from depthgui.ui.viewmodels.header import HeaderOptions
from depthgui.ui.viewmodels.ladder_options import SizeUnit, columns_from, columns_text
from depthgui.ui.widgets.depth_chart import DepthChart
from depthgui.ui.widgets.header import Header
from depthgui.ui.widgets.heatmap_panel import HeatmapPanel
from depthgui.ui.widgets.ladder import Ladder
from depthgui.ui.widgets.tape import Tape
from depthgui.ui.wording import TimeZone

_LARGEST_GROUPING = 1_000_000


def number_format(marks: str) -> NumberFormat:
    """From the setting's two marks: between thousands ("_" for none), and the decimal one."""
    thousands = marks[0]
    return NumberFormat(thousands="" if thousands == "_" else thousands, point=marks[1])


def _threshold(number: float) -> Decimal | None:
    return Decimal(repr(number)) if number else None


class Panels:
    """Header, ladder, heatmap, chart and tape of one page.

    Each shows the same feed; a grouping chosen in one holds for all.
    """

    def __init__(self, theme: Theme, clock: FrameClock) -> None:
        """Make the widgets; they are empty until `attach`."""
        last_price = LastPriceTracker()
        self.header = Header(clock, theme, last_price=last_price)
        self.ladder = Ladder(clock, theme, last_price=last_price)
        self.heatmap = HeatmapPanel(clock, theme, last_price=last_price)
        self.chart = DepthChart(clock, theme)
        self.tape = Tape(clock, theme)
        self._widgets = (self.header, self.ladder, self.heatmap, self.chart, self.tape)
        self.header.grouping_chosen.connect(self.ladder.set_grouping)
        self.header.centre_clicked.connect(self.ladder.centre)
        self.ladder.grouping_stepped.connect(self.header.step_grouping)
        self.ladder.grouping_changed.connect(self.header.set_grouping)

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Call back when the stop button is pressed, to stop or to start."""
        self.header.run_clicked.connect(callback)

    def attach(self, feed: Feed) -> None:
        """Show this feed. A panel that has failed on another one is tried again."""
        for widget in self._widgets:
            widget.panel_guard.run(widget.set_feed, feed)
            widget.panel_guard.retry()

    def detach(self) -> None:
        """Show no feed."""
        for widget in self._widgets:
            widget.panel_guard.run(widget.set_feed, None)

    def follow_state(self) -> None:
        """Hear that the feed's state has changed; what records must know it at once."""
        self.heatmap.panel_guard.run(self.heatmap.follow_state)

    def set_theme(self, theme: Theme) -> None:
        """Hand the theme on."""
        for widget in self._widgets:
            widget.panel_guard.run(widget.set_theme, theme)

    def apply_settings(self, settings: Settings, key: str = "") -> None:
        """Take over what the user chose; `key` names the one setting that changed, "" stands for all.

        Unit and short numbers can be chosen in the ladder's own menu too: the newer choice holds.
        """
        style = number_format(settings.get(schema.NUMBERS))
        zone = TimeZone(settings.get(schema.TIME_ZONE))
        options = dataclasses.replace(
            self.ladder.options,
            large_order=_threshold(settings.get(schema.LARGE_ORDER)),
            large_value=_threshold(settings.get(schema.LARGE_VALUE)),
            flashes=settings.get(schema.FLASH),
            number_format=style,
        )
        if key in {"", schema.SIZE_UNIT.key}:
            options = dataclasses.replace(options, size_unit=SizeUnit(settings.get(schema.SIZE_UNIT)))
        if key in {"", schema.SHORT_NUMBERS.key}:
            options = dataclasses.replace(options, short_numbers=settings.get(schema.SHORT_NUMBERS))
        column_ms, kept_s = settings.get(schema.HEATMAP_COLUMN), settings.get(schema.HEATMAP_KEPT) * 60
        self.ladder.panel_guard.run(self.ladder.set_options, options)
        self.chart.panel_guard.run(self.chart.set_number_format, style)
        self.heatmap.panel_guard.run(self.heatmap.set_format, style, zone)
        self.heatmap.panel_guard.run(self.heatmap.set_lengths, column_ms, kept_s)
        self.header.panel_guard.run(self.header.set_options, HeaderOptions(settings.get(schema.BAND), style, zone))
        tape = dataclasses.replace(self.tape.options, number_format=style, zone=zone)
        if key in {"", schema.TAPE_MINIMUM.key}:
            tape = dataclasses.replace(tape, min_size=Decimal(repr(settings.get(schema.TAPE_MINIMUM))))
        self.tape.panel_guard.run(self.tape.set_options, tape)

    def centre(self) -> None:
        """Centre the ladder on the spread, and follow it."""
        self.ladder.centre()

    def group(self, direction: int) -> None:
        """Coarser (1) or finer (-1) rows."""
        self.header.step_grouping(direction)

    def rows_text(self) -> str:
        """The ladder's rows as tab-separated text."""
        return self.ladder.copy_text()

    def layout_state(self) -> dict[str, str]:
        """Choices made in the widgets, to remember."""
        percent = self.chart.range_percent
        options = self.ladder.options
        # A grouping that is only the start value must not become a choice: the ladder then finds a fitting one.
        is_known = self.ladder.step is not None or self.ladder.grouping != 1
        return {
            **({"grouping": str(self.ladder.grouping)} if is_known else {}),
            "columns": columns_text(options.columns),
            "unit": options.size_unit.value,
            "short": "1" if options.short_numbers else "0",
            "range": "all" if percent is None else f"{percent:g}",
            "log": "1" if self.chart.is_log else "0",
            **self.heatmap.layout_state(),
        }

    def restore_layout(self, layout: dict[str, str]) -> None:
        """Take over what `layout_state` gave; what makes no sense is left as it is."""
        grouping = layout.get("grouping", "")
        if grouping.isdecimal() and 1 <= int(grouping) <= _LARGEST_GROUPING:
            self.ladder.set_grouping(int(grouping))
            self.header.set_grouping(int(grouping))
        self._restore_range(layout.get("range", ""))
        options = self.ladder.options
        if "columns" in layout:
            options = dataclasses.replace(options, columns=columns_from(layout["columns"]))
        if layout.get("unit") in {unit.value for unit in SizeUnit}:
            options = dataclasses.replace(options, size_unit=SizeUnit(layout["unit"]))
        if layout.get("short") in {"0", "1"}:
            options = dataclasses.replace(options, short_numbers=layout["short"] == "1")
        self.ladder.set_options(options)
        if layout.get("log") in {"0", "1"}:
            self.chart.set_log(layout["log"] == "1")
        self.heatmap.restore_layout(layout)

    def _restore_range(self, text: str) -> None:
        try:
            percent = None if text == "all" else float(text)
        except ValueError:
            return
        if percent is None or 0 < percent <= 100:
            self.chart.set_range(percent)
