"""The venue's REST answers as messages or errors, within the budget of request weight.

Requests wait their turn in one queue a pool of request weight: the most urgent first, no more at once than the budget
allows. After a 429 or 418 nothing is sent until the time the venue named.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import heapq
import itertools
import logging
import math
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from depthgui.binance.checked import time_ms
from depthgui.binance.codec import decode_error, decode_server_time_ms, decode_snapshot
from depthgui.binance.endpoints import API_PREFIX, Endpoints, Market, SymbolRef
from depthgui.binance.limits import MARKET_LIMITS, WeightBudget, WeightPool
from depthgui.binance.symbols import SymbolTable, decode_exchange_info
from depthgui.book.errors import (
    BinanceAPIException,
    DepthGuiError,
    MalformedMessageError,
    NotBinanceError,
    RateLimitedError,
    RegionNotServedError,
    UnknownSymbolError,
)
from depthgui.book.messages import Snapshot
from depthgui.depthcache.feed_status import RequestPause
from depthgui.transport.rest import RestAnswer, RestClient

_log = logging.getLogger(__name__)

_UNKNOWN_SYMBOL = -1121
_NO_DEPTH = -1112
_TOO_MANY_REQUESTS = -1003
_DEFAULT_RETRY_AFTER_S = 60.0
_LONGEST_BAN_S = 3 * 24 * 3600.0
_LONGEST_REASON = 1000
_BANNED_UNTIL = re.compile(rb"banned until (\d{10,19})(?!\d)")
_FIREWALL_PAUSE_S = 60.0
_MAX_AT_ONCE = 4
_PAUSE_REASONS = MappingProxyType(
    {
        429: "Binance asked to slow down (HTTP 429)",
        418: "Binance banned this address (HTTP 418)",
        403: "Binance's firewall refused a request (HTTP 403)",
    }
)
_NO_REASON = "the venue gave no explanation"


class _Turns:
    """Lets requests of one host go, the most urgent first, as the budget allows."""

    def __init__(self, budget: WeightBudget) -> None:
        self.budget = budget
        self._waiting: list[tuple[int, int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._under_way = 0
        self._timer: asyncio.TimerHandle | None = None

    @contextlib.asynccontextmanager
    async def turn(self, weight: int, urgency: int) -> AsyncIterator[None]:
        """Wait for a turn; the lower `urgency`, the sooner."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._waiting, (urgency, next(self._order), weight, turn))
        self._go_on()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._finish()
            raise
        try:
            yield
        finally:
            self._finish()

    def _finish(self) -> None:
        self._under_way -= 1
        self._go_on()

    def _go_on(self) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._waiting and self._under_way < _MAX_AT_ONCE:
            _, _, weight, turn = self._waiting[0]
            if turn.cancelled():
                heapq.heappop(self._waiting)
                continue
            wait_s = self.budget.wait_s(weight, loop.time())
            if wait_s > 0:
                self._timer = loop.call_later(wait_s, self._go_on)
                return
            heapq.heappop(self._waiting)
            self.budget.spend(weight, loop.time())
            self._under_way += 1
            turn.set_result(None)

    @property
    def waiting(self) -> int:
        """Number of requests that wait for their turn."""
        return len(self._waiting)

    def wait_s(self) -> float:
        """Seconds until the next request may be sent; 0 where none waits."""
        return self.budget.wait_s(self._waiting[0][2], asyncio.get_running_loop().time()) if self._waiting else 0.0

    def close(self) -> None:
        """Stop the timer; what still waits is cancelled."""
        if self._timer is not None:
            self._timer.cancel()
        for *_, turn in self._waiting:
            turn.cancel()
        self._waiting.clear()


@dataclass(slots=True)
class VenueRest:
    """The venue's public REST endpoints, all markets. You must `close` it.

    Every method raises RateLimitedError (429, 418), RegionNotServedError (451), BinanceAPIException (the venue's own
    codes), NotBinanceError (an answer that is not the venue's), MalformedMessageError, or a TransportError.
    """

    endpoints: Endpoints
    client: RestClient
    headers: Mapping[str, str] = field(default_factory=dict)
    _turns: dict[WeightPool, _Turns] = field(default_factory=dict)
    _refusals: dict[WeightPool, int] = field(default_factory=dict)

    def budget(self, market: Market) -> WeightBudget:
        """Request weight of the market's pool: markets that share a budget at the venue share it here."""
        return self._turns_of(market).budget

    def waiting(self, market: Market) -> int:
        """Number of requests to the market's host that wait for their turn."""
        return self._turns_of(market).waiting

    def pause(self, market: Market) -> RequestPause | None:
        """Why requests to the market's host wait at present, None if they don't."""
        turns = self._turns_of(market)
        refused_s = turns.budget.blocked_until_s - asyncio.get_running_loop().time()
        if refused_s > 0:
            return RequestPause(_PAUSE_REASONS[self._refusals[MARKET_LIMITS[market].pool]], refused_s)
        paced_s = turns.wait_s()
        return RequestPause("requests are spaced out to stay within Binance's limit", paced_s) if paced_s > 0 else None

    async def snapshot(self, ref: SymbolRef, limit: int, *, urgency: int = 0) -> Snapshot:
        """Fetch the order book with at least `limit` levels a side, as far as the venue gives them.

        Raises UnknownSymbolError for a symbol the venue lacks.
        """
        limits = MARKET_LIMITS[ref.market]
        asked = limits.snapshot_limit(limit)
        weight = limits.snapshot_weight(asked)
        params: dict[str, str | int] = {"symbol": ref.symbol, "limit": asked}
        try:
            answer = await self.get(ref.market, "depth", params, weight=weight, urgency=urgency)
        except BinanceAPIException as error:
            if error.code == _UNKNOWN_SYMBOL:
                raise UnknownSymbolError(ref.symbol, ref.market.label, url=error.url) from error
            if error.code == _NO_DEPTH:  # an empty book, no failure
                return Snapshot(0, [], [], None, asked)
            raise
        return decode_snapshot(answer.body, asked)

    async def exchange_info(self, market: Market) -> SymbolTable:
        """Fetch the market's symbols; its budget is taken over."""
        weight = MARKET_LIMITS[market].exchange_info_weight
        answer = await self.get(market, "exchangeInfo", weight=weight, urgency=1, timeout_s=30.0)
        try:
            table = decode_exchange_info(market, answer.body)
        except MalformedMessageError as error:
            raise NotBinanceError(answer.url, "a page without a list of symbols") from error
        if table.weight_per_minute is not None:
            self.budget(market).set_limit(table.weight_per_minute)
        if table.skipped:
            names = ", ".join(f"{name} ({reason})" for name, reason in table.skipped[:5])
            _log.warning("%s: %d symbols could not be read: %s", market.label, len(table.skipped), names)
        return table

    async def server_time_ms(self, market: Market) -> int:
        """Fetch the venue's clock, in milliseconds since 1970."""
        return decode_server_time_ms((await self.get(market, "time")).body)

    async def get(
        self,
        market: Market,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        weight: int = 1,
        urgency: int = 0,
        timeout_s: float | None = None,
    ) -> RestAnswer:
        """GET an endpoint of the market's API once the budget has room for `weight`; only a good answer returns."""
        turns = self._turns_of(market)
        url = f"{self.endpoints.rest_url(market)}{API_PREFIX[market]}/{path}"
        async with turns.turn(weight, urgency):
            answer = await self.client.get(url, params, headers=self.headers, timeout_s=timeout_s)
            self._observe(market, answer)
        if answer.status == 200:
            return answer
        raise self._error(answer)

    async def close(self) -> None:
        """Cancel what waits for its turn, and close the connections."""
        for turns in self._turns.values():
            turns.close()
        await self.client.close()

    def _turns_of(self, market: Market) -> _Turns:
        limits = MARKET_LIMITS[market]
        turns = self._turns.get(limits.pool)
        if turns is None:
            turns = self._turns[limits.pool] = _Turns(WeightBudget(limits.weight_per_minute))
        return turns

    def _observe(self, market: Market, answer: RestAnswer) -> None:
        budget = self._turns_of(market).budget
        now_s = asyncio.get_running_loop().time()
        used = answer.headers.get("x-mbx-used-weight-1m", "")
        if used.isdecimal():
            budget.observe(int(used), now_s)
        status = _refusal_status(answer)
        if status in _PAUSE_REASONS:
            self._refusals[MARKET_LIMITS[market].pool] = status
            budget.block(_FIREWALL_PAUSE_S if status == 403 else _retry_after_s(answer), now_s)

    @staticmethod
    def _error(answer: RestAnswer) -> DepthGuiError:
        refusal_status = _refusal_status(answer)
        if refusal_status in {418, 429}:
            return RateLimitedError(refusal_status, _retry_after_s(answer), url=answer.url)
        if answer.status == 451:
            return RegionNotServedError(url=answer.url)
        known = decode_error(answer.body)
        if known is not None:
            return BinanceAPIException(answer.status, *known, url=answer.url)
        if answer.status == 403:
            return BinanceAPIException(403, 0, "Binance's firewall refused the request", url=answer.url)
        if answer.status >= 500 or answer.status == 408:
            reason = "the venue's back-end took too long" if answer.status == 408 else _NO_REASON
            return BinanceAPIException(answer.status, 0, reason, url=answer.url)
        return NotBinanceError(answer.url, f"HTTP {answer.status} without the venue's error body")


def _refusal_status(answer: RestAnswer) -> int:
    """The status, or 429 where only the body's code says that too much was asked."""
    if answer.status in _PAUSE_REASONS or answer.status == 200:
        return answer.status
    known = decode_error(answer.body)
    return 429 if known is not None and known[0] == _TOO_MANY_REQUESTS else answer.status


def _retry_after_s(answer: RestAnswer) -> float:
    """How long to wait: as the header says in seconds or as a date, else as the text of a ban says."""
    header = answer.headers.get("retry-after", "")
    banned_until = _BANNED_UNTIL.search(answer.body[:_LONGEST_REASON])
    wait_s = _DEFAULT_RETRY_AFTER_S
    try:
        if header:
            wait_s = float(header)
        elif banned_until is not None:
            wait_s = time_ms(int(banned_until[1])) / 1000 - time.time()
    except ValueError:
        with contextlib.suppress(ValueError):
            wait_s = email.utils.parsedate_to_datetime(header).timestamp() - time.time()
    except MalformedMessageError:  # no time that can be
        wait_s = _DEFAULT_RETRY_AFTER_S
    return min(max(wait_s, 1.0), _LONGEST_BAN_S) if math.isfinite(wait_s) else _DEFAULT_RETRY_AFTER_S
