"""Parsing, applying and reading: our book beside others', on made messages and on recordings; memory; growth."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from bench.books import BookUnderTest, OurBook, OurEngine, OurTexts, SortedBook
from bench.peers import make_peers
from bench.results import Curve, Plan, Result, Row, at_least, at_most
from bench.timing import cut, median, ratio, take_turns
from bench.workload import Workload, levels_per_message, recordings, synthetic

READ = 20

# Name in the table, and how many times as fast we must be: with reading the top, and without.
TARGETS = (
    ("python-binance", 250.0, 1.3),
    ("unicorn-binance-local-depth-cache", 55.0, 35.0),
    ("ccxt.pro", 4.5, 6.0),
    ("sortedcontainers + orjson", 2.8, None),
)
_PARSE = "parse alone"
_UNREAD_PIECES = 5
# Of the made messages, on the machine of which the budgets' reference points are: how slow is this one, now?
_REFERENCE_PARSE_US = 3.5


class DisagreementError(AssertionError):
    """Two books that were given the same messages hold different levels."""


def measure(
    workload: Workload, books: Sequence[BookUnderTest], *, piece: int, with_read: bool
) -> dict[str, list[float]]:
    """Microseconds of a message for each book, piece by piece.

    Raises DisagreementError if the books' best levels differ at the end of a piece: of any, where levels are read
    anyway, else of every fifth and of the last, because a book may keep an order from then on for whoever asked.
    """
    for book in books:
        book.start(workload)
    pieces = cut(workload.diffs, piece)
    try:

        def compare(number: int) -> None:
            if not with_read and (number + 1) % _UNREAD_PIECES and number + 1 < len(pieces):
                return
            expected = books[0].top(READ)
            for book in books[1:]:
                if book.top(READ) != expected:
                    raise DisagreementError(
                        f"{workload.name}, piece {number}: {book.name} differs from {books[0].name}"
                    )

        jobs = {book.name: _job(book, with_read=with_read) for book in books}
        jobs[_PARSE] = _parse
        return take_turns(jobs, pieces, compare)
    finally:
        for book in books:
            book.close()


def _job(book: BookUnderTest, *, with_read: bool) -> Callable[[Sequence[bytes]], object]:
    def apply(payloads: Sequence[bytes]) -> None:
        take = book.apply
        for payload in payloads:
            take(payload)

    def apply_and_read(payloads: Sequence[bytes]) -> None:
        take = book.apply
        read = book.read
        for payload in payloads:
            take(payload)
            read(READ)

    return apply_and_read if with_read else apply


class _Parsed(msgspec.Struct, gc=False):
    U: int
    u: int
    E: int
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    pu: int | None = None


_decode = msgspec.json.Decoder(_Parsed).decode


def _parse(payloads: Sequence[bytes]) -> None:
    # The least that exact text takes: typed decoding to tuples of texts, and nothing done with them.
    for payload in payloads:
        _decode(payload)


def _books(plan: Plan, workload: Workload) -> tuple[list[BookUnderTest], dict[str, str]]:
    ours: list[BookUnderTest] = [OurBook(), OurTexts(), OurEngine()]
    if not plan.peers:
        return ours, {}
    peers, missing = make_peers()
    missing.update(
        {peer.name: "keeps no right book of this market" for peer in peers if workload.market not in peer.markets}
    )
    return ours + [peer for peer in peers if workload.market in peer.markets], missing


def books_on_made_messages(plan: Plan) -> Result:
    """The first two rows of the table."""
    result = Result("Parse, apply, read: made messages")
    piece, count = plan.pick(100, 50), plan.pick(20, 8)
    workload = synthetic(piece * count)
    result.notes.append(
        f"{piece * count} messages of {levels_per_message(workload):.0f} levels and "
        f"{sum(map(len, workload.diffs)) / len(workload.diffs) / 1000:.2f} kB on a book of 5000 levels a side, "
        f"in {count} pieces that the candidates take in turn; all best {READ} levels a side agree after every piece "
        f"(where nothing is read: every {_UNREAD_PIECES} pieces)."
    )
    result.notes.append(
        "Where nothing is read, nobody asks our book for its best between two comparisons: it gives up its order after "
        "50 messages. The rows with frame and sequence rules ask for it at every message, as the application does."
    )
    rounds = plan.pick(3, 1)
    if rounds > 1:
        result.notes.append(
            f"Of {rounds} such runs it is the one in which parsing alone was quickest, which others disturbed least."
        )
    _compare(result, plan, workload, piece, rounds=rounds)
    return result


def books_on_recordings(plan: Plan) -> Result:
    """The same on what was recorded."""
    result = Result("Parse, apply, read: recordings")
    piece = plan.pick(100, 50)
    found = recordings(diffs=plan.pick(1500, 400))
    if not found:
        result.notes.append("No recordings here (../shared/data or $DEPTHGUI_DATA).")
    result.notes.append(
        "The recorded books begin with 1000 levels a side: a peer that sorts everything at each read does a fifth of "
        "what it does on the made book, so the ratios of the budget are out of reach there."
    )
    for workload in found:
        result.notes.append(
            f"{workload.name}: {len(workload.diffs)} diffs of {levels_per_message(workload):.0f} levels on average."
        )
        _compare(result, plan, workload, piece)
    return result


def _compare(result: Result, plan: Plan, workload: Workload, piece: int, *, rounds: int = 1) -> None:
    where = "" if workload.name.startswith("made") else f"{workload.name}: "
    figures: dict[str, Any] = {}
    for with_read in (True, False):
        books, missing = _books(plan, workload)
        runs = [measure(workload, books, piece=piece, with_read=with_read) for _ in range(rounds)]
        times = min(runs, key=lambda run: median(run[_PARSE]))
        ours = times[OurBook.name]
        mode = f"parse + apply + read {READ}" if with_read else "parse + apply"
        figures[mode] = {
            name: {"us": round(median(values), 2), "times ours": round(ratio(values, ours), 2)}
            for name, values in times.items()
        }
        result.rows.append(Row(f"{where}{mode}, ours", f"{median(ours):.1f} us"))
        engine = times[OurEngine.name]
        result.rows.append(Row(f"{where}{mode}, ours with frame and sequence rules", f"{median(engine):.1f} us"))
        for name, with_limit, without_limit in TARGETS:
            limit = with_limit if with_read else without_limit
            if limit is None:
                continue
            what = f"{where}{mode}, against {name}"
            if name in times:
                note = f"{name} {median(times[name]):.0f} us"
                result.rows.append(at_least(what, ratio(times[name], ours), limit, note=note))
            elif plan.peers:
                reason = missing.get(name, "")
                result.rows.append(Row(what, "-", f">= {limit:g} x", None, reason))
        if not with_read:
            parse = times[_PARSE]
            slow = median(parse) / _REFERENCE_PARSE_US
            result.data.setdefault("machine", {})[workload.name] = round(slow, 2)
            if not where:
                result.notes.append(f"Parsing alone took {slow:.2f} times what it did where the budgets were measured.")
            note = f"parse alone {median(parse):.1f} us"
            result.rows.append(at_most(f"{where}{mode}, against the parse alone", ratio(ours, parse), 4.5, "x", note))
        for name, values in times.items():
            if name not in {OurBook.name, OurEngine.name, _PARSE, *(target[0] for target in TARGETS)}:
                note = f"{median(values):.0f} us"
                result.rows.append(Row(f"{where}{mode}, against {name}", f"{ratio(values, ours):.3g} x", note=note))
    result.data[workload.name] = figures


def memory(plan: Plan) -> Result:
    """Memory of one book, counted by the allocator's own trace."""
    result = Result("Memory of one book, 5000 levels a side")
    workload = synthetic(plan.pick(500, 100))
    books, _ = _books(plan, workload)
    for book in books:
        if book.name.endswith("manager"):
            continue
        size_mb = _traced_mb(book, workload)
        result.data[book.name] = round(size_mb, 3)
        if book.name == OurBook.name:
            result.rows.append(at_most("memory of one book, ours", size_mb, 1.3, "MB"))
        else:
            result.rows.append(Row(f"memory of one book, {book.name}", f"{size_mb:.2f} MB"))
    result.notes.append("Counted by tracemalloc after the snapshot and the diffs, with what the reader left behind.")
    return result


def _traced_mb(book: BookUnderTest, workload: Workload) -> float:
    book.start(workload)  # what it imports and caches once is not the book's
    book.close()
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        book.start(workload)
        for payload in workload.diffs:
            book.apply(payload)
        book.read(READ)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    book.close()
    return (after - before) / 1e6


def growth(plan: Plan) -> Result:
    """How the cost of a message grows with the book and with the message."""
    result = Result("Growth of the cost of a message")
    sizes = plan.pick((100, 300, 1000, 3000, 5000, 10_000, 20_000), (100, 1000, 5000))
    lengths = plan.pick((1, 3, 10, 31, 100, 300, 1000), (3, 31, 300))
    made = [synthetic(plan.pick(600, 200), levels_a_side=size) for size in sizes]
    _grow(result, plan, "with the size of the book", "levels a side", made, sizes)
    made = [synthetic(plan.pick(300, 100), levels=length) for length in lengths]
    _grow(result, plan, "with the length of the message", "levels in a message", made, lengths)
    return result


def _grow(
    result: Result, plan: Plan, how: str, across: str, workloads: Sequence[Workload], works: Sequence[int]
) -> None:
    costs: dict[str, list[float]] = {}
    for workload in workloads:
        books: list[BookUnderTest] = [OurBook(), OurEngine()]
        if plan.peers:
            books.append(SortedBook())
        times = measure(workload, books, piece=50, with_read=True)
        for name, values in times.items():
            costs.setdefault(name, []).append(median(values))
    for name, values in costs.items():
        points = tuple((float(work), value) for work, value in zip(works, values, strict=True))
        chart = f"Message cost {how}"
        result.curves.append(Curve(chart, name, across, "us: parse, apply, read 20", points))
    ours = costs[OurBook.name]
    first, last = ours[0], ours[-1]
    text = f"{first:.1f} us at {works[0]} to {last:.1f} us at {works[-1]} {across}"
    result.rows.append(Row(f"message cost {how}", text))
    result.data[how] = {name: dict(zip(map(str, works), values, strict=True)) for name, values in costs.items()}
