"""A failure that the venue documents as final is tried again all the same: slowly, and unseen until it is over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from depthgui.book.errors import DepthGuiError

_log = logging.getLogger(__name__)

_EVERY_S = 300.0


class FailureWatch:
    """Tries one request every five minutes; at the first success it calls back once, and ends."""

    def __init__(self, name: str, request: Callable[[], Awaitable[object]], on_success: Callable[[], None]) -> None:
        """Try nothing yet."""
        self._name = name
        self._request = request
        self._on_success = on_success
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Try from now on."""
        self.stop()
        self._task = asyncio.get_running_loop().create_task(self._watch(), name=f"failure of {self._name}")

    def stop(self) -> asyncio.Task[None] | None:
        """Try no more, and return the task to be waited for."""
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            return task
        return None

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            try:
                await self._request()
            except DepthGuiError as error:
                _log.info("%s: still failed: %s", self._name, error)
                continue
            self._task = None
            self._on_success()
            return
