"""Order books of Binance's markets that can be believed, as a library and as a desktop ladder."""

from depthgui._version import __version__

__all__ = ["__version__"]
