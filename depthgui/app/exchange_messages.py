"""What the application and its embedded exchange say to each other: JSON lines on the child's standard streams.

They stand apart from both ends, so that the window's process never imports the exchange.
"""

from __future__ import annotations

import msgspec

from depthgui.cli import Arguments


class Orders(msgspec.Struct, kw_only=True):
    """What to serve. `replays` are paths; `symbols` texts are not needed: the exchange lists its own."""

    seed: int = 1
    replays: list[str] = []
    speed: float = 1.0
    keeps_pauses: bool = False
    faults: list[str] = []


class Answer(msgspec.Struct, kw_only=True):
    """Where it serves and which recorded symbols it has, or why it does not."""

    base_url: str = ""
    symbols: list[str] = []
    warnings: list[str] = []
    error: str = ""


class Command(msgspec.Struct, kw_only=True):
    """A fault to make now, in the exchange's fault language; or "disconnect" for every connection."""

    fault: str = ""
    disconnect: bool = False


def orders_of(arguments: Arguments) -> Orders:
    """What the command line wants of the exchange."""
    return Orders(
        seed=1 if arguments.seed is None else arguments.seed,
        replays=[str(path.absolute()) for path in arguments.replay],
        speed=arguments.speed,
        keeps_pauses=arguments.keep_pauses,
        faults=list(arguments.faults),
    )
