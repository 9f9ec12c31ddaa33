"""Which proxy, if any, leads to an address: the setting, else the environment, else the system."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from depthgui.book.errors import UsageError

_DEFAULT_PORTS = MappingProxyType(
    {"http": 80, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
)
_ALIASES = MappingProxyType({"socks": "socks5"})  # as desktops write it into the environment
_LOGIN = re.compile(r"//[^/?#]*@")


@dataclass(frozen=True, slots=True)
class ProxyChoice:
    """`url` None follows the environment and the system, "" goes direct, else `scheme://[user:password@]host[:port]`.

    Names are resolved by the proxy, whichever of the SOCKS schemes is written. Raises UsageError for an address that
    cannot be a proxy's.
    """

    url: str | None = None

    def __post_init__(self) -> None:
        if self.url:
            _completed(self.url)

    def for_url(self, target: str) -> str | None:
        """Proxy address for `target`, None for a direct connection. Loopback is always reached directly.

        Raises UsageError if what the environment says cannot be a proxy's address.
        """
        try:
            parts = urlsplit(target)
            host = parts.hostname or ""
        except ValueError:
            return None  # no address at all: whoever connects will say so
        if self.url == "" or _is_loopback(host):
            return None
        if self.url:
            return _completed(self.url)
        if proxy_bypass(parts.netloc.rpartition("@")[2]):
            return None
        known = getproxies()
        scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
        found = known.get(scheme) or known.get("all")
        if not found:
            return None
        return _completed(found if "://" in found else f"http://{found}")


def without_login(proxy: str) -> str:
    """Host and port of a proxy's address, for people and logs."""
    return urlsplit(proxy).netloc.rpartition("@")[2]


def _completed(url: str) -> str:
    """The address with scheme, port and, where there is a user, a colon before the password, be it empty."""
    shown = _LOGIN.sub("//…@", url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{shown!r} is not a proxy's address: {error}") from error
    scheme = _ALIASES.get(parts.scheme, parts.scheme)
    rest = parts.path.rstrip("/") or parts.query or parts.fragment
    if scheme not in _DEFAULT_PORTS or not parts.hostname or port == 0 or rest:
        raise UsageError(f"{shown!r} is not a proxy's address; write it like socks5://127.0.0.1:1080")
    login, at, _ = parts.netloc.rpartition("@")
    if at and ":" not in login:
        login += ":"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{scheme}://{login}{at}{host}:{port or _DEFAULT_PORTS[scheme]}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
