"""Starts the embedded exchange as a child process, asks it for faults, and ends it."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import msgspec

import depthgui
from depthgui.app.exchange_child import Answer, Command, Orders
from depthgui.cli import EXCHANGE_FLAG

_LOG = logging.getLogger(__name__)
_START_S = 30.0
_STOP_S = 3.0


class ExchangeStartError(Exception):
    """The embedded exchange could not start; the text is a sentence for a person."""


class ExchangeProcess:
    """The child process; an async context manager. `base_url` and `symbols` are known once it is entered."""

    def __init__(self, orders: Orders, on_warning: Callable[[str], None]) -> None:
        """Start nothing yet. `on_warning` is called in the event loop with what the exchange has to say."""
        self._orders = orders
        self._on_warning = on_warning
        self._process: subprocess.Popen[bytes] | None = None
        self.base_url = ""
        self.symbols: tuple[str, ...] = ()
        self.warnings: tuple[str, ...] = ()

    async def __aenter__(self) -> ExchangeProcess:
        """Start it and wait until it serves. Raises ExchangeStartError."""
        # Popen and its pipes, in threads: asyncio's own subprocesses need a child watcher that qasync has not got.
        process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own program; starting takes a millisecond
            _command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
        )
        self._process = process
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._pass_on, args=(process, loop), name="exchange log", daemon=True).start()
        try:
            self._send(msgspec.json.encode(self._orders))
            answer = await asyncio.wait_for(asyncio.to_thread(_read_answer, process), _START_S)
        except (OSError, TimeoutError) as error:
            await self.stop()
            raise ExchangeStartError("The embedded exchange did not start; the log says more.") from error
        except BaseException:
            await self.stop()
            raise
        if answer.error:
            await self.stop()
            raise ExchangeStartError(f"The embedded exchange could not start: {answer.error}")
        self.base_url, self.symbols, self.warnings = answer.base_url, tuple(answer.symbols), tuple(answer.warnings)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        await self.stop()

    def _pass_on(self, process: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop) -> None:
        """Hand over what the child writes to its standard error, line by line; runs in a thread of its own."""
        if process.stderr is None:
            return
        with process.stderr as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip()
                _LOG.warning("exchange: %s", text)
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._on_warning, text)

    def disconnect(self) -> None:
        """Make the exchange close every connection without a word."""
        self._send(msgspec.json.encode(Command(disconnect=True)))

    def make_fault(self, text: str) -> None:
        """Give the exchange a fault, in its own language."""
        self._send(msgspec.json.encode(Command(fault=text)))

    def _send(self, line: bytes) -> None:
        if self._process is None or self._process.stdin is None:
            raise ExchangeStartError("The embedded exchange is not running.")
        self._process.stdin.write(line + b"\n")
        self._process.stdin.flush()

    async def stop(self) -> None:
        """Close its standard input, which ends it; kill it if it takes too long. May be called twice."""
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(_end, process)


def _command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, EXCHANGE_FLAG]
    return [sys.executable, "-m", "depthgui", EXCHANGE_FLAG]


def _environment() -> dict[str, str]:
    """The child must find this very package, also where it is not installed."""
    environment = dict(os.environ)
    home = str(Path(depthgui.__file__).resolve().parents[1])
    others = environment.get("PYTHONPATH", "")
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [home, others]))
    return environment


def _read_answer(process: subprocess.Popen[bytes]) -> Answer:
    line = b"" if process.stdout is None else process.stdout.readline()
    if not line:
        return Answer(error="it ended at once; the log says more")
    return msgspec.json.decode(line, type=Answer)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        if process.stdin is not None:
            process.stdin.close()
    except BrokenPipeError:
        _LOG.info("the embedded exchange had ended by itself")
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
