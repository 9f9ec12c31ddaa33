"""One feed's snapshot request: at most one at a time, later after failures, answered exactly once unless given up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from depthgui.book.errors import DepthGuiError
from depthgui.book.messages import Snapshot
from depthgui.book.sync import FetchSnapshot
from depthgui.transport.backoff import Backoff


class SnapshotTaker(Protocol):
    """Who wants the snapshot."""

    def snapshot_arrived(self, order: FetchSnapshot, snapshot: Snapshot) -> None:
        """The snapshot of `order`."""

    def snapshot_failed(self, order: FetchSnapshot, error: DepthGuiError) -> None:
        """It could not be had."""


class SnapshotFetch:
    """Fetches what the sync orders, for one `taker`."""

    def __init__(self, taker: SnapshotTaker, name: str, backoff: Backoff | None = None) -> None:
        """Fetch nothing yet; `name` is the symbol's, for the task."""
        self._taker = taker
        self._name = f"snapshot {name}"
        self._backoff = backoff or Backoff(first_s=0.25, most_s=15.0)
        self._task: asyncio.Task[None] | None = None

    def begin(self, order: FetchSnapshot, request: Callable[[], Awaitable[Snapshot]]) -> None:
        """Carry out `order` with `request`, after a wait if requests before it failed; gives up any fetch before it."""
        self.give_up()
        self._task = asyncio.get_running_loop().create_task(self._fetch(order, request), name=self._name)

    def give_up(self) -> asyncio.Task[None] | None:
        """End the fetch under way, if there is one, and return its task to be waited for."""
        task, self._task = self._task, None
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            return task
        return None

    async def _fetch(self, order: FetchSnapshot, request: Callable[[], Awaitable[Snapshot]]) -> None:
        if order.failures:
            await asyncio.sleep(self._backoff.delay_s(order.failures))
        try:
            snapshot = await request()
        except DepthGuiError as error:
            self._done()
            self._taker.snapshot_failed(order, error)
        else:
            self._done()
            self._taker.snapshot_arrived(order, snapshot)

    def _done(self) -> None:
        # The taker may order the next one at once; this task must not be cancelled for it.
        if self._task is asyncio.current_task():
            self._task = None
