"""The embedded exchange as the application sees it: enters its process, asks it for faults, and ends it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from types import TracebackType

import msgspec

from depthgui.app.exchange_messages import Answer, Command, Orders
from depthgui.app.exchange_start import ExchangeChild, end_child, send_line, start_child

_LOG = logging.getLogger(__name__)
_START_S = 30.0


class ExchangeStartError(Exception):
    """The embedded exchange could not start; the text is a sentence for a person."""


class ExchangeProcess:
    """The child process; an async context manager. `base_url` and `symbols` are known once it is entered."""

    def __init__(self, orders: Orders, on_warning: Callable[[str], None], child: ExchangeChild | None = None) -> None:
        """Start nothing yet. `on_warning` is called in the event loop with what the exchange has to say.

        `child` is a process that was started with these orders before; it is this object's from now on.
        """
        self._orders = orders
        self._on_warning = on_warning
        self._child = child
        self.base_url = ""
        self.symbols: tuple[str, ...] = ()
        self.warnings: tuple[str, ...] = ()

    async def __aenter__(self) -> ExchangeProcess:
        """Start it, unless it was started before, and wait until it serves. Raises ExchangeStartError."""
        try:
            # Popen and its pipes, in threads: asyncio's own subprocesses need a child watcher that qasync has not got.
            child = self._child = self._child or start_child(self._orders)
            loop = asyncio.get_running_loop()
            threading.Thread(target=self._pass_on, args=(child, loop), name="exchange log", daemon=True).start()
            answer = await asyncio.wait_for(asyncio.to_thread(_read_answer, child), _START_S)
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

    def _pass_on(self, child: ExchangeChild, loop: asyncio.AbstractEventLoop) -> None:
        """Hand over what the child writes to its standard error, line by line; runs in a thread of its own."""
        if child.stderr is None:
            return
        with child.stderr as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip()
                _LOG.warning("exchange: %s", text)
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._on_warning, text)

    def disconnect(self) -> None:
        """Make the exchange close every connection without a word."""
        self._send(Command(disconnect=True))

    def make_fault(self, text: str) -> None:
        """Give the exchange a fault, in its own language."""
        self._send(Command(fault=text))

    def _send(self, command: Command) -> None:
        if self._child is None:
            raise ExchangeStartError("The embedded exchange is not running.")
        send_line(self._child, command)

    async def stop(self) -> None:
        """End it. May be called twice."""
        child, self._child = self._child, None
        if child is not None:
            await asyncio.to_thread(end_child, child)


def _read_answer(child: ExchangeChild) -> Answer:
    line = b"" if child.stdout is None else child.stdout.readline()
    if not line:
        return Answer(error="it ended at once; the log says more")
    return msgspec.json.decode(line, type=Answer)
