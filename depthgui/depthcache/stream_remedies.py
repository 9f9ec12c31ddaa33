"""What to do about a stream that brings no data, step by step. No I/O: time is an argument.

A step is taken each time the stream is found silent without any data since the last one: subscribe anew, then another
socket, then another host where the environment has one; then from the beginning, after pauses that grow.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Remedy(enum.Enum):
    """One step, mildest first."""

    SUBSCRIBE_AGAIN = "Subscribing again"
    NEW_SOCKET = "Changing to another socket"
    OTHER_HOST = "Changing to another host"


_LEAST_S = 2.0  # between two steps: two feeds of one stream may complain at the same time
_FIRST_PAUSE_S = 5.0  # before it begins again; doubled each time
_LONGEST_PAUSE_S = 300.0
_FORGOTTEN_AFTER_S = 600.0  # a quiet symbol may bring no data for hours, and be well


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, and when (seconds of the caller's clock)."""

    remedy: Remedy
    due_s: float


@dataclass(slots=True)
class _Course:
    taken: int
    last_s: float


class StreamRemedies:
    """How far it has come with each stream of one connection."""

    def __init__(self, *, has_other_hosts: bool) -> None:
        """Begin with all streams well."""
        self._order = tuple(remedy for remedy in Remedy if has_other_hosts or remedy is not Remedy.OTHER_HOST)
        self._courses: dict[str, _Course] = {}

    def next_step(self, name: str, now_s: float, *, at_least: Remedy = Remedy.SUBSCRIBE_AGAIN) -> Step:
        """Decide on the next step for a stream without data, and count it as taken.

        Milder ones than `at_least` are left out: something like them was done.
        """
        course = self._courses.get(name)
        if course is None or now_s - course.last_s > _FORGOTTEN_AFTER_S:
            course = self._courses[name] = _Course(0, now_s)
            due_s = now_s
        else:
            cycles, place = divmod(course.taken, len(self._order))
            pause_s = _LEAST_S if place else min(_FIRST_PAUSE_S * 2 ** min(cycles - 1, 16), _LONGEST_PAUSE_S)
            due_s = max(course.last_s + pause_s, now_s)
        least = self._order.index(at_least)
        place = max(course.taken % len(self._order), least)
        course.taken += place - course.taken % len(self._order) + 1
        course.last_s = due_s
        return Step(self._order[place], due_s)

    def end(self, name: str) -> None:
        """The stream brings data, or is no longer wanted."""
        self._courses.pop(name, None)
