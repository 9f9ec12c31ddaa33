"""Painted widgets and small controls: ladder, depth chart, tape, header strip, state pill.

What a tab needs of them::

    clock = FrameClock(app, cap_fps=60)          # one for the application; the feed's side calls clock.wake()
    ladder = Ladder(clock, theme)                # objectName "ladder"
    chart = DepthChart(clock, theme)             # objectName "depthChart"
    tape = Tape(clock, theme)                    # objectName "tape"
    header = Header(clock, theme)                # holds "stopButton" and "stateLabel"
    for widget in (ladder, chart, tape, header):
        widget.set_feed(feed)                    # None while there is none
        manager.changed.connect(widget.set_theme)
    header.grouping_chosen.connect(ladder.set_grouping)
    ladder.grouping_stepped.connect(header.step_grouping)
    header.centre_clicked.connect(ladder.centre)
    header.run_clicked.connect(stop_or_start)    # the tab decides by the feed's state
"""
