"""Where the venue is: one object that holds the REST and WebSocket hosts of one environment.

Stream and snapshot must come from the same environment, or they never join; so an environment is chosen as a whole.
Source: the venue's general information pages (spot, USD-M, COIN-M, options).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from depthgui.book.errors import UsageError


class Market(enum.StrEnum):
    """The venue's four kinds of market; the value is the prefix in `usdm:BTCUSDT`."""

    SPOT = "spot"
    USDM = "usdm"
    COINM = "coinm"
    OPTIONS = "options"

    @property
    def label(self) -> str:
        """Name for people."""
        return _LABELS[self]


_LABELS = MappingProxyType(
    {Market.SPOT: "Spot", Market.USDM: "USD-M", Market.COINM: "COIN-M", Market.OPTIONS: "Options"}
)


class Route(enum.Enum):
    """Which of a market's sockets carries a stream. Spot and COIN-M have one socket for all."""

    PUBLIC = "public"
    MARKET = "market"


_ROUTED = (Market.USDM, Market.OPTIONS)


@dataclass(frozen=True, slots=True)
class MarketHosts:
    """Base addresses of one market, without a trailing slash and without the routes.

    `other_streams` serve the same books under the same ids as `stream`: what is used where that fails.
    """

    rest: str
    stream: str
    other_streams: tuple[str, ...] = ()


def _hosts(rest: str, stream: str, *other_streams: str) -> MarketHosts:
    return MarketHosts(rest.rstrip("/"), stream.rstrip("/"), other_streams)


@dataclass(frozen=True)
class Endpoints:
    """One environment of the venue. `name` is for people; `hosts` has an entry for each market it serves."""

    name: str
    hosts: MappingProxyType[Market, MarketHosts] = field(repr=False)
    spot_data_only: MarketHosts | None = None

    @classmethod
    def production(cls) -> Endpoints:
        """The venue itself."""
        return cls(
            "Binance",
            MappingProxyType(
                {
                    Market.SPOT: _hosts(
                        "https://api.binance.com",
                        "wss://stream.binance.com:9443",
                        "wss://stream.binance.com:443",
                        "wss://data-stream.binance.vision",
                    ),
                    Market.USDM: _hosts("https://fapi.binance.com", "wss://fstream.binance.com"),
                    Market.COINM: _hosts("https://dapi.binance.com", "wss://dstream.binance.com"),
                    Market.OPTIONS: _hosts("https://eapi.binance.com", "wss://fstream.binance.com"),
                }
            ),
            spot_data_only=_hosts("https://data-api.binance.vision", "wss://data-stream.binance.vision"),
        )

    @classmethod
    def data_only(cls) -> Endpoints:
        """Spot market data on the hosts that also serve regions the main host does not."""
        hosts = {Market.SPOT: _hosts("https://data-api.binance.vision", "wss://data-stream.binance.vision")}
        return cls("Binance data-only", MappingProxyType(hosts))

    @classmethod
    def testnet(cls) -> Endpoints:
        """The venue's test networks."""
        return cls(
            "Binance testnet",
            MappingProxyType(
                {
                    Market.SPOT: _hosts("https://testnet.binance.vision", "wss://stream.testnet.binance.vision"),
                    Market.USDM: _hosts("https://testnet.binancefuture.com", "wss://fstream.binancefuture.com"),
                    Market.COINM: _hosts("https://testnet.binancefuture.com", "wss://dstream.binancefuture.com"),
                    Market.OPTIONS: _hosts("https://testnet.binanceops.com", "wss://fstream.binanceops.com"),
                }
            ),
        )

    @classmethod
    def demo_mode(cls) -> Endpoints:
        """The venue's demo trading hosts."""
        return cls(
            "Binance demo",
            MappingProxyType(
                {
                    Market.SPOT: _hosts("https://demo-api.binance.com", "wss://demo-stream.binance.com"),
                    Market.USDM: _hosts("https://demo-fapi.binance.com", "wss://fstream.binancefuture.com"),
                    Market.COINM: _hosts("https://demo-dapi.binance.com", "wss://dstream.binancefuture.com"),
                }
            ),
        )

    @classmethod
    def us(cls) -> Endpoints:
        """Binance.US: spot only."""
        hosts = {Market.SPOT: _hosts("https://api.binance.us", "wss://stream.binance.us:9443")}
        return cls("Binance.US", MappingProxyType(hosts))

    @classmethod
    def of_tld(cls, tld: str) -> Endpoints:
        """The venue under another top-level domain, spot only. Raises UsageError for what is no domain."""
        if not tld.isalpha() or not tld.isascii():
            raise UsageError(f"{tld!r} is not a top-level domain")
        hosts = {Market.SPOT: _hosts(f"https://api.binance.{tld}", f"wss://stream.binance.{tld}:9443")}
        return cls(f"Binance.{tld}", MappingProxyType(hosts))

    @classmethod
    def at(cls, base: str) -> Endpoints:
        """A host that serves `BASE/spot`, `BASE/usdm`, `BASE/coinm` and `BASE/options`, like the embedded exchange.

        Raises UsageError if `base` is not an http or https address.
        """
        try:
            parts = urlsplit(base if "://" in base else f"http://{base}")
            is_address = parts.scheme in {"http", "https"} and parts.hostname and (parts.port is None or parts.port > 0)
        except ValueError as error:  # a port that is no number or too large, a bracket that is not closed
            raise UsageError(f"{base!r} is not an address: {error}") from error
        if not is_address:
            raise UsageError(f"{base!r} is not an http:// or https:// address")
        rest = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
        stream = rest.replace("http", "ws", 1)
        hosts = {market: _hosts(f"{rest}/{market.value}", f"{stream}/{market.value}") for market in Market}
        return cls(rest, MappingProxyType(hosts))

    @property
    def markets(self) -> tuple[Market, ...]:
        """The markets this environment serves."""
        return tuple(self.hosts)

    def rest_url(self, market: Market) -> str:
        """Base address of the market's REST API. Raises UsageError where the environment has no such market."""
        return self._of(market).rest

    def stream_url(self, market: Market, route: Route = Route.PUBLIC) -> str:
        """Base address of the market's WebSocket for streams of `route`."""
        return self.stream_urls(market, route)[0]

    def stream_urls(self, market: Market, route: Route = Route.PUBLIC) -> tuple[str, ...]:
        """Base addresses of the market's WebSocket for streams of `route`; after the first those to fall back on."""
        hosts = self._of(market)
        path = f"/{route.value}" if market in _ROUTED else ""
        return tuple(f"{base}{path}" for base in (hosts.stream, *hosts.other_streams))

    def _of(self, market: Market) -> MarketHosts:
        try:
            return self.hosts[market]
        except KeyError:
            raise UsageError(f"{self.name} has no {market.label} market") from None


# Path prefix of each market's REST API.
API_PREFIX = MappingProxyType(
    {Market.SPOT: "/api/v3", Market.USDM: "/fapi/v1", Market.COINM: "/dapi/v1", Market.OPTIONS: "/eapi/v1"}
)


@dataclass(frozen=True, slots=True)
class SymbolRef:
    """A symbol of one market. Its text is `usdm:BTCUSDT`; spot is written without the prefix."""

    market: Market
    symbol: str

    def __str__(self) -> str:
        """The form that `parse_symbol_ref` reads."""
        return self.symbol if self.market is Market.SPOT else f"{self.market.value}:{self.symbol}"


def parse_symbol_ref(text: str) -> SymbolRef:
    """Read `BTCUSDT`, `spot:BTCUSDT`, `usdm:BTCUSDT`, `coinm:BTCUSD_PERP`, `options:BTC-261225-100000-C`.

    Raises UsageError for an unknown prefix or an empty symbol.
    """
    prefix, colon, symbol = text.strip().rpartition(":")
    try:
        market = Market(prefix.lower()) if colon else Market.SPOT
    except ValueError:
        known = ", ".join(member.value for member in Market)
        raise UsageError(f"{text!r}: there is no market {prefix!r}; known are {known}") from None
    if not symbol or any(character.isspace() or character in "/@?&" for character in symbol):
        raise UsageError(f"{text!r} is not a symbol")
    return SymbolRef(market, symbol.upper())
