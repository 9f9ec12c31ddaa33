"""Reading recordings, whole and damaged: what can be read is given, the rest is named by its line."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depthgui.exchange import RecordingError, Replay
from depthgui.exchange.playback import PlaybackSource
from depthgui.recording.lines import RecordingLines

TICKER = b'{"stream":"btcusdt@bookTicker","data":{"u":%d,"s":"BTCUSDT","b":"1.0","B":"1","a":"2.0","A":"1"}}'


def lines(count: int) -> bytes:
    return b"".join(b"%d %s\n" % (1_000 + number, TICKER % number) for number in range(1, count + 1))


def read(path: Path) -> tuple[list[int], list[str]]:
    reader = RecordingLines(path)
    return [line.number for line in reader], reader.warnings


@pytest.mark.parametrize("packed", [True, False])
def test_packed_or_plain_is_told_by_the_content(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "whatever.bin"
    path.write_bytes(gzip.compress(lines(50)) if packed else lines(50))
    assert read(path) == (list(range(1, 51)), [])


def test_gzip_files_joined_end_to_end(tmp_path: Path) -> None:
    path = tmp_path / "joined.gz"
    path.write_bytes(gzip.compress(lines(20)) + gzip.compress(lines(20)))
    assert read(path) == (list(range(1, 41)), [])


def test_bytes_are_as_recorded(tmp_path: Path) -> None:
    path = tmp_path / "one.ndjson"
    path.write_bytes(
        b'77 {"stream":"a@trade","data":{"p": "1.50",  "x":[ ]}}\n78 {"lastUpdateId":5,"bids":[],"asks":[]}'
    )
    first, second = RecordingLines(path)
    assert (first.recv_ns, first.stream, first.data) == (0, "a@trade", b'{"p": "1.50",  "x":[ ]}')
    assert (second.stream, second.data) == ("", b'{"lastUpdateId":5,"bids":[],"asks":[]}')


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_cut_off_gzip_is_read_up_to_the_cut(tmp_path: Path, cut: float) -> None:
    packed = gzip.compress(lines(4000))
    path = tmp_path / "cut.gz"
    path.write_bytes(packed[: int(len(packed) * cut)])
    numbers, warnings = read(path)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 4000 * cut * 0.5
    assert f"line {len(numbers) + 1}: " in warnings[-1]
    assert len(warnings) == 1


def test_damaged_gzip(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(lines(4000)))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
    path = tmp_path / "damaged.gz"
    path.write_bytes(bytes(packed))
    numbers, warnings = read(path)
    assert len(numbers) > 1500
    assert any("damaged" in warning or "skipped" in warning for warning in warnings)


def test_a_bad_line_is_skipped_and_named(tmp_path: Path) -> None:
    good = lines(4).splitlines(keepends=True)
    bad = [b"5 {nonsense\n", b"not a number {}\n", b"\xff\xfe\x00\n", b'9 {"other": 1}\n', b"\n"]
    path = tmp_path / "mixed.ndjson"
    path.write_bytes(b"".join([*good[:2], *bad, *good[2:]]))
    numbers, warnings = read(path)
    assert numbers == [1, 2, 8, 9]
    assert [warning.split(":")[0] for warning in warnings] == [
        f"mixed.ndjson, line {number}" for number in (3, 4, 5, 6)
    ]


def test_many_bad_lines_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "bad.ndjson"
    path.write_bytes(b"x\n" * 500)
    reader = RecordingLines(path)
    assert list(reader) == []
    assert (len(reader.warnings), reader.problems) == (100, 500)


def test_reading_is_lazy(tmp_path: Path) -> None:
    path = tmp_path / "long.ndjson"
    path.write_bytes(lines(20_000) + b"broken\n")
    reader = RecordingLines(path)
    assert next(iter(reader)).number == 1
    assert reader.warnings == []


@given(st.binary(max_size=400))
def test_any_bytes_give_lines_or_warnings_and_no_exception(tmp_path_factory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "f"
    for form in (content, b"\x1f\x8b" + content, gzip.compress(content)[:-3]):
        path.write_bytes(form)
        list(RecordingLines(path))


@pytest.mark.parametrize("content", [b"\x00\x01garbage\n\x02", b"{}\n", b'5 {"lastUpdateId":1,"bids":[],"asks":[]}\n'])
def test_a_file_without_market_data_is_an_error_that_says_so(tmp_path: Path, content: bytes, expected_logs) -> None:
    expected_logs.allow("skipped")
    path = tmp_path / "nothing.gz"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=r"nothing\.gz"):
        PlaybackSource(Replay(path), history=0)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PlaybackSource(Replay(tmp_path / "none"), history=0)
