"""REST requests through aiohttp; its exceptions become ours.

Importing aiohttp takes a tenth of a second and more, for it reads the system's certificates: it comes with the first
request, and in a thread, so that the event loop goes on meanwhile.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from depthgui.book.errors import ConnectFailedError, RequestTimeoutError, UsageError
from depthgui.transport.causes import describe_network_error
from depthgui.transport.proxy import ProxyChoice, without_login
from depthgui.transport.tls import SharedContext

if TYPE_CHECKING:
    import ssl

    import aiohttp


@dataclass(frozen=True, slots=True)
class RestAnswer:
    """Status, body and headers (names in lower case) of an answer."""

    url: str
    status: int
    body: bytes
    headers: Mapping[str, str]


class RestClient:
    """GET requests over kept connections. You must call `close`, or use it as an async context manager."""

    def __init__(
        self,
        *,
        proxy: ProxyChoice | None = None,
        tls: SharedContext | None = None,
        timeout_s: float = 10.0,
        session_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Open nothing yet. `session_options` go to aiohttp's ClientSession as they are."""
        self._proxy = proxy or ProxyChoice()
        self._tls = tls or SharedContext()
        self._timeout_s = timeout_s
        self._session_options = dict(session_options or {})
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._is_ready = False
        self._getting_ready = asyncio.Lock()
        self._is_closed = False

    async def __aenter__(self) -> RestClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def get(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> RestAnswer:
        """Send a GET request and read the whole answer, whatever its status.

        Raises ConnectFailedError if there is no connection or it breaks, RequestTimeoutError if the answer is late.
        """
        context = await self._get_ready(url)
        import aiohttp

        if self._is_closed:
            raise UsageError("the client is closed")
        allowed_s = timeout_s or self._timeout_s
        try:
            proxy = self._proxy.for_url(url)
        except UsageError as error:
            raise ConnectFailedError(url, str(error)) from error
        is_socks = proxy is not None and proxy.startswith("socks")
        session = self._session(proxy if is_socks else None)
        try:
            async with session.get(
                url,
                params=params,
                headers=headers,
                proxy=None if is_socks else proxy,
                ssl=context,
                timeout=aiohttp.ClientTimeout(total=allowed_s),
            ) as answer:
                body = await answer.read()
                found = {name.lower(): value for name, value in answer.headers.items()}
                return RestAnswer(str(answer.url), answer.status, body, found)
        except TimeoutError as error:
            raise RequestTimeoutError(url, allowed_s) from error
        except _foreign_errors(is_socks=is_socks) as error:
            raise ConnectFailedError(url, _describe(error, proxy)) from error

    async def close(self) -> None:
        """Close all connections. May be called twice."""
        self._is_closed = True
        sessions = list(self._sessions.values())
        self._sessions.clear()
        for session in sessions:
            await session.close()

    async def _get_ready(self, url: str) -> ssl.SSLContext | bool:
        """Load what a request to `url` needs; returns aiohttp's `ssl` for it."""
        async with self._getting_ready:
            if not self._is_ready:
                await asyncio.to_thread(importlib.import_module, "aiohttp")
                self._is_ready = True
        if not url.startswith("https:"):
            return True  # plain addresses need no certificates
        try:
            return await self._tls.get()
        except OSError as error:
            raise ConnectFailedError(url, describe_network_error(error)) from error

    def _session(self, socks_proxy: str | None) -> aiohttp.ClientSession:
        import aiohttp

        key = socks_proxy or ""
        session = self._sessions.get(key)
        if session is None:
            connector: aiohttp.BaseConnector
            if socks_proxy:
                from aiohttp_socks import ProxyConnector

                kind = "socks5" if socks_proxy.startswith("socks5") else "socks4"
                connector = ProxyConnector.from_url(f"{kind}:{socks_proxy.partition(':')[2]}", rdns=True)
            else:
                connector = aiohttp.TCPConnector()
            options = {"connector": connector, **self._session_options}
            session = self._sessions[key] = aiohttp.ClientSession(**options)
        return session


def _foreign_errors(*, is_socks: bool) -> tuple[type[Exception], ...]:
    import aiohttp

    errors = (aiohttp.ClientError, OSError, ValueError, asyncio.IncompleteReadError)
    if not is_socks:
        return errors
    # These are no ClientErrors, and have no base of their own.
    from aiohttp_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError

    return (*errors, ProxyConnectionError, ProxyError, ProxyTimeoutError)


def _describe(error: Exception, proxy: str | None) -> str:
    import aiohttp

    if proxy is None:
        return describe_network_error(error)
    where = f"the proxy {without_login(proxy)}"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"{where} answered HTTP {error.status}"
    if isinstance(error, aiohttp.ClientResponseError):  # its own text holds the proxy's password
        return f"{where} gave no proper answer"
    if isinstance(error, aiohttp.ClientError) and not isinstance(error, aiohttp.ClientProxyConnectionError):
        return describe_network_error(error)
    return f"{where}: {describe_network_error(error)}"
