"""Which proxy, if any, leads to an address: the setting, else the environment, else the system."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from depthgui.book.errors import UsageError

_SCHEMES = ("http", "https", "socks4", "socks5", "socks5h")


@dataclass(frozen=True, slots=True)
class ProxyChoice:
    """`url` None follows the environment and the system, "" goes direct, else `scheme://[user:password@]host:port`.

    Raises UsageError for an address that cannot be a proxy's.
    """

    url: str | None = None

    def __post_init__(self) -> None:
        if not self.url:
            return
        try:
            parts = urlsplit(self.url)
            is_good = parts.scheme in _SCHEMES and bool(parts.hostname) and (parts.port or 0) >= 0
        except ValueError as error:
            raise UsageError(f"{self.url!r} is not a proxy's address: {error}") from error
        if not is_good:
            raise UsageError(f"{self.url!r} is not a proxy's address; write it like socks5://127.0.0.1:1080")

    def for_url(self, target: str) -> str | None:
        """Proxy address for `target`, None for a direct connection. Loopback is always reached directly."""
        parts = urlsplit(target)
        host = parts.hostname or ""
        if self.url == "" or _is_loopback(host):
            return None
        if self.url:
            return self.url
        if proxy_bypass(host):
            return None
        known = getproxies()
        scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
        found = known.get(scheme) or known.get("all")
        return found if not found or "://" in found else f"http://{found}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
