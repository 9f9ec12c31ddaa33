"""Receive times: their unit is told by their digits; and the time at which a line is played, without long pauses."""

from __future__ import annotations

import re
from types import MappingProxyType

_NUMBER = re.compile(rb"([0-9]{1,20})(?:\.([0-9]{1,12}))?")
_UNITS = MappingProxyType({10: "seconds", 13: "milliseconds", 16: "microseconds", 19: "nanoseconds"})
LONGEST_PAUSE_S = 2.0
_NS = 1_000_000_000


def receive_time(text: bytes) -> tuple[int, str] | None:
    """A receive time as nanoseconds since 1970, and its unit; None for what is no time of these years."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    whole, fraction = match[1], match[2] or b""
    if len(whole) < 9:
        return int(whole), _UNITS[19]  # counted from some moment of the recorder's own
    digits = len(whole) + (1 if len(whole) in {9, 12, 15, 18} else 0)  # before September 2001
    if digits not in _UNITS:
        return None
    shift = 19 - digits
    nanoseconds = int(whole) * 10**shift + int(fraction[:shift].ljust(shift, b"0") or b"0")
    return nanoseconds, _UNITS[digits]


class PlayedTime:
    """When lines are played, in nanoseconds since the first: never backwards, long pauses shortened unless kept."""

    __slots__ = ("_at_ns", "_keeps_pauses", "_last_ns", "backwards", "longest_pause_s", "pauses")

    def __init__(self, *, keeps_pauses: bool) -> None:
        """Begin with the next line at 0."""
        self._keeps_pauses = keeps_pauses
        self._last_ns: int | None = None
        self._at_ns = 0
        self.pauses = 0
        """Pauses that were shortened."""
        self.backwards = 0
        """Times at which the recorder's clock went back by a second or more."""
        self.longest_pause_s = 0.0

    def at_ns(self, received_ns: int) -> int:
        """When a line that was received then is played; 0 stands for a time that is not known."""
        if not received_ns:
            return self._at_ns
        if self._last_ns is not None:
            step_ns = received_ns - self._last_ns
            if step_ns > LONGEST_PAUSE_S * _NS and not self._keeps_pauses:
                self.pauses += 1
                self.longest_pause_s = max(self.longest_pause_s, step_ns / _NS)
                step_ns = int(LONGEST_PAUSE_S * _NS)
            elif step_ns < 0:
                self.backwards += step_ns <= -_NS
                step_ns = 0
            self._at_ns += step_ns
        self._last_ns = received_ns
        return self._at_ns
