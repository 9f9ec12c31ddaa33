"""Order books of Binance's markets that can be believed, as a library and as a desktop ladder.

Everything here is looked up when it is first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from depthgui._version import __version__

if TYPE_CHECKING:
    from depthgui.binance.endpoints import Endpoints, Market, SymbolRef, parse_symbol_ref
    from depthgui.book.errors import (
        BinanceAPIException,
        BinanceUnableToConnect,
        BinanceWebsocketClosed,
        BookError,
        ConnectFailedError,
        CrossedBookError,
        DepthGuiError,
        GapError,
        MalformedMessageError,
        NotBinanceError,
        RateLimitedError,
        RegionNotServedError,
        RequestTimeoutError,
        StreamInterruptedError,
        TransportError,
        UnknownSymbolError,
        UsageError,
        VenueError,
    )
    from depthgui.depthcache.client import AsyncClient
    from depthgui.depthcache.depth_cache import DepthCache
    from depthgui.depthcache.feed import Feed, FeedOptions, FeedState, FeedStatus
    from depthgui.depthcache.hub import Hub, HubOptions
    from depthgui.depthcache.managers import (
        BinanceSocketManager,
        DepthCacheManager,
        FuturesDepthCacheManager,
        FuturesType,
        OptionsDepthCacheManager,
    )
    from depthgui.depthcache.threaded import ThreadedDepthCacheManager

_HOMES = {
    "depthgui.binance.endpoints": ("Endpoints", "Market", "SymbolRef", "parse_symbol_ref"),
    "depthgui.book.errors": (
        "BinanceAPIException",
        "BinanceUnableToConnect",
        "BinanceWebsocketClosed",
        "BookError",
        "ConnectFailedError",
        "CrossedBookError",
        "DepthGuiError",
        "GapError",
        "MalformedMessageError",
        "NotBinanceError",
        "RateLimitedError",
        "RegionNotServedError",
        "RequestTimeoutError",
        "StreamInterruptedError",
        "TransportError",
        "UnknownSymbolError",
        "UsageError",
        "VenueError",
    ),
    "depthgui.depthcache.client": ("AsyncClient",),
    "depthgui.depthcache.depth_cache": ("DepthCache",),
    "depthgui.depthcache.feed": ("Feed", "FeedOptions", "FeedState", "FeedStatus"),
    "depthgui.depthcache.hub": ("Hub", "HubOptions"),
    "depthgui.depthcache.managers": (
        "BinanceSocketManager",
        "DepthCacheManager",
        "FuturesDepthCacheManager",
        "FuturesType",
        "OptionsDepthCacheManager",
    ),
    "depthgui.depthcache.threaded": ("ThreadedDepthCacheManager",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "AsyncClient",
    "BinanceAPIException",
    "BinanceSocketManager",
    "BinanceUnableToConnect",
    "BinanceWebsocketClosed",
    "BookError",
    "ConnectFailedError",
    "CrossedBookError",
    "DepthCache",
    "DepthCacheManager",
    "DepthGuiError",
    "Endpoints",
    "Feed",
    "FeedOptions",
    "FeedState",
    "FeedStatus",
    "FuturesDepthCacheManager",
    "FuturesType",
    "GapError",
    "Hub",
    "HubOptions",
    "MalformedMessageError",
    "Market",
    "NotBinanceError",
    "OptionsDepthCacheManager",
    "RateLimitedError",
    "RegionNotServedError",
    "RequestTimeoutError",
    "StreamInterruptedError",
    "SymbolRef",
    "ThreadedDepthCacheManager",
    "TransportError",
    "UnknownSymbolError",
    "UsageError",
    "VenueError",
    "__version__",
    "parse_symbol_ref",
]


def __getattr__(name: str) -> Any:
    """Import a public name where it lives, on first use."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
