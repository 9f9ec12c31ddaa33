"""The second start on a profile rings at the first: on real sockets, with everything that may be at the other end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from PySide6 import QtCore, QtWidgets

from depthgui.app import doorbell
from depthgui.app.doorbell import Ring, listening, ring
from depthgui.cli import parse
from depthgui.ui.window_place import bring_to_front

SHORT_S = 0.2
LIMIT_S = 10
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "doorbell.json"


def write(path: Path, content: str) -> None:
    path.write_text(content)


def found_in(path: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads(path.read_text())
    return content


@contextlib.asynccontextmanager
async def stranger(path: Path, handle: Handler) -> AsyncIterator[int]:
    """Something else that listens where the file points."""

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        write(path, json.dumps({"port": port, "key": "k"}))
        yield port


async def test_a_ring_arrives_with_its_symbols_and_is_answered(path: Path) -> None:
    heard: list[Ring] = []
    async with listening(path, heard.append):
        assert await ring(path, ["BTCUSDT", "usdm:ETHUSDT"])
        assert await ring(path, [])
    assert [each.symbols for each in heard] == [("BTCUSDT", "usdm:ETHUSDT"), ()]
    assert heard[0].nonce != heard[1].nonce


async def test_the_desktop_s_token_is_passed_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "token-7")
    heard: list[Ring] = []
    async with listening(path, heard.append):
        assert await ring(path, [])
    assert heard[0].activation == "token-7"


async def test_the_file_is_there_only_while_somebody_listens(path: Path) -> None:
    write(path, "left by a program that was killed")
    async with listening(path, print):
        assert found_in(path).keys() == {"port", "key"}
        assert os.listdir(path.parent) == [path.name]
    assert os.listdir(path.parent) == []
    assert not await ring(path, [], SHORT_S)


@pytest.mark.skipif(os.name != "posix", reason="file modes of POSIX")
async def test_nobody_else_can_read_the_key(path: Path) -> None:
    write(path, "left by a program that was killed, and readable by all")
    async with listening(path, print):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


async def test_one_that_starts_a_little_later_is_found(path: Path) -> None:
    heard: list[Ring] = []
    ringing = asyncio.create_task(ring(path, ["BTCUSDT"], LIMIT_S))
    await asyncio.sleep(0)
    async with listening(path, heard.append):
        assert await ringing
    assert len(heard) == 1


@pytest.mark.parametrize(
    "content", ["", "{", '{"port": "x", "key": "k"}', '{"port": 99999999, "key": "k"}', '{"port": 1}']
)
async def test_a_damaged_file_is_no_answer(path: Path, content: str) -> None:
    write(path, content)
    assert not await ring(path, [], SHORT_S)


async def test_whoever_has_no_key_cannot_answer(path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        writer.write(line)  # what it was sent proves nothing
        await writer.drain()

    async with stranger(path, answer):
        assert not await ring(path, [], SHORT_S)


async def test_the_key_is_not_sent(path: Path) -> None:
    lines: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(await reader.readline())

    async with stranger(path, note) as port:
        write(path, json.dumps({"port": port, "key": "the-secret-key"}))
        assert not await ring(path, ["BTCUSDT"], SHORT_S)
    assert lines
    assert b"BTCUSDT" in lines[0]
    assert not any(b"the-secret-key" in line for line in lines)


async def test_one_that_hangs_is_waited_for_no_longer_than_allowed(path: Path) -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with stranger(path, hang):
        assert not await ring(path, [], SHORT_S)


@pytest.mark.expected_logs("without this profile's key rang")
@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b'{"body": "{}", "proof": ""}\n',
        b'{"body": "{}", "proof": "\xc3\xa4"}\n',
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_whoever_has_no_key_cannot_ring(path: Path, line: bytes) -> None:
    heard: list[Ring] = []
    async with listening(path, heard.append):
        reader, writer = await asyncio.open_connection("127.0.0.1", found_in(path)["port"])
        writer.write(line)
        assert await asyncio.wait_for(reader.read(), LIMIT_S) == b""
        writer.close()
        assert heard == []


async def test_a_line_without_end_and_one_who_goes_away_do_no_harm(path: Path) -> None:
    heard: list[Ring] = []
    async with listening(path, heard.append):
        port = found_in(path)["port"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"x" * 200_000)
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), LIMIT_S) == b""
        writer.close()
        _, silent = await asyncio.open_connection("127.0.0.1", port)
        assert await ring(path, [])
    silent.close()
    assert len(heard) == 1


@pytest.mark.expected_logs("a second start will not find this window")
async def test_where_the_file_cannot_be_written_the_program_goes_on(tmp_path: Path) -> None:
    async with listening(tmp_path / "no" / "such" / "folder.json", print):
        pass


def test_proofs_differ_by_key_and_text() -> None:
    proofs = {doorbell._proof(key, text) for key in ("a", "b") for text in ("x", "y")}
    assert len(proofs) == 4


@pytest.mark.parametrize("argv", [[], ["BTCUSDT"], ["--profile", "p", "usdm:BTCUSDT"], ["--log-level", "DEBUG"]])
def test_plain_starts_may_join(argv: list[str]) -> None:
    assert parse(argv).may_join


@pytest.mark.parametrize(
    "argv",
    [
        ["--new-window"],
        ["--demo"],
        ["--endpoint", "http://127.0.0.1:1"],
        ["--venue", "us"],
        ["--exit-after", "3"],
        ["--screenshot", "x.png"],
        ["--self-test"],
        ["--stats", "x.jsonl"],
    ],
)
def test_starts_with_a_wish_of_their_own_do_not(argv: list[str]) -> None:
    assert not parse(argv).may_join


def test_a_minimised_window_comes_back(qtbot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_ACTIVATION_TOKEN", raising=False)
    window = QtWidgets.QWidget()
    qtbot.addWidget(window)
    window.setWindowState(QtCore.Qt.WindowState.WindowMaximized)
    window.showMinimized()
    bring_to_front(window)
    assert window.isVisible()
    assert not window.isMinimized()
    assert window.isMaximized()
    assert "XDG_ACTIVATION_TOKEN" not in os.environ
    bring_to_front(window, "token-7")
    assert os.environ["XDG_ACTIVATION_TOKEN"] == "token-7"
    monkeypatch.delenv("XDG_ACTIVATION_TOKEN", raising=False)
