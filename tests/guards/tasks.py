"""Fails an asynchronous test that leaves asyncio tasks behind, and says where each was started and where it waits."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

# A task that was cancelled or told to end may need a few turns of the loop to get there.
TURNS_TO_END = 20


def starting_place() -> str:
    """The nearest caller outside asyncio and this file, as ``file:line``."""
    frame = sys._getframe(1)
    while frame.f_back and (frame.f_code.co_filename == __file__ or "asyncio" in frame.f_code.co_filename):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def waiting_place(task: asyncio.Task[Any]) -> str:
    """Where `task` stands still, as ``file:line``, or "nowhere yet" if it never ran."""
    stack = task.get_stack()
    return f"{stack[-1].f_code.co_filename}:{stack[-1].f_lineno}" if stack else "nowhere yet"


@pytest.fixture
async def no_leaked_tasks() -> AsyncIterator[None]:
    """Added to every asynchronous test; set up first, so that it looks after all other fixtures have cleaned up."""
    loop = asyncio.get_running_loop()
    places: WeakKeyDictionary[asyncio.Task[Any], str] = WeakKeyDictionary()

    def remember(loop: asyncio.AbstractEventLoop, coro: Coroutine[Any, Any, Any], **kwargs: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=loop, **kwargs)
        places[task] = starting_place()
        return task

    loop.set_task_factory(remember)
    before = asyncio.all_tasks()
    yield
    loop.set_task_factory(None)
    mine = before | {asyncio.current_task()}
    for _ in range(TURNS_TO_END):
        if not asyncio.all_tasks() - mine:
            return
        await asyncio.sleep(0)
    leaked = [
        f"{task.get_name()} ({task.get_coro()!r}) started at {places.get(task, 'an unknown place')}, "
        f"waits at {waiting_place(task)}"
        for task in asyncio.all_tasks() - mine
    ]
    if leaked:
        pytest.fail("tasks left running:\n  " + "\n  ".join(leaked), pytrace=False)
