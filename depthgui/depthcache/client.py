"""The guide's AsyncClient: the venue's public REST endpoints, and what managers made from it share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any

import msgspec

from depthgui.binance.endpoints import Endpoints, Market
from depthgui.binance.limits import MARKET_LIMITS
from depthgui.book.errors import MalformedMessageError
from depthgui.depthcache.hub import Hub, HubOptions
from depthgui.depthcache.venue_rest import VenueRest
from depthgui.transport.proxy import ProxyChoice
from depthgui.transport.rest import RestClient


class AsyncClient:
    """Public market data of one environment. You must `await close_connection()`, or use `async with`.

    Only public data is read: `api_key` is sent along where given, `api_secret` is never used.
    """

    def __init__(
        self,
        api_key: str | None = None,
        api_secret: str | None = None,
        requests_params: Mapping[str, Any] | None = None,
        tld: str = "com",
        testnet: bool = False,
        demo: bool = False,
        https_proxy: str | None = None,
        session_params: Mapping[str, Any] | None = None,
        *,
        endpoints: Endpoints | None = None,
        options: HubOptions | None = None,
    ) -> None:
        """Connect to nothing yet.

        `endpoints` chooses the environment and wins over `tld`, `testnet` and `demo`. `https_proxy` is an http or SOCKS
        proxy for REST and WebSocket; without it the environment's and the system's are followed. Of `requests_params`,
        `timeout` (seconds) is used; `session_params` go to aiohttp's ClientSession. `options` say how books are kept
        and connections made again; its proxy is replaced by this one's.
        """
        del api_secret
        self.endpoints = endpoints or _environment(tld, testnet=testnet, demo=demo)
        self.proxy = ProxyChoice(https_proxy)
        timeout_s = float((requests_params or {}).get("timeout") or 10.0)
        rest = RestClient(proxy=self.proxy, timeout_s=timeout_s, session_options=session_params)
        self.rest = VenueRest(self.endpoints, rest, headers={"X-MBX-APIKEY": api_key} if api_key else {})
        self._options = replace(options or HubOptions(), proxy=self.proxy)
        self._hub: Hub | None = None

    @classmethod
    async def create(
        cls,
        api_key: str | None = None,
        api_secret: str | None = None,
        requests_params: Mapping[str, Any] | None = None,
        tld: str = "com",
        testnet: bool = False,
        demo: bool = False,
        https_proxy: str | None = None,
        session_params: Mapping[str, Any] | None = None,
        *,
        endpoints: Endpoints | None = None,
    ) -> AsyncClient:
        """Make a client and see that the venue answers. Raises a VenueError or TransportError if it does not."""
        client = cls(
            api_key, api_secret, requests_params, tld, testnet, demo, https_proxy, session_params, endpoints=endpoints
        )
        try:
            await client.ping()
        except BaseException:
            await client.close_connection()
            raise
        return client

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close_connection()

    async def close_connection(self) -> None:
        """Close every book, socket and connection made through this client. May be called twice."""
        if self._hub is not None:
            await self._hub.close()
            self._hub = None
        await self.rest.close()

    def shared_hub(self) -> Hub:
        """The hub of managers that were given no BinanceSocketManager of their own."""
        if self._hub is None:
            self._hub = self.new_hub()
        return self._hub

    def new_hub(self) -> Hub:
        """Another set of sockets, with this client's budget of request weight."""
        return Hub(self.endpoints, options=self._options, rest=self.rest)

    async def ping(self) -> dict[str, Any]:
        """See that the spot market answers."""
        return await self._get(
            Market.SPOT if Market.SPOT in self.endpoints.hosts else self.endpoints.markets[0], "ping"
        )

    async def get_server_time(self) -> dict[str, Any]:
        """Spot's clock: `{"serverTime": milliseconds}`."""
        return await self._get(Market.SPOT, "time")

    async def get_exchange_info(self) -> dict[str, Any]:
        """Spot's symbols and limits, as the venue sends them."""
        return await self._exchange_info(Market.SPOT)

    async def get_order_book(self, *, symbol: str, limit: int = 100) -> dict[str, Any]:
        """Spot's order book, as the venue sends it."""
        return await self._order_book(Market.SPOT, symbol, limit)

    async def futures_ping(self) -> dict[str, Any]:
        """See that USD-M answers."""
        return await self._get(Market.USDM, "ping")

    async def futures_time(self) -> dict[str, Any]:
        """USD-M's clock."""
        return await self._get(Market.USDM, "time")

    async def futures_exchange_info(self) -> dict[str, Any]:
        """USD-M's symbols and limits."""
        return await self._exchange_info(Market.USDM)

    async def futures_order_book(self, *, symbol: str, limit: int = 500) -> dict[str, Any]:
        """USD-M's order book."""
        return await self._order_book(Market.USDM, symbol, limit)

    async def futures_coin_ping(self) -> dict[str, Any]:
        """See that COIN-M answers."""
        return await self._get(Market.COINM, "ping")

    async def futures_coin_time(self) -> dict[str, Any]:
        """COIN-M's clock."""
        return await self._get(Market.COINM, "time")

    async def futures_coin_exchange_info(self) -> dict[str, Any]:
        """COIN-M's symbols and limits."""
        return await self._exchange_info(Market.COINM)

    async def futures_coin_order_book(self, *, symbol: str, limit: int = 500) -> dict[str, Any]:
        """COIN-M's order book."""
        return await self._order_book(Market.COINM, symbol, limit)

    async def options_ping(self) -> dict[str, Any]:
        """See that the options market answers."""
        return await self._get(Market.OPTIONS, "ping")

    async def options_time(self) -> dict[str, Any]:
        """The options market's clock."""
        return await self._get(Market.OPTIONS, "time")

    async def options_exchange_info(self) -> dict[str, Any]:
        """The options market's symbols and limits."""
        return await self._exchange_info(Market.OPTIONS)

    async def options_order_book(self, *, symbol: str, limit: int = 100) -> dict[str, Any]:
        """The options market's order book."""
        return await self._order_book(Market.OPTIONS, symbol, limit)

    async def _exchange_info(self, market: Market) -> dict[str, Any]:
        return await self._get(market, "exchangeInfo", weight=MARKET_LIMITS[market].exchange_info_weight)

    async def _order_book(self, market: Market, symbol: str, limit: int) -> dict[str, Any]:
        weight = MARKET_LIMITS[market].snapshot_weight(limit)
        return await self._get(market, "depth", {"symbol": symbol.upper(), "limit": limit}, weight=weight)

    async def _get(
        self, market: Market, path: str, params: Mapping[str, str | int] | None = None, *, weight: int = 1
    ) -> dict[str, Any]:
        answer = await self.rest.get(market, path, params, weight=weight)
        try:
            return msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MalformedMessageError(str(error), answer.body) from error


def _environment(tld: str, *, testnet: bool, demo: bool) -> Endpoints:
    if demo:
        return Endpoints.demo_mode()
    if testnet:
        return Endpoints.testnet()
    if tld == "us":
        return Endpoints.us()
    return Endpoints.production() if tld == "com" else Endpoints.of_tld(tld)
