"""The environments that can be chosen in the window, as data, and what the window asks of whoever connects to them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from depthgui.transport.updates import UpdateCheck
from depthgui.ui.engine import Feed, Hub, Market, SymbolRef, parse_symbol_ref


@dataclass(frozen=True, slots=True)
class VenueChoice:
    """An environment: `key` as in the settings, a name and a sentence for people, symbols to offer."""

    key: str
    label: str
    blurb: str
    popular: tuple[str, ...]


DATA_ONLY = "data-only"
_POPULAR = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT", "usdm:BTCUSDT", "usdm:ETHUSDT", "coinm:BTCUSD_PERP")

CHOICES: tuple[VenueChoice, ...] = (
    VenueChoice("production", "Binance", "Live market data. No account and no key are needed.", _POPULAR),
    VenueChoice(DATA_ONLY, "Binance data-only", "Spot only, from hosts that serve more regions.", _POPULAR),
    VenueChoice("us", "Binance.US", "Live market data, spot only.", ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BTCUSD")),
    VenueChoice("testnet", "Binance testnet", "The venue's own test networks.", _POPULAR[:2] + _POPULAR[5:7]),
    VenueChoice(
        "demo-mode", "Binance demo trading", "The hosts of the venue's demo mode.", _POPULAR[:2] + _POPULAR[5:7]
    ),
    VenueChoice("demo", "Embedded exchange", "A market made on this computer. Works without a network.", ()),
    VenueChoice("custom", "Another address", "A host that speaks like the venue.", ()),
)


def venue_choice(key: str) -> VenueChoice:
    """The environment of that key. Raises KeyError."""
    return {choice.key: choice for choice in CHOICES}[key]


@dataclass(frozen=True, slots=True)
class ConnectedVenue:
    """The venue in use.

    `key` is what its tabs are remembered under, `name` what to show (an address for "custom"); `symbols` are what is
    played there, for a replay. `make_feed` makes a stopped feed with the options that the settings say; `loop_lag_ms`
    tells how late the event loop is.
    """

    key: str
    choice: VenueChoice
    name: str
    markets: tuple[Market, ...]
    hub: Hub
    make_feed: Callable[[SymbolRef], Feed]
    loop_lag_ms: Callable[[], float]
    symbols: tuple[str, ...] = ()

    @property
    def popular(self) -> tuple[str, ...]:
        """Symbols to offer, of the markets that there are."""
        offered = self.choice.popular or self.symbols or _POPULAR
        return tuple(text for text in offered if parse_symbol_ref(text).market in self.markets)


class VenueSwitch(Protocol):
    """What the window asks of the composition root."""

    async def switch(self, key: str, endpoint: str = "") -> None:
        """Connect to another environment; the window is given the new hub. Errors are told in the window."""

    async def try_proxy(self, proxy: str) -> str:
        """Ask the venue for its time through a proxy (as in the settings); returns a sentence on how that went."""

    async def check_update(self, url: str) -> UpdateCheck:
        """Ask `url` for the newest version, through the proxy of the settings. Raises DepthGuiError."""
