"""The fault language: what can go wrong at the exchange, declared as data, scripted by anyone.

One fault a line: its name, then settings as ``key=value``; ``#`` begins a comment. The same as JSON:
``{"fault": "drop", "symbol": "BTCUSDT", "after": 50}``, or a list of such objects. ::

    drop symbol=BTCUSDT after=50            # the 51st diff of BTCUSDT is lost
    disconnect market=usdm code=1001        # now
    refuse for=5 how=reset                  # nobody connects for five seconds
    slow-snapshot delay=3 count=2

Settings of every fault: ``market``, ``symbol`` and ``stream`` (a pattern such as ``*@trade``) say whom it meets,
``after=N`` how many happenings it lets pass first, ``count=N`` how often it strikes, ``for=S`` for how many seconds
from the first strike. Faults of messages strike diff events unless ``stream`` says otherwise; happenings are counted
over all matching streams together. `FAULTS` is the whole list; `describe_faults` prints it.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any

from depthgui.binance.endpoints import Market

Value = str | int | float | bool


class FaultError(ValueError):
    """A fault that cannot be understood; the message names what is known."""


class Where(Enum):
    """What a fault meets."""

    MESSAGE = "a message"
    SESSION = "a connection that stands"
    REQUEST = "a SUBSCRIBE or UNSUBSCRIBE"
    CONNECT = "a new connection"
    DEPTH = "a snapshot request"
    REST = "any REST request"


@dataclass(frozen=True, slots=True)
class Setting:
    """One ``key=value`` of a fault: its default (which gives the type), what it means, and what it may be."""

    default: Value
    help: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault. `count` is how often it strikes if nothing is said; 0 for as long as it stands."""

    where: Where
    help: str
    count: int = 1
    settings: Mapping[str, Setting] = field(default_factory=dict)


_COMMON: Mapping[str, Setting] = {
    "market": Setting("", "only this market", tuple(market.value for market in Market)),
    "symbol": Setting("", "only this symbol"),
    "stream": Setting("", "only streams that match this pattern"),
    "after": Setting(0, "let so many happenings pass first"),
    "count": Setting(-1, "strike so often; 0: without end"),
    "for": Setting(0.0, "strike for so many seconds from the first time"),
}

_RETRY_AFTER = Setting(5, "seconds in Retry-After")

FAULTS: Mapping[str, FaultKind] = {
    "drop": FaultKind(Where.MESSAGE, "loses a message"),
    "gap": FaultKind(Where.MESSAGE, "loses a message (another word for drop)"),
    "duplicate": FaultKind(Where.MESSAGE, "sends a message twice"),
    "reorder": FaultKind(Where.MESSAGE, "sends a message after the next one of its stream"),
    "wrong-size": FaultKind(Where.MESSAGE, "sends a diff with one size that is not so"),
    "malformed": FaultKind(
        Where.MESSAGE,
        "sends a message that is broken",
        settings={
            "kind": Setting(
                "truncated",
                "in what way",
                ("truncated", "not-json", "binary", "bad-utf8", "missing-field", "wrong-type", "bad-number", "array"),
            )
        },
    ),
    "disconnect": FaultKind(
        Where.SESSION,
        "closes a connection; without `after` at once, else after so many messages",
        settings={
            "code": Setting(1006, "close code; 1006: the TCP connection is cut without a word"),
            "reason": Setting("", "text in the close frame"),
        },
    ),
    "stall": FaultKind(
        Where.SESSION,
        "keeps a connection open and sends no data on it; without `for` until the end",
        settings={"deaf": Setting(False, "answers and sends no ping, pong or control message either")},
    ),
    "shutdown": FaultKind(
        Where.SESSION,
        "sends serverShutdown, and closes later",
        settings={"close_after": Setting(0.0, "seconds until the connection is closed with 1001; 0: never")},
    ),
    "ignore-subscribe": FaultKind(
        Where.REQUEST,
        "swallows a SUBSCRIBE: no answer, and no data",
        settings={"serves": Setting(False, "sends the data all the same")},
    ),
    "odd-answer": FaultKind(
        Where.REQUEST,
        "answers a SUBSCRIBE or UNSUBSCRIBE in another form, and does what it asks for",
        settings={
            "kind": Setting(
                "other-id",
                "in what way",
                ("other-id", "no-id", "text-id", "twice", "list", "error", "error-without-id"),
            )
        },
    ),
    "refuse": FaultKind(
        Where.CONNECT,
        "refuses a WebSocket connection",
        settings={"how": Setting("503", "an HTTP status, or a TCP reset", ("503", "403", "429", "451", "reset"))},
    ),
    "slow-snapshot": FaultKind(Where.DEPTH, "answers late", settings={"delay": Setting(2.0, "seconds")}),
    "old-snapshot": FaultKind(
        Where.DEPTH, "answers with the book of some time ago", settings={"age": Setting(10.0, "seconds")}
    ),
    "failing-snapshot": FaultKind(
        Where.DEPTH,
        "answers with an error, or not at all",
        settings={
            "status": Setting(500, "HTTP status; 0: the connection is cut without an answer"),
            "code": Setting(-1001, "the venue's code"),
            "msg": Setting("Internal error; unable to process your request. Please try again.", "the venue's text"),
        },
    ),
    "malformed-snapshot": FaultKind(Where.DEPTH, "answers with half a JSON document"),
    "429": FaultKind(Where.REST, "says: slow down", settings={"retry_after": _RETRY_AFTER}),
    "418": FaultKind(Where.REST, "says: banned", settings={"retry_after": _RETRY_AFTER}),
    "451": FaultKind(Where.REST, "says: this region is not served"),
    "403": FaultKind(Where.REST, "says: the firewall does not like you"),
    "503": FaultKind(Where.REST, "says: unavailable, and not as JSON"),
}


@dataclass(slots=True)
class Fault:
    """A fault that stands. `seen` happenings were met, `hits` of them struck."""

    fault_id: int
    name: str
    settings: Mapping[str, Value]
    seen: int = 0
    hits: int = 0
    is_over: bool = False
    _since_ms: int = -1

    @property
    def kind(self) -> FaultKind:
        """Its declaration."""
        return FAULTS[self.name]

    def text(self, key: str) -> str:
        """A setting as text."""
        return str(self.settings[key])

    def number(self, key: str) -> float:
        """A setting as a number."""
        return float(self.settings[key])

    def is_on(self, key: str) -> bool:
        """A setting as yes or no."""
        return bool(self.settings[key])

    def meets(self, market: Market, symbol: str = "", stream: str = "") -> bool:
        """Is this happening one of those it is for? An empty symbol or stream is one that is not known."""
        if self.settings["market"] not in ("", market.value):
            return False
        if self.settings["symbol"] not in ("", symbol):
            return False
        pattern = str(self.settings["stream"])
        return not pattern or fnmatchcase(stream, pattern)

    def strikes(self, now_ms: int) -> bool:
        """A happening it is for has come: is it struck? Counts."""
        if self.is_over:
            return False
        self.seen += 1
        if self.seen <= self.number("after"):
            return False
        lasting_s = self.number("for")
        if self._since_ms < 0:
            self._since_ms = now_ms
        if lasting_s and now_ms - self._since_ms >= lasting_s * 1000:
            self.is_over = True
            return False
        self.hits += 1
        count = self._allowed()
        if count and self.hits >= count:
            self.is_over = True
        return True

    @property
    def until_ms(self) -> float:
        """When a fault with `for` ends; infinity for one without."""
        lasting_s = self.number("for")
        return self._since_ms + lasting_s * 1000 if lasting_s else float("inf")

    def _allowed(self) -> int:
        count = int(self.number("count"))
        if count >= 0:
            return count
        return 0 if self.number("for") else self.kind.count

    def as_dict(self) -> dict[str, Any]:
        """For the control call: what it is and what it has done."""
        said = {key: value for key, value in self.settings.items() if value != _setting(self.name, key).default}
        state = {"seen": self.seen, "hits": self.hits, "over": self.is_over}
        return {"id": self.fault_id, "fault": self.name, **said, **state}


class FaultBox:
    """All faults that stand. `on_added` is told of each new one, for those that strike at once."""

    def __init__(self, on_added: Callable[[Fault], None] | None = None) -> None:
        self._faults: dict[int, Fault] = {}
        self._next_id = 1
        self._on_added = on_added

    def add(self, spec: str | Mapping[str, Any], **settings: Value) -> Fault:
        """Add a fault: a line of the language, an object as in JSON, or a name with settings (``for_=5`` for `for`).

        Raises FaultError naming what is known.
        """
        name, given = parse_fault(spec)
        given |= {key.rstrip("_").replace("-", "_"): value for key, value in settings.items()}
        fault = Fault(self._next_id, name, _checked(name, given))
        self._next_id += 1
        self._faults[fault.fault_id] = fault
        if self._on_added is not None:
            self._on_added(fault)
        return fault

    def add_script(self, text: str) -> list[Fault]:
        """Add every fault of a script (lines, or JSON); all of them, or none if one is wrong."""
        entries = list(parse_script(text))
        for entry in entries:
            name, given = parse_fault(entry)
            _checked(name, given)
        return [self.add(entry) for entry in entries]

    def remove(self, fault_id: int) -> None:
        """Take a fault away; KeyError if it isn't there."""
        del self._faults[fault_id]

    def clear(self) -> None:
        """Take all faults away."""
        self._faults.clear()

    def __iter__(self) -> Iterator[Fault]:
        return iter(tuple(self._faults.values()))

    def __len__(self) -> int:
        return len(self._faults)

    def standing(self, where: Where) -> list[Fault]:
        """Those of a kind that are not over yet."""
        return [fault for fault in self._faults.values() if fault.kind.where is where and not fault.is_over]

    def first(self, where: Where, now_ms: int, market: Market, symbol: str = "", stream: str = "") -> Fault | None:
        """The first fault that strikes this happening."""
        for fault in self.standing(where):
            if fault.meets(market, symbol, stream) and fault.strikes(now_ms):
                return fault
        return None


def parse_script(text: str) -> list[str | Mapping[str, Any]]:
    """The faults of a script: lines, or a JSON object or list. FaultError names a line that isn't one."""
    stripped = text.strip()
    if stripped.startswith(("{", "[")):
        try:
            loaded = json.loads(stripped)
        except ValueError as error:
            raise FaultError(f"not JSON: {error}") from error
        entries = loaded if isinstance(loaded, list) else [loaded]
        if not all(isinstance(entry, (dict, str)) for entry in entries):
            raise FaultError("a fault in JSON is an object or a line of text")
        return entries
    return [line for line in (raw.partition("#")[0].strip() for raw in text.splitlines()) if line]


def parse_fault(spec: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Name and settings of one fault, not checked yet. FaultError if it isn't of the form."""
    if isinstance(spec, Mapping):
        given = {str(key).replace("-", "_"): value for key, value in spec.items()}
        name = given.pop("fault", None)
        if not isinstance(name, (str, int)):
            raise FaultError('a fault in JSON needs "fault": its name')
        return str(name), given
    try:
        name, *pairs = shlex.split(spec)
    except ValueError as error:
        raise FaultError(f"not a fault: {spec!r} ({error})") from error
    given = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise FaultError(f"{pair!r} in {spec!r} should be key=value")
        given[key.replace("-", "_")] = value
    return name, given


def _setting(name: str, key: str) -> Setting:
    known = {**_COMMON, **FAULTS[name].settings}
    if key not in known:
        raise FaultError(f"{name} has no setting {key!r}; it has {', '.join(known)}")
    return known[key]


def _checked(name: str, given: Mapping[str, Any]) -> dict[str, Value]:
    """Every setting of the fault with the right type. FaultError says what is wrong and what is known."""
    if name not in FAULTS:
        raise FaultError(f"unknown fault {name!r}; known are {', '.join(FAULTS)}")
    settings: dict[str, Value] = {key: one.default for key, one in {**_COMMON, **FAULTS[name].settings}.items()}
    for key, value in given.items():
        settings[key] = _converted(name, key, value, _setting(name, key))
    if settings["symbol"]:
        settings["symbol"] = str(settings["symbol"]).upper()
    return settings


def _converted(name: str, key: str, value: Any, setting: Setting) -> Value:
    try:
        if isinstance(setting.default, bool):
            return {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}[str(value).lower()]
        converted = type(setting.default)(value)
    except (ValueError, TypeError, KeyError) as error:
        wanted = {bool: "yes or no", int: "a whole number", float: "a number", str: "text"}[type(setting.default)]
        raise FaultError(f"{name}: {key} should be {wanted}, not {value!r}") from error
    if setting.choices and converted not in setting.choices:
        raise FaultError(f"{name}: {key} is one of {', '.join(setting.choices)}, not {value!r}")
    return converted


def describe_faults() -> str:
    """The whole language as text for a person."""
    lines = ["Every fault takes:"]
    lines += [_described(key, setting) for key, setting in _COMMON.items()]
    for name, kind in FAULTS.items():
        lines.append(f"\n{name}: {kind.help} (meets {kind.where.value})")
        lines += [_described(key, setting) for key, setting in kind.settings.items()]
    return "\n".join(lines)


def _described(key: str, setting: Setting) -> str:
    choices = f" ({', '.join(choice for choice in setting.choices)})" if setting.choices else ""
    shown = "" if setting.default in ("", -1) else f" [{setting.default}]"
    return f"  {key}: {setting.help}{choices}{shown}"
