"""Tests of the engine without sockets: a virtual clock, a model of the venue, and a look for what was left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from feed.model_venue import WALL_START_MS, ModelVenue
from feed.virtual_loop import START_S, VirtualLoop

from depthgui.binance.endpoints import Endpoints
from depthgui.depthcache import connection as connection_module
from depthgui.depthcache import feed as feed_module
from depthgui.depthcache import hub as hub_module
from depthgui.depthcache.hub import Hub, HubOptions

MakeHub = Callable[..., Hub]


@pytest.hookimpl(tryfirst=True)
def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Callable[[], Any]]:
    """Time is virtual here."""
    return {"virtual": VirtualLoop}


@pytest.fixture
async def loop() -> VirtualLoop:
    """The running loop."""
    running = asyncio.get_running_loop()
    assert isinstance(running, VirtualLoop)
    return running


@pytest.fixture
async def venue(loop: VirtualLoop, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ModelVenue]:
    """A venue without symbols. The engine's wall clock goes with the loop's."""

    def wall_ms() -> float:
        return WALL_START_MS + (loop.time() - START_S) * 1000

    clock = SimpleNamespace(time=lambda: wall_ms() / 1000, time_ns=lambda: int(wall_ms() * 1e6))
    for module in (feed_module, connection_module, hub_module):
        monkeypatch.setattr(module, "time", clock)
    model = ModelVenue()
    yield model
    model.stop()
    assert not model.faults


@pytest.fixture
async def make_hub(venue: ModelVenue, loop: VirtualLoop) -> AsyncIterator[MakeHub]:
    """Makes hubs on the model venue, closes them at the end, and sees that nothing of them is left."""
    hubs: list[Hub] = []

    def make(*, endpoints: Endpoints | None = None, **options: Any) -> Hub:
        hub = Hub(endpoints or Endpoints.at("http://model"), options=HubOptions(opener=venue, **options))
        hub.rest.client = venue.rest  # type: ignore[assignment]
        hubs.append(hub)
        return hub

    yield make
    venue.stop()
    for hub in hubs:
        await hub.close()
    assert venue.open_streams == []
    assert venue.rest.is_closed or not hubs
    assert venue.rest.under_way == 0
    await asyncio.sleep(0)
    assert loop.pending_timers() == []


@pytest.fixture
async def hub(make_hub: MakeHub) -> Hub:
    """A hub with the usual options."""
    return make_hub()
