"""The widgets of one page, made and wired together: header, ladder, depth chart, tape."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from decimal import Decimal

from depthgui.settings import Settings, schema
from depthgui.ui.engine import Feed
from depthgui.ui.frame_clock import FrameClock
from depthgui.ui.theme import Theme
from depthgui.ui.viewmodels.ladder import LadderOptions
from depthgui.ui.widgets.depth_chart import DepthChart
from depthgui.ui.widgets.header import Header
from depthgui.ui.widgets.ladder import Ladder
from depthgui.ui.widgets.tape import Tape
from depthgui.ui.wording import TimeZone

_LARGEST_GROUPING = 1_000_000


class Panels:
    """Header, ladder, chart and tape of one page. Each shows the same feed; a grouping chosen in one holds for all."""

    def __init__(self, theme: Theme, clock: FrameClock) -> None:
        """Make the widgets; they are empty until `attach`."""
        self.header = Header(clock, theme)
        self.ladder = Ladder(clock, theme)
        self.chart = DepthChart(clock, theme)
        self.tape = Tape(clock, theme)
        self.header.grouping_chosen.connect(self.ladder.set_grouping)
        self.header.centre_clicked.connect(self.ladder.centre)
        self.ladder.grouping_stepped.connect(self.header.step_grouping)
        self.ladder.grouping_changed.connect(self.header.set_grouping)

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Call back when the stop button is pressed, to stop or to start."""
        self.header.run_clicked.connect(callback)

    def attach(self, feed: Feed) -> None:
        """Show this feed."""
        for widget in (self.header, self.ladder, self.chart, self.tape):
            widget.set_feed(feed)

    def detach(self) -> None:
        """Show no feed."""
        for widget in (self.header, self.ladder, self.chart, self.tape):
            widget.set_feed(None)

    def set_theme(self, theme: Theme) -> None:
        """Hand the theme on."""
        for widget in (self.header, self.ladder, self.chart, self.tape):
            widget.set_theme(theme)

    def apply_settings(self, settings: Settings) -> None:
        """Take over what the user chose for ladders, charts and tapes."""
        large = settings.get(schema.LARGE_ORDER)
        self.ladder.set_options(
            LadderOptions(
                large_order=Decimal(repr(large)) if large else None,
                flashes=settings.get(schema.FLASH),
            )
        )
        smallest = Decimal(repr(settings.get(schema.TAPE_MINIMUM)))
        zone = TimeZone(settings.get(schema.TIME_ZONE))
        self.tape.set_options(dataclasses.replace(self.tape.options, min_size=smallest, zone=zone))

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
        return {
            "grouping": str(self.ladder.grouping),
            "range": "all" if percent is None else f"{percent:g}",
            "log": "1" if self.chart.is_log else "0",
        }

    def restore_layout(self, layout: dict[str, str]) -> None:
        """Take over what `layout_state` gave; what makes no sense is left as it is."""
        grouping = layout.get("grouping", "")
        if grouping.isdecimal() and 1 <= int(grouping) <= _LARGEST_GROUPING:
            self.ladder.set_grouping(int(grouping))
            self.header.set_grouping(int(grouping))
        self._restore_range(layout.get("range", ""))
        if layout.get("log") in {"0", "1"}:
            self.chart.set_log(layout["log"] == "1")

    def _restore_range(self, text: str) -> None:
        try:
            percent = None if text == "all" else float(text)
        except ValueError:
            return
        if percent is None or 0 < percent <= 100:
            self.chart.set_range(percent)
