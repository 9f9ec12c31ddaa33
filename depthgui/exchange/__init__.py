"""An exchange of one's own: Binance's REST and WebSocket on a loopback address, synthetic or from recordings.

Run it with ``python -m depthgui.exchange --port 8900``, or inside a program with ``async with Exchange() as exchange``.
"""

from depthgui.exchange.clock import Clock, ManualClock, SystemClock
from depthgui.exchange.faults import FAULTS, Fault, FaultBox, FaultError, describe_faults
from depthgui.exchange.playback import Replay
from depthgui.exchange.server import Exchange
from depthgui.exchange.streams import SocketRules
from depthgui.recording.lines import RecordingError

__all__ = [
    "FAULTS",
    "Clock",
    "Exchange",
    "Fault",
    "FaultBox",
    "FaultError",
    "ManualClock",
    "RecordingError",
    "Replay",
    "SocketRules",
    "SystemClock",
    "describe_faults",
]
