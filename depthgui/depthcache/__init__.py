"""Live books, and the names under which the guide imports its depth caches from here.

The names are looked up when they are first used: who keeps books through the hub alone needs none of their modules.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from depthgui.depthcache.depth_cache import DepthCache
    from depthgui.depthcache.managers import (
        DepthCacheManager,
        FuturesDepthCacheManager,
        FuturesType,
        OptionsDepthCacheManager,
    )
    from depthgui.depthcache.threaded import ThreadedDepthCacheManager

__all__ = [
    "DepthCache",
    "DepthCacheManager",
    "FuturesDepthCacheManager",
    "FuturesType",
    "OptionsDepthCacheManager",
    "ThreadedDepthCacheManager",
]

_HOME_OF = MappingProxyType(
    {
        "DepthCache": "depth_cache",
        "DepthCacheManager": "managers",
        "FuturesDepthCacheManager": "managers",
        "FuturesType": "managers",
        "OptionsDepthCacheManager": "managers",
        "ThreadedDepthCacheManager": "threaded",
    }
)


def __getattr__(name: str) -> Any:
    """Import a name of the guide where it lives, on first use."""
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value
