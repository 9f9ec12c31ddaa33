"""Timing on a shared machine: CPU time of one thread, candidates taking turns, medians."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def settled_memory() -> Iterator[None]:
    """Keep what is there already out of the garbage collector's sight, so that nobody pays for others' objects."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def take_turns(
    jobs: Mapping[str, Callable[[Sequence[T]], object]],
    pieces: Sequence[Sequence[T]],
    after: Callable[[int], None] = lambda _: None,
) -> dict[str, list[float]]:
    """Give every piece of work to every job, in an order that moves on; return microseconds per item for each piece.

    `after` is called, untimed, with the number of the piece that all have done.
    """
    names = list(jobs)
    times: dict[str, list[float]] = {name: [] for name in names}
    with settled_memory():
        for number, piece in enumerate(pieces):
            for place in range(len(names)):
                name = names[(number + place) % len(names)]
                job = jobs[name]
                begin_ns = time.thread_time_ns()
                job(piece)
                times[name].append((time.thread_time_ns() - begin_ns) / len(piece) / 1000)
            after(number)
    return times


def median(values: Sequence[float]) -> float:
    """Median; 0 for none."""
    return statistics.median(values) if values else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of all do not pass; 0 for none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def ratio(slower: Sequence[float], faster: Sequence[float]) -> float:
    """Median of the ratios taken piece by piece."""
    return median([slow / fast for slow, fast in zip(slower, faster, strict=True) if fast > 0])


def cut(items: Sequence[T], length: int) -> list[Sequence[T]]:
    """Cut into pieces of `length` items; what is left over is left out."""
    return [items[at : at + length] for at in range(0, len(items) - length + 1, length)]
