"""REST requests through aiohttp; its exceptions become ours."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from depthgui.book.errors import ConnectFailedError, RequestTimeoutError, UsageError
from depthgui.transport.proxy import ProxyChoice
from depthgui.transport.tls import make_ssl_context

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
        timeout_s: float = 10.0,
        session_options: Mapping[str, Any] | None = None,
    ) -> None:
        """Open nothing yet. `session_options` go to aiohttp's ClientSession as they are."""
        self._proxy = proxy or ProxyChoice()
        self._timeout_s = timeout_s
        self._session_options = dict(session_options or {})
        self._sessions: dict[str, aiohttp.ClientSession] = {}
        self._ssl: ssl.SSLContext | None = None
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
        import aiohttp

        if self._is_closed:
            raise UsageError("the client is closed")
        allowed_s = timeout_s or self._timeout_s
        proxy = self._proxy.for_url(url)
        is_socks = proxy is not None and proxy.startswith("socks")
        session = self._session(proxy if is_socks else None)
        try:
            async with session.get(
                url,
                params=params,
                headers=headers,
                proxy=None if is_socks else proxy,
                timeout=aiohttp.ClientTimeout(total=allowed_s),
            ) as answer:
                body = await answer.read()
                found = {name.lower(): value for name, value in answer.headers.items()}
                return RestAnswer(str(answer.url), answer.status, body, found)
        except TimeoutError as error:
            raise RequestTimeoutError(url, allowed_s) from error
        except (aiohttp.ClientError, OSError, ValueError, asyncio.IncompleteReadError) as error:
            raise ConnectFailedError(url, describe_network_error(error)) from error

    async def close(self) -> None:
        """Close all connections. May be called twice."""
        self._is_closed = True
        sessions = list(self._sessions.values())
        self._sessions.clear()
        for session in sessions:
            await session.close()

    def _session(self, socks_proxy: str | None) -> aiohttp.ClientSession:
        import aiohttp

        key = socks_proxy or ""
        session = self._sessions.get(key)
        if session is None:
            connector: aiohttp.BaseConnector
            if self._ssl is None:
                self._ssl = make_ssl_context()
            if socks_proxy:
                from aiohttp_socks import ProxyConnector

                connector = ProxyConnector.from_url(socks_proxy, ssl=self._ssl)
            else:
                connector = aiohttp.TCPConnector(ssl=self._ssl)
            options = {"connector": connector, **self._session_options}
            session = self._sessions[key] = aiohttp.ClientSession(**options)
        return session


def describe_network_error(error: BaseException) -> str:
    """Few words for a person: the operating system's own where there are some."""
    inner: BaseException | None = getattr(error, "os_error", None) or error
    if isinstance(inner, ConnectionRefusedError):
        return "connection refused; nothing listens there"
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror
    return str(inner) or type(inner).__name__
