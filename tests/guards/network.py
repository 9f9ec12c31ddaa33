"""Fails a test that reaches for any address other than loopback, and says which address it was.

Names that end in ``.invalid`` are answered with "no such host" without asking anyone, so that a test may use one as
an endpoint that isn't there. Only this process is watched; the processes that end-to-end tests start are not.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


class BlockedConnectionError(ConnectionRefusedError):
    """What the code under test sees: a refused connection, which it may handle. The test fails all the same."""


def is_local(host: object) -> bool:
    """Tell whether `host` (a name or an address, as given to the socket functions) stays on this machine."""
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    if name in {"", "localhost"} or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def loopback_only(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse and remember every connection to the outside; ``@pytest.mark.allow_network`` turns it off."""
    if request.node.get_closest_marker("allow_network"):
        yield
        return
    blocked: list[str] = []

    def refuse(address: object) -> BlockedConnectionError:
        blocked.append(str(address))
        return BlockedConnectionError(f"tests may only connect to loopback, not to {address}")

    def guarded(method_name: str) -> Any:
        real = getattr(socket.socket, method_name)

        def connect(self: socket.socket, address: Any) -> Any:
            if self.family in {socket.AF_INET, socket.AF_INET6} and not is_local(address[0]):
                raise refuse(address)
            return real(self, address)

        return connect

    real_getaddrinfo = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        # The "any" addresses are what a server listens on: nothing leaves the machine by asking for them.
        if not is_local(host) and str(host) not in {"0.0.0.0", "::"}:
            raise refuse((host, port))
        return real_getaddrinfo(host, port, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded("connect"))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded("connect_ex"))
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    if blocked:
        pytest.fail(f"tried to connect to the outside: {', '.join(dict.fromkeys(blocked))}", pytrace=False)
