"""What a feed knows of its symbol's description: asked for at the start, and again when trading may have stopped.

Trading status is in the venue's listing only, and no stream tells when it changes. A symbol that falls silent, or whose
book is empty, may have been halted; one that is not trading may be again. So the listing is asked for anew then; all
feeds of a market share its answer. Times ending in `_s` are the event loop's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from depthgui.binance.symbols import SymbolInfo
from depthgui.book.errors import DepthGuiError

_QUIET_EVERY_S = 60.0
_NOT_TRADING_EVERY_S = 15.0
_MISSING_EVERY_S = 30.0


class InfoTaker(Protocol):
    """Who wants the description."""

    def info_arrived(self, info: SymbolInfo) -> None:
        """The description, which may be the one that is known."""

    def info_failed(self, error: DepthGuiError) -> None:
        """It could not be had."""


class SymbolWatch:
    """Asks for one symbol's description, one request at a time."""

    def __init__(self, taker: InfoTaker, name: str, ask: Callable[[float], Awaitable[SymbolInfo]]) -> None:
        """Ask nothing yet. `ask` takes the age in seconds that an answer may have, and raises DepthGuiError."""
        self._taker = taker
        self._name = f"look up {name}"
        self._ask = ask
        self._task: asyncio.Task[None] | None = None
        self._asked_s = float("-inf")

    @property
    def is_under_way(self) -> bool:
        """True while an answer is waited for."""
        return self._task is not None

    def begin(self, fresh_s: float = 3600.0) -> None:
        """Ask, unless an answer is under way; one that is no older than `fresh_s` will do."""
        if self._task is None:
            loop = asyncio.get_running_loop()
            self._asked_s = loop.time()
            self._task = loop.create_task(self._fetch(fresh_s), name=self._name)

    def tick(self, info: SymbolInfo | None, now_s: float, *, is_quiet: bool) -> None:
        """Ask again if that is due; `is_quiet`: the symbol is silent, or its book empty."""
        if info is None:
            every_s = _MISSING_EVERY_S
        elif not info.is_trading:
            every_s = _NOT_TRADING_EVERY_S
        elif is_quiet:
            every_s = _QUIET_EVERY_S
        else:
            return
        if now_s - self._asked_s >= every_s:
            self.begin(fresh_s=every_s / 2)

    def stop(self) -> asyncio.Task[None] | None:
        """Give up what is under way, and return its task to be waited for."""
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            return task
        return None

    async def _fetch(self, fresh_s: float) -> None:
        try:
            info = await self._ask(fresh_s)
        except DepthGuiError as error:
            self._done()
            self._taker.info_failed(error)
        else:
            self._done()
            self._taker.info_arrived(info)

    def _done(self) -> None:
        if self._task is asyncio.current_task():
            self._task = None
