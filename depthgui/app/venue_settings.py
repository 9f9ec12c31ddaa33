"""From settings and arguments to the engine's options: which endpoints, which proxy, how to reconnect, how deep."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from depthgui.binance.endpoints import Endpoints, Market, SymbolRef
from depthgui.cli import Arguments
from depthgui.depthcache.connection import ConnectionOptions
from depthgui.depthcache.feed import FeedOptions
from depthgui.depthcache.hub import HubOptions
from depthgui.settings import Settings, schema
from depthgui.transport.proxy import ProxyChoice

EXCHANGE_NAME = "Embedded exchange"
REPLAY_KEY = "replay"
_KEEP_TRYING_S = 30.0
_DERIVATIVES_MOST = 1000
_SLOW_MS = {Market.SPOT: 1000}
_SLOW_DERIVATIVES_MS = 500

_ENVIRONMENTS: Mapping[str, Callable[[], Endpoints]] = MappingProxyType(
    {
        "testnet": Endpoints.testnet,
        "demo-mode": Endpoints.demo_mode,
        "us": Endpoints.us,
        "data-only": Endpoints.data_only,
    }
)


@dataclass(frozen=True, slots=True)
class VenueWish:
    """Where to connect to: a key of the venues, and the address for "custom"."""

    key: str
    endpoint: str = ""


def first_venue(arguments: Arguments, settings: Settings) -> VenueWish:
    """What the command line says, else the settings."""
    if arguments.uses_exchange:
        return VenueWish("demo")
    if arguments.endpoint is not None:
        return VenueWish("custom", arguments.endpoint)
    if arguments.venue is not None:
        return VenueWish(arguments.venue.value)
    key = settings.get(schema.VENUE)
    endpoint = settings.get(schema.ENDPOINT)
    if key == "custom" and not endpoint:
        return VenueWish(schema.VENUE.default)
    return VenueWish(key, endpoint)


def endpoints_of(wish: VenueWish, exchange_url: str = "") -> Endpoints:
    """The endpoints of a wish; `exchange_url` is where the embedded exchange serves. Raises UsageError."""
    if wish.key == "demo":
        return dataclasses.replace(Endpoints.at(exchange_url), name=EXCHANGE_NAME)
    if wish.key == "custom":
        return Endpoints.at(wish.endpoint)
    return _ENVIRONMENTS.get(wish.key, Endpoints.production)()


def proxy_choice(text: str) -> ProxyChoice:
    """The setting's text as the engine's choice. Raises UsageError for an address that cannot be a proxy's."""
    return ProxyChoice({"": None, "direct": ""}.get(text, text))


def hub_options(settings: Settings) -> HubOptions:
    """How to connect. Raises UsageError for a proxy that cannot be one."""
    keeps_trying = settings.get(schema.AFTER_FAILURE) == "retry"
    return HubOptions(
        proxy=proxy_choice(settings.get(schema.PROXY)),
        connection=ConnectionOptions(keep_trying_s=_KEEP_TRYING_S if keeps_trying else None),
    )


def feed_options(settings: Settings, ref: SymbolRef) -> FeedOptions:
    """How a symbol's book is kept."""
    limit = settings.get(schema.DEPTH_LIMIT)
    interval_ms: int | None = None
    if settings.get(schema.UPDATE_MS) != schema.UPDATE_MS.default:
        interval_ms = _SLOW_MS.get(ref.market, _SLOW_DERIVATIVES_MS)
    return FeedOptions(
        limit=limit if ref.market is Market.SPOT else min(limit, _DERIVATIVES_MOST),
        interval_ms=interval_ms,
        refresh_s=settings.get(schema.REFRESH_MIN) * 60.0,
    )
