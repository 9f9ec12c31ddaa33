"""The names that the guide imports from its websockets module."""

from depthgui.depthcache.managers import BinanceSocketManager

__all__ = ["BinanceSocketManager"]
