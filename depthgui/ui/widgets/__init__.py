"""Painted widgets and small controls: ladder, heatmap, depth chart, tape, header strip, state pill.

What a tab needs of them::

    clock = FrameClock(app, cap_fps=60)          # one for the application
    feed.wake = clock.wake                       # per message: cheap
    ladder = Ladder(clock, theme)                # objectName "ladder"; `.painted` is what was drawn last
    heatmap = HeatmapPanel(clock, theme)         # its plot is "heatmap"; `follow_state` when the feed's state changes
    chart = DepthChart(clock, theme)             # objectName "depthChart"
    tape = Tape(clock, theme)                    # objectName "tape"
    header = Header(clock, theme)                # holds "stopButton" and "stateLabel"
    for widget in (ladder, heatmap, chart, tape, header):
        widget.set_feed(feed)                    # None while there is none
        manager.changed.connect(widget.set_theme)
    header.grouping_chosen.connect(ladder.set_grouping)
    ladder.grouping_stepped.connect(header.step_grouping)
    ladder.grouping_changed.connect(header.set_grouping)
    header.centre_clicked.connect(ladder.centre)
    header.run_clicked.connect(stop_or_start)    # the tab decides by the feed's state

Each joins the clock while it is shown and leaves it when hidden. Without a grouping of the user's own the ladder takes
the one that its first live book suggests. What the user chooses in a widget's own menu is told by `options_changed`
(ladder, tape), `range_changed` and `log_changed` (chart), to be remembered.
"""
