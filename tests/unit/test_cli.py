"""The command line: what it accepts, what it says of what it doesn't, and that it needs no Qt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from depthgui._version import __version__
from depthgui.cli import CommandLineError, Venue, parse


def test_symbols_may_stand_before_and_after_options(tmp_path: Path) -> None:
    arguments = parse(["BTCUSDT", "--profile", str(tmp_path), "usdm:ETHUSDT", "--demo", "coinm:BTCUSD_PERP"])
    assert arguments.symbols == ("BTCUSDT", "usdm:ETHUSDT", "coinm:BTCUSD_PERP")
    assert arguments.profile == tmp_path
    assert arguments.demo
    assert arguments.uses_exchange


def test_nothing_is_asked_for_without_arguments() -> None:
    arguments = parse([])
    assert arguments.symbols == ()
    assert arguments.venue is None
    assert arguments.endpoint is None
    assert arguments.exit_after_s is None
    assert not arguments.uses_exchange
    assert not arguments.needs_no_screen


def test_replay_uses_the_embedded_exchange(tmp_path: Path) -> None:
    files = [tmp_path / "one.gz", tmp_path / "two.gz"]
    for file in files:
        file.touch()
    arguments = parse(["--replay", str(files[0]), str(files[1]), "--speed", "10"])
    assert arguments.replay == tuple(files)
    assert arguments.speed == 10
    assert arguments.uses_exchange


def test_an_environment_by_its_name() -> None:
    assert parse(["--venue", "testnet"]).venue is Venue.TESTNET


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--venue", "mars"], "'mars' is none of production, testnet, demo-mode, us, data-only"),
        (["--demo", "--endpoint", "http://h"], "choose one of"),
        (["--venue", "us", "--demo"], "choose one of"),
        (["--endpoint", "localhost:80"], "give a full address"),
        (["--replay", "/no/such/recording"], "there is no file or folder /no/such/recording"),
        (["--speed", "0"], "'0' is not a number above 0"),
        (["--speed", "nan"], "'nan' is not a number above 0"),
        (["--exit-after", "soon"], "'soon' is not a number above 0"),
        (["--report", "x"], "--report goes with --self-test"),
        (["mars:BTCUSDT"], "there is no market 'mars'"),
        (["BTC USDT"], "is not a symbol"),
        (["--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(argv: list[str], said: str) -> None:
    with pytest.raises(CommandLineError, match=r"^[^\n]+$") as caught:
        parse(argv)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("argv", "code", "stream", "said"),
    [
        (["--version"], 0, "stdout", f"depthgui {__version__}"),
        (["--help"], 0, "stdout", "usdm:BTCUSDT"),
        (["--speed", "fast"], 2, "stderr", "depthgui: argument --speed"),
    ],
)
def test_answers_without_importing_qt(argv: list[str], code: int, stream: str, said: str) -> None:
    script = (
        "import sys\n"
        "class NoQt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        assert name.partition('.')[0] not in {'PySide6', 'qasync', 'pyqtgraph', 'aiohttp'}, name\n"
        "sys.meta_path.insert(0, NoQt())\n"
        "from depthgui.__main__ import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *argv], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == code, done.stderr
    assert said in getattr(done, stream)
    assert "Traceback" not in done.stderr
