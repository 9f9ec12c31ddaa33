"""The guide's ThreadedDepthCacheManager: books kept in a thread of their own, delivered to callbacks."""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from depthgui.binance.endpoints import Endpoints
from depthgui.book.errors import DepthGuiError, UsageError
from depthgui.depthcache.client import AsyncClient
from depthgui.depthcache.depth_cache import ConvType, DepthCache
from depthgui.depthcache.managers import (
    BaseDepthCacheManager,
    BinanceSocketManager,
    DepthCacheManager,
    FuturesDepthCacheManager,
    FuturesType,
    OptionsDepthCacheManager,
    futures_market,
)

_log = logging.getLogger(__name__)

_STOP_WAIT_S = 0.9

Callback = Callable[[DepthCache | dict[str, str] | None], Any]


class ThreadedDepthCacheManager:
    """Books in a background thread. `start` it, add books, and `stop` it at the end.

    Callbacks run in that thread, one after the other; each may be a function or a coroutine function. They get the
    DepthCache when the live book changed, a dict for an error, and None once nothing more will come. One that raises is
    reported in the log, and the others go on. All methods may be called from any thread, also from inside a callback.
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
        **_: Any,
    ) -> None:
        """Take the arguments of AsyncClient; start nothing yet."""
        self._make_client: Callable[[], AsyncClient] = lambda: AsyncClient(
            api_key, api_secret, requests_params, tld, testnet, demo, https_proxy, session_params, endpoints=endpoints
        )
        self._thread = threading.Thread(target=self._run, name="depthgui books", daemon=True)
        self._ready = threading.Event()
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._is_stopping = False
        self._books: dict[str, _Book] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._quit_event: asyncio.Event | None = None
        self._client: AsyncClient | None = None

    def start(self) -> None:
        """Start the thread; does nothing if it runs. Raises UsageError after `stop`."""
        with self._lock:
            if self._is_stopping:
                raise UsageError("this manager was stopped; make a new one")
            if not self._thread.is_alive():
                self._thread.start()
        self._ready.wait()

    def is_alive(self) -> bool:
        """True while the thread runs."""
        return self._thread.is_alive()

    def start_depth_cache(
        self,
        callback: Callback,
        symbol: str,
        refresh_interval: float | None = 1800.0,
        bm: BinanceSocketManager | None = None,
        limit: int | None = None,
        conv_type: ConvType = float,
        ws_interval: int | None = None,
    ) -> str:
        """Keep a spot book; returns the name for `stop_socket`."""
        options = {"refresh_interval": refresh_interval, "limit": limit, "conv_type": conv_type}
        del bm  # all books of this thread share one
        return self._add("spot", callback, DepthCacheManager, symbol, {**options, "ws_interval": ws_interval})

    def start_futures_depth_socket(
        self,
        callback: Callback,
        symbol: str,
        refresh_interval: float | None = 1800.0,
        bm: BinanceSocketManager | None = None,
        limit: int | None = None,
        conv_type: ConvType = float,
        ws_interval: int | None = None,
        futures_type: FuturesType | str = FuturesType.USD_M,
    ) -> str:
        """Keep a USD-M or COIN-M book; returns the name for `stop_socket`."""
        market = futures_market(futures_type)
        options = {"refresh_interval": refresh_interval, "limit": limit, "conv_type": conv_type}
        del bm
        more = {"ws_interval": ws_interval, "futures_type": market.value}
        return self._add(market.value, callback, FuturesDepthCacheManager, symbol, {**options, **more})

    def start_options_depth_socket(
        self,
        callback: Callback,
        symbol: str,
        refresh_interval: float | None = 1800.0,
        bm: BinanceSocketManager | None = None,
        limit: int | None = None,
        conv_type: ConvType = float,
        ws_interval: int | None = None,
    ) -> str:
        """Keep a book of vanilla options; returns the name for `stop_socket`."""
        options = {"refresh_interval": refresh_interval, "limit": limit, "conv_type": conv_type}
        del bm
        return self._add("options", callback, OptionsDepthCacheManager, symbol, {**options, "ws_interval": ws_interval})

    def stop_socket(self, name: str) -> None:
        """End one book, within a second. A name that is unknown or already stopped does nothing."""
        book = self._books.get(name)
        if book is not None:
            self._hand_over(book.cancel)
            self._wait(book.ended)

    def stop(self) -> None:
        """End all books and the thread, within a second; may be called twice. `join` waits for the thread itself."""
        with self._lock:
            self._is_stopping = True
            if self._loop is None:
                return
        self._hand_over(self._quit)
        self._wait(self._stopped)

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended."""
        if self._thread.ident is not None and threading.current_thread() is not self._thread:
            self._thread.join(timeout)

    # From any thread into the loop

    def _add(
        self, market: str, callback: Callback, kind: type[BaseDepthCacheManager], symbol: str, options: dict[str, Any]
    ) -> str:
        with self._lock:
            if self._is_stopping:
                raise UsageError("this manager was stopped; make a new one")
            if self._loop is None:
                raise UsageError("call start() first")
            name = f"{market}:{symbol.lower()}@depth#{next(self._numbers)}"
            book = self._books[name] = _Book(name, callback, functools.partial(kind, symbol=symbol, **options))
        self._hand_over(lambda: self._begin(book))
        return name

    def _hand_over(self, action: Callable[[], None]) -> None:
        loop = self._loop
        if loop is None or self._stopped.is_set():
            return
        try:
            loop.call_soon_threadsafe(action)
        except RuntimeError:  # the loop ended in between: there is nothing left to act upon
            _log.debug("the thread has ended already")

    def _wait(self, event: threading.Event) -> None:
        if threading.current_thread() is not self._thread:  # from inside a callback it would never end
            event.wait(_STOP_WAIT_S)

    # In the thread

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        finally:
            self._stopped.set()
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._quit_event = asyncio.Event()
        async with self._make_client() as client:
            self._client = client
            self._ready.set()
            await self._quit_event.wait()
            tasks = [book.task for book in self._books.values() if book.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _quit(self) -> None:
        if self._quit_event is not None:
            self._quit_event.set()

    def _begin(self, book: _Book) -> None:
        if self._client is not None and not book.is_cancelled:
            book.task = asyncio.get_running_loop().create_task(self._keep(book, self._client), name=book.name)

    async def _keep(self, book: _Book, client: AsyncClient) -> None:
        manager = book.make_manager(client)
        try:
            async with manager:
                async for message in manager:
                    await book.deliver(message)
                await book.deliver(None)
        except DepthGuiError as error:
            _log.error("%s: %s", book.name, error)
            await book.deliver({"e": "error", "type": type(error).__name__, "m": str(error)})
            await book.deliver(None)
        finally:
            book.ended.set()
            self._books.pop(book.name, None)


class _Book:
    """One book and its callback."""

    def __init__(
        self, name: str, callback: Callback, make_manager: Callable[[AsyncClient], BaseDepthCacheManager]
    ) -> None:
        self.name = name
        self.make_manager = make_manager
        self.task: asyncio.Task[None] | None = None
        self.ended = threading.Event()
        self.is_cancelled = False
        self._callback = callback

    def cancel(self) -> None:
        self.is_cancelled = True
        if self.task is None:
            self.ended.set()
        else:
            self.task.cancel()

    async def deliver(self, message: DepthCache | dict[str, str] | None) -> None:
        try:
            result = self._callback(message)
            if inspect.isawaitable(result):
                await result
        except Exception:  # noqa: BLE001 - whatever a callback raises concerns its own book only
            _log.exception("the callback of %s failed", self.name)
