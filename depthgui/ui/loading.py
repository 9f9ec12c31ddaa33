"""Imports what paints the pages, after the first window: in steps, between which the event loop has its turn.

The books come meanwhile: a venue takes its time from the subscription to the first diff, and from there to the snapshot
and the diff that joins it.
"""

from __future__ import annotations

import asyncio
import importlib
import sys

_PANELS = "depthgui.ui.panels"
# Each takes 20 to 100 ms, and brings what it needs; all that is left comes with the panels.
_STEPS = (
    "depthgui.ui.widgets.canvas",
    "depthgui.ui.widgets.ladder",
    "depthgui.ui.widgets.depth_chart",
    "depthgui.ui.widgets.heatmap_panel",
    _PANELS,
)
# Long enough for the event loop to look at its sockets; a turn of zero length may pass them by.
_TURN_S = 0.001


async def load_panels() -> None:
    """Import `depthgui.ui.panels`; does nothing if it is there already."""
    if _PANELS in sys.modules:
        return
    await asyncio.to_thread(importlib.import_module, "numpy")  # it knows no Qt, and may come in another thread
    for name in _STEPS:
        await asyncio.sleep(_TURN_S)
        importlib.import_module(name)
