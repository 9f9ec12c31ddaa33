"""Quiet or dead: how long a symbol may be silent, by its own pace."""

from __future__ import annotations

import pytest

from depthgui.book.silence import SilenceWatch
from depthgui.book.sync_limits import SyncLimits


def watch_with_pace(diffs_per_s: float, seconds: int = 60) -> tuple[SilenceWatch, float]:
    watch = SilenceWatch(SyncLimits())
    watch.begin(0.0)
    done = 0.0
    for second in range(1, seconds + 1):
        done += diffs_per_s
        while done >= 1:
            watch.note_diff(float(second))
            done -= 1
        watch.measure(float(second))
    return watch, watch.last_s


@pytest.mark.parametrize(
    ("diffs_per_s", "allowed_s"),
    [(100, 3.0), (10, 3.0), (4, 5.0), (1, 20.0), (0.5, 40.0), (0.1, 60.0), (0, 5.0)],
)
def test_twenty_intervals_between_three_and_sixty_seconds_and_five_while_the_pace_is_unknown(
    diffs_per_s: float, allowed_s: float
) -> None:
    watch, last_s = watch_with_pace(diffs_per_s)
    assert not watch.is_too_long(last_s + allowed_s * 0.98)
    assert watch.is_too_long(last_s + allowed_s * 1.02)


def test_ticks_without_a_diff_do_not_slow_the_pace() -> None:
    watch, last_s = watch_with_pace(10)
    for second in range(1, 4):
        watch.measure(last_s + second)
    assert watch.is_too_long(last_s + 3.0)


def test_each_quiet_spell_doubles_the_patience_up_to_a_bound_and_a_new_stream_ends_it() -> None:
    watch, now_s = watch_with_pace(10)
    for spell in range(1, 12):
        now_s += 10_000.0
        watch.note_quiet(now_s)
        allowed_s = min(3.0 * 2**spell, SyncLimits().silent_max_s)
        assert not watch.is_too_long(now_s + allowed_s - 0.1)
        assert watch.is_too_long(now_s + allowed_s + 0.1)
    watch.open()
    assert watch.is_too_long(now_s + 3.0)


def test_traffic_ends_the_patience() -> None:
    watch, now_s = watch_with_pace(10)
    for _ in range(8):
        watch.note_quiet(now_s)
    for _ in range(60):
        now_s += 1.0
        for _ in range(10):
            watch.note_diff(now_s)
        watch.measure(now_s)
    assert watch.is_too_long(now_s + 3.5)
    assert watch.silent_s(now_s + 3.5) == 3.5
