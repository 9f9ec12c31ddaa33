"""Live books, and the names under which the guide imports its depth caches from here."""

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
