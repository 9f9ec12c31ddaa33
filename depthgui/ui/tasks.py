"""Tasks that the window starts: kept alive until they are done, their exceptions reported, ended with the window."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Tasks:
    """Holds a strong reference to every task; asyncio itself holds weak ones only."""

    def __init__(self, report: Callable[[BaseException], None]) -> None:
        """`report` is given each exception that a task ends with."""
        self._report = report
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str) -> None:
        """Run a coroutine in the background. After `aclose` it is thrown away."""
        if self._is_closed:
            coroutine.close()
            return
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)

    def _on_done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._report(error)

    async def settle(self) -> None:
        """Wait until all that runs now has ended by itself."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def aclose(self) -> None:
        """Cancel what still runs and wait until it has ended."""
        self._is_closed = True
        running = tuple(self._tasks)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
