"""The benchmarks of the books: the workload is what it says, every book that is measured holds the same levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench import book_bench, report
from bench.book_bench import DisagreementError, measure
from bench.books import OurBook, OurEngine, Top
from bench.peers import make_peers
from bench.results import Plan, Result, at_least, at_most
from bench.timing import percentile, ratio, take_turns
from bench.workload import levels_per_message, recordings, synthetic
from depthgui.binance.codec import DiffDecoder, decode_snapshot
from depthgui.book.order_book import OrderBook


def test_made_messages_are_as_the_table_says() -> None:
    workload = synthetic(200)
    assert levels_per_message(workload) == pytest.approx(31, abs=1)
    assert sum(map(len, workload.diffs)) / 200 == pytest.approx(1100, rel=0.1)
    snapshot = decode_snapshot(workload.snapshot)
    assert (len(snapshot.bids), len(snapshot.asks)) == (5000, 5000)
    assert all(len(price) == 14 for price, _ in snapshot.bids)


def test_made_messages_are_the_same_each_time_and_never_cross_the_book() -> None:
    workload = synthetic(400, levels_a_side=300)
    assert workload.diffs == synthetic(400, levels_a_side=300).diffs
    book = OrderBook.from_snapshot("BTCUSDT", decode_snapshot(workload.snapshot))
    for payload in workload.diffs:
        diff = DiffDecoder().decode(payload)
        assert diff.first_id == book.last_update_id + 1
        book.apply(diff)
        assert not book.is_crossed
    assert len(book.bids) == pytest.approx(300, rel=0.35)


def test_all_books_that_are_installed_hold_the_same_levels() -> None:
    peers, _ = make_peers()
    usable = [peer for peer in peers if not peer.name.startswith("unicorn")]  # it starts threads of its own
    times = measure(synthetic(60, levels_a_side=400), [OurBook(), OurEngine(), *usable], piece=20, with_read=True)
    assert {len(values) for values in times.values()} == {3}


@pytest.mark.parametrize("workload", recordings(diffs=120), ids=lambda workload: workload.name)
def test_recordings_too(workload: Any) -> None:
    peers, _ = make_peers()
    usable = [peer for peer in peers if workload.market in peer.markets and not peer.name.startswith("unicorn")]
    measure(workload, [OurBook(), OurEngine(), *usable], piece=40, with_read=False)


def test_a_book_that_differs_is_found() -> None:
    class Wrong(OurBook):
        name = "wrong"

        def top(self, count: int) -> Top:
            bids, asks = super().top(count)
            return bids, asks[1:]

    with pytest.raises(DisagreementError, match="wrong differs"):
        measure(synthetic(20, levels_a_side=100), [OurBook(), Wrong()], piece=10, with_read=False)


def test_candidates_take_turns_and_get_the_same_work() -> None:
    seen: list[tuple[str, int]] = []
    jobs = {name: (lambda piece, name=name: seen.append((name, piece[0]))) for name in "abc"}
    times = take_turns(jobs, [[1], [2]])
    assert seen == [("a", 1), ("b", 1), ("c", 1), ("b", 2), ("c", 2), ("a", 2)]
    assert {name: len(values) for name, values in times.items()} == {"a": 2, "b": 2, "c": 2}


def test_figures() -> None:
    assert ratio([10.0, 30.0, 100.0], [1.0, 1.0, 1.0]) == 30.0
    assert percentile([float(number) for number in range(100)], 0.99) == 99.0
    assert at_least("a", 2.5, 2.0).is_met is True
    assert at_most("a", 2.5, 2.0, "ms").verdict == "**missed**"


def test_the_report_names_what_was_missed(tmp_path: Path) -> None:
    import datetime

    result = Result("One", [at_most("frame", 3.0, 1.5, "ms"), at_least("ratio", 3.0, 1.5)])
    path = report.write(Plan(tmp_path), [result], None, datetime.datetime.now(datetime.UTC))
    text = path.read_text("utf-8")
    assert "1 targets met, 1 missed" in text
    assert "| frame | 3 ms | <= 1.5 ms | **missed** |" in text
    data = msgspec.json.decode((tmp_path / "report.json").read_bytes())
    assert [row["met"] for row in data["results"][0]["rows"]] == [False, True]
    assert data["machine"]["cores"]


def test_the_short_form_of_the_books_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_bench, "synthetic", lambda messages, **_: synthetic(min(messages, 100), levels_a_side=200))
    result = book_bench.books_on_made_messages(Plan(tmp_path, quick=True, peers=False))
    assert any(row.what.endswith("against the parse alone") and row.is_met is not None for row in result.rows)
