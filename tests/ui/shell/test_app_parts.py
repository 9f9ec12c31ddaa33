"""Parts of the composition root that stand alone: platform, logs, lock, options, the exchange's process."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from depthgui.app import screen
from depthgui.app.exchange_messages import Orders
from depthgui.app.exchange_process import ExchangeProcess, ExchangeStartError
from depthgui.app.logs import log_to
from depthgui.app.profile_lock import lock_profile
from depthgui.app.venue_settings import (
    VenueWish,
    endpoints_of,
    feed_options,
    first_venue,
    hub_options,
    proxy_choice,
)
from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.cli import Arguments, parse
from depthgui.settings import Settings, schema
from depthgui.ui.venues import CHOICES


@pytest.mark.parametrize(
    ("environment", "platform", "has_one"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({}, "win32", True),
        ({}, "darwin", True),
    ],
)
def test_whether_there_is_a_display(environment: dict[str, str], platform: str, has_one: bool) -> None:
    assert screen.has_display(environment, platform) is has_one


def test_offscreen_is_chosen_only_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "has_display", lambda *_: False)
    monkeypatch.delenv("QT_QPA_PLATFORM")
    assert "no display" in screen.choose_platform(Arguments())
    assert "QT_QPA_PLATFORM" not in os.environ
    assert screen.choose_platform(Arguments(self_test=True)) == ""
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"


def test_the_log_rotates_and_a_second_program_has_its_own(tmp_path: Path) -> None:
    path = tmp_path / "depthgui.log"
    logger = logging.getLogger("depthgui.test")
    with log_to(path, "INFO", is_writer=True), log_to(path, "INFO", is_writer=False) as second:
        assert second != path
        for number in range(3):
            logger.info("%s", number * "x" * 600_000)
        assert second.is_file()
    assert {entry.name for entry in tmp_path.iterdir()} == {"depthgui.log", "depthgui.log.1"}
    before = path.read_text()
    logger.info("after the end")
    assert path.read_text() == before


def test_a_profile_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with lock_profile(path) as first, lock_profile(path) as second:
        assert (first, second) == (True, False)
    with lock_profile(path) as third:
        assert third


def test_the_command_line_wins_over_the_settings() -> None:
    settings = Settings()
    assert first_venue(Arguments(), settings) == VenueWish("production")
    settings.set(schema.VENUE, "custom")
    assert first_venue(Arguments(), settings) == VenueWish("production"), "an address is missing"
    settings.set(schema.ENDPOINT, "http://127.0.0.1:8900")
    assert first_venue(Arguments(), settings) == VenueWish("custom", "http://127.0.0.1:8900")
    assert first_venue(parse(["--demo"]), settings) == VenueWish("demo")
    assert first_venue(parse(["--venue", "us"]), settings).key == "us"
    assert first_venue(parse(["--endpoint", "http://h"]), settings) == VenueWish("custom", "http://h")


def test_every_choice_of_venue_has_endpoints_and_every_setting_a_choice() -> None:
    keys = [choice.key for choice in CHOICES]
    assert keys == [choice.value for choice in schema.VENUE.choices]
    names = {endpoints_of(VenueWish(key, "http://h:1"), "http://h:2").name for key in keys}
    assert len(names) == len(keys)
    assert endpoints_of(VenueWish("demo"), "http://h:2").rest_url(Market.SPOT) == "http://h:2/spot"


def test_settings_become_the_engines_options() -> None:
    settings = Settings()
    assert hub_options(settings).connection.keep_trying_s is None
    settings.set(schema.AFTER_FAILURE, "retry")
    assert hub_options(settings).connection.keep_trying_s == 30
    assert proxy_choice("").url is None
    assert proxy_choice("direct").url == ""
    settings.set(schema.DEPTH_LIMIT, 5000)
    settings.set(schema.UPDATE_MS, 1000)
    settings.set(schema.REFRESH_MIN, 0)
    spot = feed_options(settings, SymbolRef(Market.SPOT, "BTCUSDT"))
    future = feed_options(settings, SymbolRef(Market.USDM, "BTCUSDT"))
    assert (spot.limit, spot.interval_ms, spot.refresh_s) == (5000, 1000, 0)
    assert (future.limit, future.interval_ms) == (1000, 500)


async def test_the_exchange_process_serves_obeys_and_ends() -> None:
    said: list[str] = []
    async with ExchangeProcess(Orders(seed=3), said.append) as exchange:
        assert exchange.base_url.startswith("http://127.0.0.1:")
        exchange.disconnect()
        exchange.make_fault("drop symbol=BTCUSDT count=1")
    assert said == []
    with pytest.raises(ExchangeStartError, match="not running"):
        exchange.disconnect()
    await exchange.stop()


async def test_an_exchange_that_cannot_start_says_why() -> None:
    with pytest.raises(ExchangeStartError, match=r"could not start: .*nonsense"):
        async with ExchangeProcess(Orders(faults=["nonsense"]), print):
            pass
