"""`python -m depthgui.exchange` as a process: one line when it listens, a clean end, sentences for what is wrong."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from depthgui.exchange import FAULTS
from depthgui.exchange.__main__ import main

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
COMMAND = [sys.executable, "-W", "error", "-m", "depthgui.exchange"]


async def started(*arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--port", "0", *arguments,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT,
    )  # fmt: skip
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
    found = re.fullmatch(r"depthgui exchange on (http://127\.0\.0\.1:\d+)\s*", line)
    assert found, (line, await process.stderr.read())
    return process, found[1]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot send these signals to another process")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_and_ends_cleanly_with_a_client_connected(number: signal.Signals) -> None:
    process, base = await started("--seed", "3", "--fault", "drop symbol=BTCUSDT after=50")
    url = f"{base}/spot/ws/btcusdt@depth@100ms"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        assert (await socket.receive_json(timeout=10))["s"] == "BTCUSDT"
        async with session.get(f"{base}/control/faults") as response:
            assert [fault["fault"] for fault in await response.json()] == ["drop"]
        process.send_signal(number)
        while (message := await socket.receive(10)).type is aiohttp.WSMsgType.TEXT:
            pass
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1001)
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert process.stderr is not None
    assert await process.stderr.read() == b""


async def test_replay_and_fault_file(make_recording: Callable[..., Path], tmp_path: Path) -> None:
    script = tmp_path / "faults.txt"
    script.write_text("# none yet\nslow-snapshot delay=0.1\n")
    recording = make_recording()
    arguments = ("--replay", str(recording), "--speed", "50", "--loop", "--hold", "--fault-file", str(script))
    process, base = await started(*arguments)
    try:
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(f"{base}/spot/ws/btcusdt@depth") as socket:
                ids: list[Any] = [await socket.receive_json(timeout=10) for _ in range(120)]
            assert all(after["U"] == before["u"] + 1 for before, after in pairwise(ids))
            async with session.get(f"{base}/control/state") as response:
                state = await response.json()
            assert state["playbacks"][0]["rounds"] >= 2
            assert state["faults"][0]["fault"] == "slow-snapshot"
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--fault", "explode"], ["unknown fault", "disconnect"]),
        (["--replay", "no-such-file.gz"], ["no-such-file.gz"]),
        (["--fault-file", "no-such-script"], ["no-such-script"]),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(arguments: list[str], words: list[str], capsys) -> None:
    assert main(["--port", "0", *arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith("depthgui exchange: ")
    assert all(word in said for word in words)


async def test_a_port_that_is_taken() -> None:
    process, base = await started()
    try:
        second = await asyncio.create_subprocess_exec(
            *COMMAND, "--port", base.rpartition(":")[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
        )
        _, errors = await asyncio.wait_for(second.communicate(), 20)
        assert second.returncode == 1
        assert b"in use" in errors
        assert errors.count(b"\n") == 1
    finally:
        process.terminate()
        await process.wait()


def test_damage_is_named_on_stderr(make_recording: Callable[..., Path], tmp_path: Path) -> None:
    content = make_recording().read_bytes()
    cut = tmp_path / "cut.ndjson.gz"
    cut.write_bytes(content[:3000])
    code = (
        "import asyncio, sys\n"
        "from depthgui.exchange import __main__ as command\n"
        "async def serve(exchange):\n"
        "    async with exchange:\n"
        "        await asyncio.sleep(0.5)\n"
        "command._serve = serve\n"
        f"sys.exit(command.main(['--port', '0', '--replay', {str(cut)!r}, '--speed', '100']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(rb"cut\.ndjson\.gz, line \d+: the gzip data is cut off", done.stderr)


def test_the_list_of_faults(capsys) -> None:
    assert main(["--list-faults"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in FAULTS)


def test_a_speed_out_of_range() -> None:
    with pytest.raises(SystemExit):
        main(["--speed", "1000"])


def test_it_runs_in_a_qt_loop() -> None:
    pytest.importorskip("PySide6")
    pytest.importorskip("qasync")
    code = (
        "import json, PySide6.QtWidgets as w, qasync, aiohttp\n"
        "from depthgui.exchange import Exchange\n"
        "async def main():\n"
        "    async with Exchange() as exchange, aiohttp.ClientSession() as session:\n"
        "        url = exchange.base_url + '/usdm/public/ws/btcusdt@depth@100ms'\n"
        "        async with session.ws_connect(url) as socket:\n"
        "            events = [await socket.receive_json(timeout=10) for _ in range(5)]\n"
        "        async with session.get(exchange.base_url + '/usdm/fapi/v1/depth?symbol=BTCUSDT') as answer:\n"
        "            assert answer.status == 200\n"
        "    assert all(b['pu'] == a['u'] for a, b in zip(events, events[1:]))\n"
        "    print('fine')\n"
        "w.QApplication([])\n"
        "qasync.run(main())\n"
    )
    environment = {**ENVIRONMENT, "QT_QPA_PLATFORM": "offscreen", "QT_API": "pyside6"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, timeout=50, check=False)
    assert done.stdout.strip() == b"fine", done.stderr.decode()
