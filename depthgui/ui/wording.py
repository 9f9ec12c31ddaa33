"""Times and durations as people write them, in the one time zone that the user chose. No Qt."""

from __future__ import annotations

import datetime
import enum
import html
import itertools
from collections.abc import Iterable


class TimeZone(enum.Enum):
    """The clock used for everything shown."""

    LOCAL = "local"
    UTC = "utc"


def clock_text(wall_ms: int, zone: TimeZone) -> str:
    """Time of day of a Unix time in ms, as 14:02:31; UTC times are marked with a Z. Dashes beyond the year 9999."""
    try:
        moment = datetime.datetime.fromtimestamp(wall_ms / 1000, tz=datetime.UTC)
        return f"{moment:%H:%M:%S}Z" if zone is TimeZone.UTC else f"{moment.astimezone():%H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return "--:--:--"


def duration_text(seconds: float) -> str:
    """A length of time in at most two units: 9 s, 2 min 5 s, 1 h 3 min, 2 d 4 h."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    units = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
    for (size, name), (smaller, smaller_name) in itertools.pairwise(units):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {name}" + (f" {rest} {smaller_name}" if rest else "")
    return f"{whole} s"


def listed(names: Iterable[str], most: int = 6) -> str:
    """Names with commas; beyond `most` only their number: "A, B and 7 more"."""
    every = list(names)
    if len(every) <= most:
        return ", ".join(every)
    return f"{', '.join(every[: most - 1])} and {len(every) - most + 1} more"


def tool_tip(text: str) -> str:
    """A text for a tool tip, which Qt would otherwise read as markup: it may quote the venue."""
    if "<" not in text:
        return text
    return f"<qt>{html.escape(text, quote=False)}</qt>".replace("\n", "<br>")


def sentence(text: str) -> str:
    """The text as a sentence of its own: with a capital and a full stop."""
    if not text:
        return ""
    ended = text if text.endswith((".", "!", "?")) else f"{text}."
    return ended if ended.startswith(("http://", "https://")) else ended[0].upper() + ended[1:]


def count_text(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun: 1 tab, 3 tabs."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
