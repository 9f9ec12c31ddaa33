"""A recording as a source of venue events: played as it was recorded, with a book of its own for snapshots.

**The book.** The first snapshot in the file seeds it. Until the stream has passed that snapshot's id, a request gets
the recorded snapshot, newer than the stream, as it was in life. After a hole in the recording's own chain, which is
played as it is, the next recorded snapshot seeds it anew.

**Looping.** At the end one diff event is made that turns the book back into the seed. Its ids continue the chain, and
all ids and times of the next round are shifted, so that the chain goes on unbroken: a later round begins with the
first diff that continues the seed.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from depthgui.binance.checked import plain_number
from depthgui.binance.endpoints import Market
from depthgui.book.errors import MalformedMessageError
from depthgui.book.messages import BestPrices, Diff, Level, Snapshot
from depthgui.exchange.recorded_messages import (
    DECODE_ERRORS,
    RecordedDiff,
    RecordedIds,
    RecordedSnapshot,
    Shift,
    decode_diff,
    decode_ids,
    decode_snapshot,
    kind_of,
    shifted,
    spec_of,
)
from depthgui.exchange.recorded_symbols import survey
from depthgui.exchange.source import Message, Publish
from depthgui.exchange.stream_names import Kind, Topic
from depthgui.exchange.truth_book import TruthBook, best_first
from depthgui.exchange.venue_format import Dialect
from depthgui.recording.lines import RecordedLine, RecordingError, RecordingLines

log = logging.getLogger(__name__)

_LOOKED_THROUGH_AT_START = 20_000
_LINES_PER_ADVANCE = 4000
_PAUSE_BETWEEN_ROUNDS_MS = 100
_REMEMBERED_ADVANCES = 3000

OnEvent = Callable[[Market, str, Diff], None]
TopicsByKind = dict[Kind, list[Topic]]


@dataclass(frozen=True, slots=True)
class Replay:
    """What to play, and how.

    `speed` times as fast as recorded, 1 to 100; `loop` again and again, or once, after which the last book stays;
    `hold` waits at the beginning until somebody subscribes to a stream of the symbol; `now` moves event times to the
    present, otherwise they are as recorded. `path` is a file or a folder; `symbol` chooses one of several in it.
    `keeps_pauses` plays pauses of more than two seconds as they are.
    """

    path: Path
    speed: float = 1.0
    loop: bool = False
    hold: bool = False
    now: bool = False
    symbol: str = ""
    keeps_pauses: bool = False


def replays_of(replay: Replay) -> tuple[Replay, ...]:
    """One replay for each symbol of a recording. Raises RecordingError where it holds none, OSError."""
    lines = RecordingLines(replay.path, keeps_pauses=replay.keeps_pauses)
    names = survey(lines).names
    if not names:
        what = f" ({lines.warnings[0]})" if lines.warnings else ""
        raise RecordingError(f"{replay.path} holds no recorded market data{what}")
    return tuple(replace(replay, symbol=name) for name in names)


class PlaybackSource:
    """Plays one symbol of a recording.

    `warnings` names what could not be read; `rounds` counts finished rounds; `is_finished` says that a recording
    played once has come to its end: its book stays. Raises RecordingError for a file without market data, OSError
    for one that cannot be opened, ValueError for a speed that makes no sense.
    """

    def __init__(self, replay: Replay, *, history: int, on_event: OnEvent | None = None) -> None:
        if not 0 < replay.speed <= 1000:
            raise ValueError(f"a speed of {replay.speed} makes no sense; 1 to 100 do")
        self.replay = replay
        self.is_finished = False
        self.rounds = 0
        self.lines_played = 0
        self._on_event = on_event
        self._logged_warnings = 0
        self._lines = RecordingLines(replay.path, keeps_pauses=replay.keeps_pauses)
        self._symbols = survey(self._lines)
        self._symbol = replay.symbol or next(iter(self._symbols.names), "")
        self._reader: Iterator[RecordedLine] = self._of_symbol()
        self._ahead: deque[RecordedLine] = deque()
        snapshot, diff, symbol = self._look_ahead()
        self.spec = spec_of(diff, snapshot, symbol, replay.path)
        self._dialect = Dialect(self.spec)
        self._seed = snapshot or RecordedSnapshot(diff.U - 1 if diff else 0, [], [])
        self.book: TruthBook[str, str] = TruthBook(self._seed.lastUpdateId, history)
        self._covered: tuple[str, str] = ("", "")
        self._plant(self._seed)
        self._chain = _ChainState(self._seed.lastUpdateId)
        self._event_ms = self._seed.E or (diff.E if diff else 0)
        self._shift = Shift()
        self._base_ns = 0
        self._base_ms: int | None = None
        self._partials: dict[Topic, tuple[int, int]] = {}
        self._ids_at: deque[tuple[int, int]] = deque(maxlen=_REMEMBERED_ADVANCES)

    # --- the beginning ---------------------------------------------------------------------------------------------

    def _look_ahead(self) -> tuple[RecordedSnapshot | None, RecordedDiff | None, str]:
        """Read until a snapshot and a diff are found; what was read is kept to be played."""
        snapshot: RecordedSnapshot | None = None
        diff: RecordedDiff | None = None
        symbol = ""
        for line in self._reader:
            self._ahead.append(line)
            if not line.stream:
                snapshot = snapshot or self._decoded(line, decode_snapshot)
            elif kind_of(line.stream) is Kind.DIFF:
                diff = diff or self._decoded(line, decode_diff)
            symbol = symbol or line.stream.partition("@")[0].upper()
            if (snapshot and diff) or len(self._ahead) >= _LOOKED_THROUGH_AT_START:
                break
        self.log_warnings()
        symbol = symbol or self._symbol
        if not symbol or not self._ahead:
            what = f" ({self.warnings[0]})" if self.warnings else ""
            raise RecordingError(f"{self.replay.path} holds no recorded market data{what}")
        if snapshot is None:
            what = "no snapshot follows from here; the book begins empty, and only levels that were seen are known"
            self._lines.warn(self._ahead[0].number, what, self._ahead[0].file)
        return snapshot, diff, diff.s if diff else symbol

    def _decoded(self, line: RecordedLine, decode: Callable[[bytes], Any]) -> Any:
        try:
            return decode(line.data)
        except DECODE_ERRORS as error:
            self._lines.warn(line.number, f"skipped, not of the venue's shape ({error})", line.file)
            return None

    def _of_symbol(self) -> Iterator[RecordedLine]:
        """The lines of this symbol; times go on over those of others."""
        return (line for line in self._lines if self._symbols.owner(line) == self._symbol)

    def _plant(self, snapshot: RecordedSnapshot) -> None:
        self.book.replace(snapshot.lastUpdateId, dict(_plain(snapshot.bids)), dict(_plain(snapshot.asks)))
        self._covered = _range(self.book.bids, self.book.asks)

    @property
    def warnings(self) -> list[str]:
        """What could not be read, in sentences with line numbers."""
        return self._lines.warnings

    def log_warnings(self) -> None:
        """Log the warnings that have not been logged yet."""
        for warning in self.warnings[self._logged_warnings :]:
            log.warning("%s", warning)
        self._logged_warnings = len(self.warnings)

    def as_dict(self) -> dict[str, Any]:
        """For the control call."""
        return {
            "file": self.replay.path.name,
            "market": self.spec.market.value,
            "symbol": self.spec.symbol,
            "lines": self.lines_played,
            "rounds": self.rounds,
            "finished": self.is_finished,
            "problems": self._lines.problems,
            "warnings": self.warnings,
        }

    # --- time ------------------------------------------------------------------------------------------------------

    @property
    def runs_unheard(self) -> bool:
        """A recording goes on whether or not somebody listens, unless it is held or over."""
        return not self.is_finished and not (self.replay.hold and self._base_ms is None)

    def advance(self, now_ms: int, topics: Sequence[Topic], publish: Publish) -> None:
        """Play what is due; at most some thousand lines at once, the rest follows with the next call."""
        if self._base_ms is None:
            if self.replay.hold and not topics:
                return
            self._base_ms = now_ms
        heard: TopicsByKind = {}
        for topic in topics:
            heard.setdefault(topic.kind, []).append(topic)
        for _ in range(_LINES_PER_ADVANCE):
            line = self._take_due(now_ms)
            if line is None:
                break
            self._play(line, now_ms, heard, publish)
        if not self.is_finished and self._next() is None:
            self._end(now_ms, heard, publish)
        self._ids_at.append((now_ms, self.book.last_id))
        self._publish_partials(now_ms, heard.get(Kind.PARTIAL, []), publish)

    def _next(self) -> RecordedLine | None:
        if not self._ahead:
            line = next(self._reader, None)
            if line is None:
                return None
            self._ahead.append(line)
        return self._ahead[0]

    def _take_due(self, now_ms: int) -> RecordedLine | None:
        line = self._next()
        if line is None or self._base_ms is None:
            return None
        due_ms = self._base_ms + (line.recv_ns - self._base_ns) / 1e6 / self.replay.speed
        return self._ahead.popleft() if due_ms <= now_ms else None

    # --- one line --------------------------------------------------------------------------------------------------

    def _play(self, line: RecordedLine, now_ms: int, heard: TopicsByKind, publish: Publish) -> None:
        self.lines_played += 1
        if not line.stream:
            self._meet_snapshot(line)
            return
        kind = kind_of(line.stream)
        if kind is None:
            return
        if kind is Kind.DIFF:
            self._play_diff(line, now_ms, heard.get(kind, []), publish)
            return
        if not self._note_ids(line, kind):
            return
        topics = heard.get(kind, [])
        if topics:
            message = Message(self._payload(line.data, kind, now_ms))
            for topic in topics:
                publish(topic, message)

    def _payload(self, data: bytes, kind: Kind, now_ms: int) -> bytes:
        """Byte for byte as recorded, unless ids or times are to be others."""
        if self.replay.now:
            return shifted(data, kind, self._shift, now_ms)
        return shifted(data, kind, self._shift) if self._shift else data

    def _note_ids(self, line: RecordedLine, kind: Kind) -> bool:
        """Remember how far ids go; False for what belongs before the seed and is not played again."""
        ids: RecordedIds | None = self._decoded(line, decode_ids)
        if ids is None:
            return False
        if kind is Kind.TICKER:
            if self.rounds and ids.u < self._chain.join_first_id:
                return False
            self._chain.highest_id = max(self._chain.highest_id, ids.u + self._shift.update_id)
        elif not self.rounds:
            self._chain.note_trade(ids.t if kind is Kind.TRADE else ids.a)
        return True

    def _play_diff(self, line: RecordedLine, now_ms: int, topics: list[Topic], publish: Publish) -> None:
        recorded = self._decoded(line, decode_diff)
        if recorded is None:
            return
        if (recorded.pu is None) is not (self.spec.market is Market.SPOT):
            self._lines.warn(line.number, f"skipped, not an event of {self.spec.market.label}", line.file)
            return
        self._chain.note_diff(recorded, line, self._seed.lastUpdateId, self.book.last_id - self._shift.update_id)
        shift = self._shift
        diff = Diff(
            recorded.U + shift.update_id,
            recorded.u + shift.update_id,
            now_ms if self.replay.now else recorded.E + shift.time_ms,
            recorded.b,
            recorded.a,
            None if recorded.pu is None else recorded.pu + shift.update_id,
        )
        self._apply(diff)
        payload = self._payload(line.data, Kind.DIFF, now_ms) if topics else b""
        self._publish_diff(diff, payload, topics, publish)

    def _publish_diff(self, diff: Diff, payload: bytes, topics: list[Topic], publish: Publish) -> None:
        if self._on_event is not None:
            self._on_event(self.spec.market, self.spec.symbol, diff)
        if topics:
            message = Message(payload, diff)
            for topic in topics:
                publish(topic, message)

    def _apply(self, diff: Diff) -> None:
        self._event_ms = diff.event_time_ms
        self._chain.last_id = diff.last_id
        self._chain.highest_id = max(self._chain.highest_id, diff.last_id)
        if diff.last_id <= self.book.last_id:
            return
        for is_bid, levels in ((True, diff.bids), (False, diff.asks)):
            for price, size in _plain(levels):
                self.book.set(diff.last_id, is_bid, price, None if _is_zero(size) else size)
        self.book.last_id = diff.last_id

    def _meet_snapshot(self, line: RecordedLine) -> None:
        """A further snapshot in the recording mends the book where the recording has a hole."""
        if not self._chain.has_hole or self.rounds:
            return
        snapshot = self._decoded(line, decode_snapshot)
        if snapshot is not None and snapshot.lastUpdateId > self.book.last_id:
            self._plant(snapshot)
            self._chain.has_hole = False

    # --- the end, and round again ----------------------------------------------------------------------------------

    def _end(self, now_ms: int, heard: TopicsByKind, publish: Publish) -> None:
        self.log_warnings()
        if not self.replay.loop or self._chain.join_line is None:
            self.is_finished = True
            return
        bridge = self._bridge(now_ms)
        self.rounds += 1
        self._apply(bridge)
        self._publish_diff(bridge, self._dialect.diff(bridge), heard.get(Kind.DIFF, []), publish)
        self._publish_bridge_ticker(bridge, heard.get(Kind.TICKER, []), publish)
        self._start_over(now_ms, bridge)

    def _bridge(self, now_ms: int) -> Diff:
        """The diff event that turns the book back into the seed, with the ids that come next."""
        changes = [
            _changes(dict(self._seed.bids), self.book.bids, self._zero),
            _changes(dict(self._seed.asks), self.book.asks, self._zero),
        ]
        bids = sorted(changes[0], key=_price, reverse=True)
        asks = sorted(changes[1], key=_price)
        first_id = self._chain.highest_id + 1
        is_spot = self._chain.prev_at_join is None
        return Diff(
            self._chain.last_id + 1 if is_spot else first_id,
            first_id + len(bids) + len(asks),
            now_ms if self.replay.now else self._event_ms + _PAUSE_BETWEEN_ROUNDS_MS,
            bids,
            asks,
            None if is_spot else self._chain.last_id,
        )

    @property
    def _zero(self) -> str:
        decimals = self.spec.size_decimals
        return f"{0:.{decimals}f}"

    def _publish_bridge_ticker(self, bridge: Diff, topics: list[Topic], publish: Publish) -> None:
        best = self._now(1, bridge.event_time_ms)
        if not topics or not best.bids or not best.asks:
            return
        ticker = BestPrices(bridge.last_id, *best.bids[0], *best.asks[0], bridge.event_time_ms)
        message = Message(self._dialect.ticker(ticker))
        for topic in topics:
            publish(topic, message)

    def _start_over(self, now_ms: int, bridge: Diff) -> None:
        chain = self._chain
        continues = chain.join_first_id - 1 if chain.prev_at_join is None else chain.prev_at_join
        self._shift = Shift(
            bridge.last_id - continues,
            self.rounds * chain.trade_span,
            bridge.event_time_ms + _PAUSE_BETWEEN_ROUNDS_MS - chain.join_event_ms,
        )
        self._reader = self._of_symbol()
        self._ahead.clear()
        while (line := self._next()) is not None and (line.file, line.number) != chain.join_line:
            self._ahead.popleft()
        if line is not None:
            self._base_ns = line.recv_ns
        self._base_ms = now_ms + int(_PAUSE_BETWEEN_ROUNDS_MS / self.replay.speed)

    # --- books -----------------------------------------------------------------------------------------------------

    def snapshot(self, limit: int | None, now_ms: int, *, age_ms: int = 0) -> Snapshot:
        """The best levels now, or some time ago."""
        event_ms = now_ms if self.replay.now else self._event_ms
        if not age_ms:
            return self._now(limit, event_ms)
        past = [update_id for time_ms, update_id in self._ids_at if time_ms <= now_ms - age_ms]
        update_id = max(past[-1] if past else self.book.oldest_id, self.book.oldest_id)
        return self._as_snapshot(update_id, *self.book.at(update_id), limit, event_ms - age_ms)

    def book_at(self, update_id: int) -> Snapshot:
        """The whole book at an id."""
        return self._as_snapshot(update_id, *self.book.at(update_id), None, self._event_ms)

    def _now(self, limit: int | None, event_ms: int) -> Snapshot:
        return self._as_snapshot(self.book.last_id, self.book.bids, self.book.asks, limit, event_ms)

    def _as_snapshot(
        self, update_id: int, bids: dict[str, str], asks: dict[str, str], limit: int | None, event_ms: int
    ) -> Snapshot:
        return Snapshot(
            update_id,
            best_first(bids, is_bid=True, order=float, limit=limit),
            best_first(asks, is_bid=False, order=float, limit=limit),
            event_ms,
            limit,
            ("", "") if self._chain.has_hole else self._covered,
        )

    def _publish_partials(self, now_ms: int, topics: list[Topic], publish: Publish) -> None:
        for topic in topics:
            due_ms, prev_id = self._partials.get(topic, (0, self.book.last_id - 1))
            if now_ms < due_ms or prev_id == self.book.last_id:
                continue
            self._partials[topic] = (now_ms + topic.speed_ms, self.book.last_id)
            snapshot = self.snapshot(topic.levels, now_ms)
            publish(topic, Message(self._dialect.partial(snapshot, first_id=prev_id + 1, prev_id=prev_id)))


class _ChainState:
    """How far ids have gone, and where the recording first continues its seed."""

    def __init__(self, seed_id: int) -> None:
        self.last_id = 0
        self.highest_id = seed_id
        self.has_hole = False
        self.join_line: tuple[str, int] | None = None
        self.join_first_id = 0
        self.join_event_ms = 0
        self.prev_at_join: int | None = None
        self._recorded_last_id: int | None = None
        self._trades: tuple[int, int] | None = None

    def note_diff(self, diff: RecordedDiff, line: RecordedLine, seed_id: int, book_id: int) -> None:
        """A diff of the recording, with its ids as recorded; the book is at `book_id`, perhaps by a later snapshot."""
        last_id = self._recorded_last_id
        if last_id is not None and diff.u > last_id:
            before_id = diff.U - 1 if diff.pu is None else diff.pu
            self.has_hole = self.has_hole or not last_id <= before_id <= max(last_id, book_id)
        self._recorded_last_id = diff.u
        if not self.join_line and diff.u > seed_id:
            self.join_line = (line.file, line.number)
            self.join_first_id, self.join_event_ms = diff.U, diff.E
            self.prev_at_join = diff.pu

    def note_trade(self, trade_id: object) -> None:
        """A trade of the first round."""
        if isinstance(trade_id, int):
            low, high = self._trades or (trade_id, trade_id)
            self._trades = (min(low, trade_id), max(high, trade_id))

    @property
    def trade_span(self) -> int:
        """By how much trade ids must be shifted in each round."""
        return self._trades[1] - self._trades[0] + 1 if self._trades else 0


def _plain(levels: Sequence[Level]) -> list[Level]:
    """Levels whose price and size are numbers, in plain form; others are left out of this book."""
    found = []
    for price, size in levels:
        try:
            found.append((plain_number(price), plain_number(size)))
        except MalformedMessageError:
            continue
    return found


def _range(bids: dict[str, str], asks: dict[str, str]) -> tuple[str, str]:
    """Lowest and highest price of a recorded snapshot: between them it has all levels."""
    prices = sorted((*bids, *asks), key=float)
    return (prices[0], prices[-1]) if prices else ("", "")


def _is_zero(size: str) -> bool:
    return not size.strip("0.")


def _price(level: Level) -> float:
    return float(level[0])


def _changes(wanted: dict[str, str], current: dict[str, str], zero: str) -> list[Level]:
    gone = [(price, zero) for price in current if price not in wanted]
    return gone + [(price, size) for price, size in wanted.items() if current.get(price) != size]
