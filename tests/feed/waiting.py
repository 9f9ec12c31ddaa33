"""Waiting for something to be so."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable

import pytest


async def until(condition: Callable[[], object], within_s: float = 30.0, every_s: float = 0.01) -> float:
    """Wait until `condition` holds; returns how long that took. Fails after `within_s` seconds of the loop's time."""
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    while not condition():
        if loop.time() - start_s > within_s:
            pytest.fail(f"did not happen within {within_s} s: {inspect.getsource(condition).strip()}")
        await asyncio.sleep(every_s)
    return loop.time() - start_s
