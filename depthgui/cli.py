"""The command line: arguments only. Imports no Qt and no network, so that --help and --version answer at once."""

from __future__ import annotations

import argparse
import enum
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from depthgui._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

# First argument with which a frozen build starts itself again as the embedded exchange: it has no `python -m`.
EXCHANGE_FLAG = "--run-embedded-exchange"

_EPILOG = """\
symbols:
  BTCUSDT                        spot
  usdm:BTCUSDT                   USD-M futures
  coinm:BTCUSD_PERP              COIN-M futures
  options:BTC-261225-100000-C    vanilla options

examples:
  depthgui BTCUSDT usdm:ETHUSDT
  depthgui --demo
  depthgui --replay recording.ndjson.gz --speed 10
  depthgui --demo --screenshot window.png --exit-after 8
  depthgui --self-test
"""


class Venue(enum.Enum):
    """Which of the venue's environments to talk to; the values are what the command line and the settings say."""

    PRODUCTION = "production"
    TESTNET = "testnet"
    DEMO_MODE = "demo-mode"
    US = "us"
    DATA_ONLY = "data-only"


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the command line asked for.

    `symbols` are the texts as typed. `profile` is a folder or None for the platform's own places. `venue` and
    `endpoint` are None where nothing was said; the settings decide then. `exit_after_s` is None for "until closed".
    """

    symbols: tuple[str, ...] = ()
    demo: bool = False
    endpoint: str | None = None
    venue: Venue | None = None
    profile: Path | None = None
    new_window: bool = False
    replay: tuple[Path, ...] = ()
    speed: float = 1.0
    keep_pauses: bool = False
    seed: int | None = None
    faults: tuple[str, ...] = ()
    screenshot: Path | None = None
    exit_after_s: float | None = None
    self_test: bool = False
    report: Path | None = None
    stats: Path | None = None
    log_level: str = "INFO"

    @property
    def uses_exchange(self) -> bool:
        """True when the embedded exchange is the venue."""
        return self.demo or bool(self.replay)

    @property
    def may_join(self) -> bool:
        """True when a window that is open already may serve: nothing is asked for that it might not have."""
        has_venue = self.uses_exchange or self.endpoint is not None or self.venue is not None
        is_unattended = self.needs_no_screen or self.exit_after_s is not None or self.stats is not None
        return not (self.new_window or has_venue or is_unattended)

    @property
    def needs_no_screen(self) -> bool:
        """True when nobody is expected to look at the window."""
        return self.self_test or self.screenshot is not None


class CommandLineError(Exception):
    """The command line cannot be understood; the text is a sentence for a person."""


class _Parser(argparse.ArgumentParser):
    """Raises instead of ending the process, so that `open_app` can be given arguments too."""

    def error(self, message: str) -> NoReturn:
        raise CommandLineError(message)


def build_parser() -> argparse.ArgumentParser:
    """Make the parser; its help text is the reference of the command line."""
    parser = _Parser(
        prog="depthgui",
        description="Live Binance order books: ladder, heatmap, depth chart and tape, one tab per symbol.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("symbols", nargs="*", metavar="SYMBOL", help="open a tab for each (see below)")
    parser.add_argument("--version", action="version", version=f"depthgui {__version__}")
    _add_venue_options(parser)
    _add_session_options(parser)
    _add_unattended_options(parser)
    return parser


def _add_venue_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where the data comes from")
    group.add_argument(
        "--venue",
        type=_venue,
        metavar="NAME",
        help="an environment of the venue: " + ", ".join(venue.value for venue in Venue),
    )
    group.add_argument(
        "--endpoint", metavar="BASE", help="another host that speaks like the venue, http://127.0.0.1:8900"
    )
    group.add_argument("--demo", action="store_true", help="start the embedded exchange and connect to it; no network")
    group.add_argument(
        "--replay",
        nargs="+",
        action="extend",
        type=Path,
        default=[],
        metavar="FILE",
        help="play recordings, files or folders, through the embedded exchange",
    )
    group.add_argument("--keep-pauses", action="store_true", help="play pauses of more than two seconds as they are")
    group.add_argument("--speed", type=_positive, default=1.0, metavar="N", help="speed of the replay (default 1)")
    group.add_argument("--seed", type=int, metavar="N", help="seed of the embedded exchange's synthetic market")
    group.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="SPEC",
        dest="faults",
        help="a fault for the embedded exchange to make",
    )


def _add_session_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where things are kept")
    group.add_argument("--profile", type=Path, metavar="DIR", help="keep settings, tabs and logs in this folder")
    group.add_argument(
        "--new-window",
        action="store_true",
        help="open a second window where DepthGUI runs with this profile already, and keep nothing of it; "
        "otherwise the window that is open comes to the front, unless this start names a venue or an end of its own",
    )
    group.add_argument(
        "--log-level",
        type=str.upper,
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
        default="INFO",
        help="how much the log file tells (default INFO)",
    )


def _add_unattended_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("without a person watching")
    group.add_argument(
        "--screenshot", type=Path, metavar="FILE", help="save what the window shows when the program ends"
    )
    group.add_argument(
        "--exit-after", type=_positive, metavar="SECONDS", dest="exit_after_s", help="end by itself after this time"
    )
    group.add_argument(
        "--self-test", action="store_true", help="try everything on the embedded exchange; ends with 0 or 1"
    )
    group.add_argument("--report", type=Path, metavar="FILE", help="write the self-test's lines to this file as well")
    group.add_argument(
        "--stats", type=Path, metavar="FILE", help="write what it costs to this file, one JSON line a second"
    )


def parse(argv: Sequence[str]) -> Arguments:
    """Parse the arguments after the program's name.

    Raises `CommandLineError` with a sentence for a person. `--help` and `--version` print and raise SystemExit(0).
    """
    values = vars(build_parser().parse_intermixed_args(list(argv)))
    for name in ("symbols", "replay", "faults"):
        values[name] = tuple(values[name])
    arguments = Arguments(**values)
    _check(arguments)
    return arguments


def _check(arguments: Arguments) -> None:
    """Refuse what contradicts itself, before a window or a process has been made."""
    sources = [arguments.endpoint is not None, arguments.venue is not None, arguments.uses_exchange]
    if sum(sources) > 1:
        raise CommandLineError(
            "choose one of --venue, --endpoint and --demo / --replay: each names where the data comes from"
        )
    if arguments.endpoint is not None and not arguments.endpoint.startswith(("http://", "https://")):
        raise CommandLineError(f"--endpoint {arguments.endpoint}: give a full address, such as http://127.0.0.1:8900")
    missing = [str(path) for path in arguments.replay if not path.exists()]
    if missing:
        raise CommandLineError(f"--replay: there is no file or folder {', '.join(missing)}")
    if arguments.report is not None and not arguments.self_test:
        raise CommandLineError("--report goes with --self-test")
    for text in arguments.symbols:
        _check_symbol(text)


def _check_symbol(text: str) -> None:
    from depthgui.binance.endpoints import parse_symbol_ref

    try:
        parse_symbol_ref(text)
    except ValueError as error:
        raise CommandLineError(str(error)) from error


def _venue(text: str) -> Venue:
    try:
        return Venue(text)
    except ValueError:
        names = ", ".join(venue.value for venue in Venue)
        raise argparse.ArgumentTypeError(f"{text!r} is none of {names}") from None


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value
