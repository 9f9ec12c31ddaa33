"""What README.md says is so: generated parts are current, commands run, examples work, links lead somewhere.

Every command in a block of shell commands is in `COMMANDS`, with what is run in its place: the command itself with an
end to it, or, for those that take minutes, a short form. A command that isn't in there fails the test.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

import dev_environment
import readme_parts
from depthgui.exchange import Exchange
from dev_environment import FULL, ROOT

README = ROOT / "README.md"
TEXT = README.read_text("utf-8")
HAS_QT = find_spec("PySide6") is not None
needs_qt = pytest.mark.skipif(not HAS_QT, reason="no Qt here")


def blocks(language: str) -> list[str]:
    """The contents of the fenced blocks in `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """The commands in the shell blocks, without comments."""
    lines = [line.partition("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line]


END = ["--screenshot", "{folder}/window.png", "--exit-after", "2", "--profile", "{folder}/profile"]
DEPTHGUI = [sys.executable, "-m", "depthgui"]


@dataclass(frozen=True)
class Run:
    """What is run for a command of the README, and what is left out of it."""

    command: list[str]
    left_out: str = ""


COMMANDS = {
    "python3 packaging/dev.py demo": Run([sys.executable, "packaging/dev.py", "demo", *END]),
    "python3 packaging/dev.py test": Run(
        [sys.executable, "packaging/dev.py", "test", "--collect-only", "-q", "tests/packaging/test_dev_qt.py"],
        "collects one file's tests, and runs none",
    ),
    "depthgui BTCUSDT usdm:ETHUSDT coinm:BTCUSD_PERP": Run(
        [*DEPTHGUI, "BTCUSDT", "usdm:ETHUSDT", "coinm:BTCUSD_PERP", "--endpoint", "{exchange}", *END],
        "connects to the embedded exchange, not to Binance",
    ),
    "depthgui --demo": Run([*DEPTHGUI, "--demo", *END]),
    "depthgui --replay recording.ndjson.gz --speed 10": Run(
        [*DEPTHGUI, "--replay", "{recording}", "--speed", "10", *END]
    ),
    "depthgui --endpoint http://127.0.0.1:8900": Run([*DEPTHGUI, "--endpoint", "{exchange}", *END], "another port"),
    "depthgui --self-test": Run([*DEPTHGUI, "--self-test"]),
    "depthgui --help": Run([*DEPTHGUI, "--help"]),
}


def test_every_command_is_run_by_the_test_below() -> None:
    assert commands() == list(COMMANDS)


@pytest.fixture(scope="module")
def exchange_url() -> Iterator[str]:
    """The embedded exchange as a process, as the README says to start it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "depthgui.exchange", "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line
    yield found[0]
    process.terminate()
    process.communicate(timeout=20)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few seconds of the embedded exchange's own stream, in the format of recordings."""
    path = tmp_path_factory.mktemp("recording") / "recording.ndjson"
    path.write_text("\n".join(asyncio.run(record())) + "\n", encoding="utf-8")
    return path


async def record() -> list[str]:
    """A few seconds of BTCUSDT, with a snapshot, as ``<recv_ns> <raw JSON>`` lines."""
    import time

    import aiohttp

    lines: list[str] = []
    async with Exchange() as exchange, aiohttp.ClientSession() as session:
        url = f"{exchange.base_url}/spot"
        streams = "/stream?streams=btcusdt@depth@100ms/btcusdt@trade/btcusdt@bookTicker"
        async with session.ws_connect(url + streams) as socket, asyncio.timeout(20):
            lines.append(f"{time.time_ns()} {(await socket.receive()).data}")
            async with session.get(f"{url}/api/v3/depth?symbol=BTCUSDT&limit=1000") as answer:
                lines.append(f"{time.time_ns()} {await answer.text()}")
            while len(lines) < 60:
                lines.append(f"{time.time_ns()} {(await socket.receive()).data}")
    return lines


@needs_qt
@pytest.mark.slow
@pytest.mark.parametrize("command", list(COMMANDS))
def test_a_command_runs(command: str, tmp_path: Path, exchange_url: str, recording: Path) -> None:
    if "packaging/dev.py" in command and not dev_environment.is_ready(FULL):
        pytest.skip("the environment that dev.py makes isn't there; making it takes a minute")
    values = {"folder": tmp_path, "exchange": exchange_url, "recording": recording}
    run = [part.format(**values) for part in COMMANDS[command].command]
    result = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=55, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    if "--screenshot" in run:
        assert (tmp_path / "window.png").stat().st_size > 10_000


RUNNER = """
import sys
from depthgui import Endpoints
base = sys.argv[1]
Endpoints.production = classmethod(lambda cls: cls.at(base))
source = sys.stdin.read()
exec(compile(source, "README.md", "exec"), {"__name__": "__main__"})
"""


def start_example(source: str, url: str) -> subprocess.Popen[str]:
    """Start an example as it is in the README, with the venue's own hosts leading to the embedded exchange."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUNNER, url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdin is not None
    process.stdin.write(source)
    process.stdin.close()
    process.stdin = None
    return process


def lines_of(source: str, url: str, count: int) -> list[str]:
    """The first lines that an example prints; it is ended after them."""
    process = start_example(source, url)
    assert process.stdout is not None
    found = [process.stdout.readline().strip() for _ in range(count)]
    process.kill()
    _, errors = process.communicate(timeout=20)
    assert all(found), errors
    return found


def example(words: str) -> str:
    """The one example with `words` in it."""
    found = [block for block in blocks("python") if words in block]
    assert len(found) == 1
    return found[0]


def test_the_logger_logs(exchange_url: str) -> None:
    for line in lines_of(example("conv_type=str"), exchange_url, 5):
        time_ms, bid, _, ask, _ = line.split(",")
        assert time_ms.isdigit()
        assert float(bid) < float(ask)


def test_the_alert_alerts(exchange_url: str) -> None:
    source = example("WIDE_BPS").replace('Decimal("1.0")', 'Decimal("0.0001")')
    assert source != example("WIDE_BPS")
    assert re.fullmatch(r"ETHUSDT: spread wide, \d+\.\d{3} bps", lines_of(source, exchange_url, 1)[0])


SEEN_AND_CLOSED = """
def look():
    book = app.topLevelWidgets() and [w for w in app.topLevelWidgets() if hasattr(w, "feed")]
    if book and book[0].feed.state is FeedState.LIVE and not book[0].grab().isNull():
        print("live", *book[0].feed.book.best_bid)
        book[0].close()

looker = QtCore.QTimer(interval=100)
looker.timeout.connect(look)
looker.start()
"""


@needs_qt
def test_the_widget_shows_a_live_book_and_ends_when_closed(exchange_url: str) -> None:
    source = example("class BestPrices").replace("qasync.run(main())", SEEN_AND_CLOSED + "qasync.run(main())")
    process = start_example(source, exchange_url)
    output, errors = process.communicate(timeout=50)
    assert process.returncode == 0, errors
    assert re.match(r"live \d+\.\d+ [\d.]+\n", output), errors


def test_the_generated_parts_are_those_of_the_source() -> None:
    assert readme_parts.with_parts(TEXT) == TEXT, "run: .venv/bin/python packaging/readme_parts.py"


def test_the_diagram_knows_every_state_and_no_row_is_lost() -> None:
    diagram, table = readme_parts.sync_diagram(), readme_parts.sync_table()
    assert all(state.value in diagram for state in readme_parts.SyncState)
    groups = readme_parts.sync_groups()
    assert len(table.splitlines()) == 2 + len(groups)
    assert [row for rows in groups for row in rows if row not in readme_parts.TABLE] == []
    assert sum(map(len, groups)) == len(readme_parts.TABLE)


def test_missing_markers_are_told() -> None:
    with pytest.raises(ValueError, match="markers for settings"):
        readme_parts.with_parts("no markers")


def test_links_lead_to_files() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert targets
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


def test_files_that_are_named_exist() -> None:
    named = re.findall(r"`((?:transport|binance|book|ui)/[\w/]+\.py)`", TEXT)
    assert len(named) >= 6
    assert [name for name in named if not (ROOT / "depthgui" / name).is_file()] == []


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "packaging" / "pictures").glob("*.png"))
    assert pictures
    assert all(path.stat().st_size < 300_000 for path in pictures)


@pytest.mark.parametrize("setting", readme_parts.ALL_SETTINGS, ids=lambda setting: setting.key)
def test_every_setting_has_its_row(setting: readme_parts.AnySetting) -> None:
    assert f"<br>`{setting.key}` |" in TEXT
