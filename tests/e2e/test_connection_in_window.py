"""What the window says of a connection: one thing, in all places, also after the last attempt."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from e2e.test_application import is_live_and_painted, pages, trading, until, visible
from PySide6 import QtWidgets

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.depthcache import audit_turns
from depthgui.transport.backoff import Backoff
from depthgui.ui.main_window import MainWindow
from depthgui.ui.symbol_tab import SymbolTab


def banner_of(page: SymbolTab) -> str:
    label = page.findChild(QtWidgets.QLabel, "staleText")
    assert label is not None
    return label.text()


def notes(window: MainWindow) -> list[str]:
    """State of each tab, and of its connection."""
    said = []
    for page in pages(window):
        said += [page.state, "" if page.connection is None else page.connection.phase.value]
    return said


@pytest.mark.expected_logs("Max reconnections 5 reached")
async def test_after_the_last_attempt_all_places_say_so_until_somebody_asks_for_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "delay_s", lambda *_: 0.05)
    monkeypatch.setattr(audit_turns, "_EVERY_S", 0.5)  # a tab behind asks for its best prices that often
    async with trading(tmp_path, "BTCUSDT", "ETHUSDT") as (window, exchange):
        for page in pages(window):
            await until(lambda page=page: page.state == "live", "live")
        front, behind = pages(window)
        await is_live_and_painted(front)
        exchange.faults.add_script("refuse count=0")
        exchange.disconnect("spot")
        await until(lambda: notes(window) == ["failed", "failed"] * 2, "told as failed")
        seen: set[tuple[str, ...]] = set()
        for _ in range(150):
            await asyncio.sleep(0.02)
            seen.add(tuple(notes(window)))
            assert "unable to connect after 5 attempts" in banner_of(front)
        assert seen == {("failed", "failed") * 2}
        for dialog in visible(window, "connectionDialog"):
            dialog.close()
        exchange.faults.clear()
        window.findChild(QtWidgets.QTabWidget, "symbolTabs").setCurrentWidget(behind)  # type: ignore[union-attr]
        await asyncio.sleep(1)
        assert notes(window) == ["failed", "failed"] * 2  # to look at a tab is no wish
        window.actions_by_name["actionRetry"].trigger()
        await until(lambda: notes(window) == ["live", "open"] * 2, "live again")
        await is_live_and_painted(behind)


async def test_a_subscription_that_is_not_answered_is_told_and_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("depthgui.depthcache.subscriptions.ANSWER_S", 1.5)
    async with trading(tmp_path, "BTCUSDT") as (window, exchange):
        (first,) = pages(window)
        await is_live_and_painted(first)
        exchange.faults.add_script("ignore-subscribe symbol=ETHUSDT count=4")
        page = window.open_symbol(SymbolRef(Market.SPOT, "ETHUSDT"))
        await until(lambda: page.feed and "Subscribing again: no answer" in page.feed.status.detail, "told")
        assert page.state == "connecting"
        await is_live_and_painted(page)
        assert first.state == "live"
