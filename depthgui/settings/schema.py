"""Every setting, declared once as data: key, type, default, range or choices, label, help, group.

The settings dialog, the settings file and the table in the README are built from `ALL_SETTINGS`; nothing else names a
default. A setting is read as ``settings.get(schema.THEME)`` and comes back with the type of its default.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T", bool, int, float, str)


class SettingError(ValueError):
    """A value that a setting does not take; the text is a sentence for a person."""


class Group(enum.Enum):
    """The pages of the settings dialog, in this order."""

    VENUE = "Venue"
    NETWORK = "Network"
    BOOK = "Book"
    LADDER = "Ladder"
    HEATMAP = "Heatmap"
    APPEARANCE = "Appearance"


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """One of the values a setting may have, and what the dialog calls it."""

    value: T
    label: str


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One setting. The type is that of `default`; `minimum` and `maximum` are inclusive and only for numbers."""

    key: str
    default: T
    group: Group
    label: str
    help: str
    choices: tuple[Choice[T], ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    placeholder: str = ""
    check_text: Callable[[str], str | None] | None = None

    def check(self, raw: object) -> T:
        """Return `raw` as this setting's type. Raises `SettingError` saying what is wrong with it."""
        value = self._typed(raw)
        if self.choices and value not in {choice.value for choice in self.choices}:
            allowed = ", ".join(str(choice.value) for choice in self.choices)
            raise SettingError(f"{self.label}: {value} is none of {allowed}")
        if not isinstance(value, str):
            self._check_range(value)
        elif self.check_text is not None:
            problem = self.check_text(value)
            if problem:
                raise SettingError(f"{self.label}: {problem}")
        return value

    def _typed(self, raw: object) -> T:
        wanted = type(self.default)
        if wanted is float and isinstance(raw, int) and not isinstance(raw, bool):
            raw = float(raw)
        if not isinstance(raw, wanted) or (wanted is int and isinstance(raw, bool)):
            raise SettingError(f"{self.label}: {raw!r} is no {_TYPE_NAMES[wanted]}")
        return raw

    def _check_range(self, value: float) -> None:
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if not low <= value <= high:
            raise SettingError(f"{self.label}: {value:g} is outside {low:g} to {high:g}")


_TYPE_NAMES: dict[type, str] = {bool: "yes or no", int: "whole number", float: "number", str: "text"}


def _web_address(text: str) -> str | None:
    if text and not text.startswith(("http://", "https://")):
        return f"{text} is no address; it starts with http:// or https://"
    if text and (not text.partition("://")[2].partition("/")[0] or any(mark.isspace() for mark in text)):
        return f"{text} is no address; write it like https://example.com/path, without spaces"
    return None


def _proxy_address(text: str) -> str | None:
    schemes = ("http://", "https://", "socks4://", "socks5://", "socks5h://")
    if text and text != "direct" and not text.startswith(schemes):
        return f"{text} is no proxy address; it starts with one of {', '.join(schemes)}"
    return None


VENUE = Setting(
    key="venue.environment",
    default="production",
    group=Group.VENUE,
    label="Environment",
    help="Which of the venue's environments the tabs are connected to. The embedded exchange needs no network.",
    choices=(
        Choice("production", "Binance"),
        Choice("data-only", "Binance, data-only hosts (spot only)"),
        Choice("us", "Binance.US (spot only)"),
        Choice("testnet", "Binance testnet"),
        Choice("demo-mode", "Binance demo trading"),
        Choice("demo", "Embedded exchange (no network)"),
        Choice("custom", "Another address"),
    ),
)
ENDPOINT = Setting(
    key="venue.endpoint",
    default="",
    group=Group.VENUE,
    label="Address",
    help="Base address of a host that speaks like the venue; used when the environment is “Another address”.",
    placeholder="http://127.0.0.1:8900",
    check_text=_web_address,
)
PROXY = Setting(
    key="network.proxy",
    default="",
    group=Group.NETWORK,
    label="Proxy",
    help="HTTP or SOCKS proxy for all connections. Empty: as the system and the environment say; “direct”: none.",
    placeholder="socks5://127.0.0.1:1080",
    check_text=_proxy_address,
)
AFTER_FAILURE = Setting(
    key="network.after_failure",
    default="stop",
    group=Group.NETWORK,
    label="After five failed attempts",
    help="Stop and wait for “Reconnect”, or go on trying every 30 seconds.",
    choices=(Choice("stop", "Stop and ask"), Choice("retry", "Go on trying every 30 s")),
)
UPDATES_URL = Setting(
    key="updates.url",
    default="",
    group=Group.NETWORK,
    label="Address asked for updates",
    help="Help > Check for updates asks it for the newest version, and only then. Empty: nobody is asked.",
    placeholder="https://example.com/latest.json",
    check_text=_web_address,
)
UPDATE_MS = Setting(
    key="book.update_ms",
    default=100,
    group=Group.BOOK,
    label="Update speed",
    help="How often the venue sends changes of a book. Slower saves network and processor.",
    choices=(Choice(100, "100 ms"), Choice(1000, "1 s (spot), 500 ms (futures)")),
)
DEPTH_LIMIT = Setting(
    key="book.depth_limit",
    default=1000,
    group=Group.BOOK,
    label="Book depth",
    help="Levels a side that a snapshot asks for. Deeper books cost more of the request budget.",
    choices=(
        Choice(100, "100 levels"),
        Choice(500, "500 levels"),
        Choice(1000, "1,000 levels"),
        Choice(5000, "5,000 levels (spot)"),
    ),
)
REFRESH_MIN = Setting(
    key="book.refresh_min",
    default=30,
    group=Group.BOOK,
    label="Verify against a fresh snapshot every",
    help="A shadow book is built and compared level by level; the live book is not interrupted. 0 turns it off.",
    minimum=0,
    maximum=1440,
    unit="min",
)
SIZE_UNIT = Setting(
    key="ladder.size_unit",
    default="native",
    group=Group.LADDER,
    label="Sizes in",
    help="What ladders count in; each tab's ladder has the same choice in its own menu.",
    choices=(
        Choice("native", "The venue's unit (base or contracts)"),
        Choice("base", "Base asset"),
        Choice("quote", "Quote asset"),
    ),
)
SHORT_NUMBERS = Setting(
    key="ladder.short_numbers",
    default=False,
    group=Group.LADDER,
    label="Short numbers",
    help="Write large sizes as 1.2K and 3.4M.",
)
FLASH = Setting(
    key="ladder.flash",
    default=True,
    group=Group.LADDER,
    label="Flash changed levels",
    help="A level that changed lights up briefly. Turn it off for less motion.",
)
LARGE_ORDER = Setting(
    key="ladder.large_order",
    default=0.0,
    group=Group.LADDER,
    label="Outline orders of at least",
    help="Size from which a level is outlined, in the venue's unit. 0: found by what is usual on screen.",
    minimum=0.0,
    maximum=1e15,
)
LARGE_VALUE = Setting(
    key="ladder.large_value",
    default=0.0,
    group=Group.LADDER,
    label="… or orders worth at least",
    help="Value in quote money from which a level is outlined. 0: the value plays no part.",
    minimum=0.0,
    maximum=1e15,
)
BAND = Setting(
    key="header.imbalance_band",
    default=0.1,
    group=Group.LADDER,
    label="Imbalance within",
    help="How far from the mid, in per cent, sizes count for the imbalance in the header.",
    choices=tuple(Choice(percent, f"±{percent:g} %") for percent in (0.02, 0.05, 0.1, 0.25, 0.5, 1.0)),
)
TAPE_MINIMUM = Setting(
    key="tape.minimum",
    default=0.0,
    group=Group.LADDER,
    label="Tape: smallest trade shown",
    help="Trades below this size are left out of the tape. 0 shows all.",
    minimum=0.0,
    maximum=1e15,
)
HEATMAP_COLUMN = Setting(
    key="heatmap.column_ms",
    default=250,
    group=Group.HEATMAP,
    label="A column every",
    help="How often the heatmap keeps the book, in every open tab. A change begins its history anew.",
    choices=(Choice(100, "100 ms"), Choice(250, "250 ms"), Choice(500, "500 ms"), Choice(1000, "1 s")),
)
HEATMAP_KEPT = Setting(
    key="heatmap.kept_min",
    default=10,
    group=Group.HEATMAP,
    label="Keep the last",
    help="History to scroll back through. A tab takes about 0.2 MB a minute at 250 ms. A change begins it anew.",
    choices=(Choice(5, "5 min"), Choice(10, "10 min"), Choice(30, "30 min"), Choice(60, "60 min")),
)
THEME = Setting(
    key="appearance.theme",
    default="system",
    group=Group.APPEARANCE,
    label="Theme",
    help="Colours of the window. The colour-blind-safe pair uses blue and orange for bid and ask.",
    choices=(
        Choice("system", "As the system"),
        Choice("dark", "Dark"),
        Choice("light", "Light"),
        Choice("colour-blind", "Colour-blind-safe, as the system"),
        Choice("colour-blind-dark", "Colour-blind-safe, dark"),
        Choice("colour-blind-light", "Colour-blind-safe, light"),
    ),
)
FONT_SCALE = Setting(
    key="appearance.font_percent",
    default=100,
    group=Group.APPEARANCE,
    label="Text size",
    help="Size of all text, in per cent.",
    minimum=70,
    maximum=200,
    unit="%",
)
FRAME_CAP = Setting(
    key="appearance.frames_per_s",
    default=60,
    group=Group.APPEARANCE,
    label="Frames a second, at most",
    help="Fewer frames save the processor; no change of a book is lost either way.",
    choices=(Choice(10, "10"), Choice(20, "20"), Choice(30, "30"), Choice(60, "60"), Choice(120, "120")),
)
NUMBERS = Setting(
    key="appearance.numbers",
    default=",.",
    group=Group.APPEARANCE,
    label="Numbers as",
    help="Mark between thousands and decimal mark of every price and size.",
    choices=(Choice(",.", "67,412.85"), Choice(".,", "67.412,85"), Choice(" .", "67 412.85"), Choice("_.", "67412.85")),
)
TIME_ZONE = Setting(
    key="appearance.time_zone",
    default="local",
    group=Group.APPEARANCE,
    label="Times in",
    help="The clock used for trades, logs and messages in the window.",
    choices=(Choice("local", "Local time"), Choice("utc", "UTC")),
)

AnySetting = Setting[bool] | Setting[int] | Setting[float] | Setting[str]

ALL_SETTINGS: tuple[AnySetting, ...] = (
    VENUE,
    ENDPOINT,
    PROXY,
    AFTER_FAILURE,
    UPDATES_URL,
    UPDATE_MS,
    DEPTH_LIMIT,
    REFRESH_MIN,
    SIZE_UNIT,
    SHORT_NUMBERS,
    FLASH,
    LARGE_ORDER,
    LARGE_VALUE,
    BAND,
    TAPE_MINIMUM,
    HEATMAP_COLUMN,
    HEATMAP_KEPT,
    THEME,
    FONT_SCALE,
    FRAME_CAP,
    NUMBERS,
    TIME_ZONE,
)
