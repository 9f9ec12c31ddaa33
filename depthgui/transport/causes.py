"""Why a connection failed, in few words for a person. Passwords of proxies never get into them."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator


def describe_network_error(error: BaseException) -> str:
    """Few words for a person: the operating system's own where there are some."""
    chain = tuple(_chain(error))
    for cause in chain:
        # aiohttp's wrappers are of these classes too, but lack their fields.
        if isinstance(cause, ssl.SSLCertVerificationError) and hasattr(cause, "verify_message"):
            return f"the certificate is not trusted: {cause.verify_message.rstrip('.')}"
        if isinstance(cause, ssl.SSLError) and getattr(cause, "reason", None):
            return f"no secure connection ({cause.reason.replace('_', ' ').lower()})"
        if isinstance(cause, socket.gaierror):
            return f"the name cannot be resolved ({cause.strerror})"
        if isinstance(cause, OSError) and _is_refused(cause):
            return "connection refused; nothing listens there"
    said = next((cause.strerror for cause in chain if isinstance(cause, OSError) and cause.strerror), "")
    return said or str(error) or type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it wraps: aiohttp keeps the system's error in a field of its own."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        inner = getattr(current, "certificate_error", None) or getattr(current, "os_error", None)
        current = inner if isinstance(inner, BaseException) else current.__cause__


def _is_refused(error: OSError) -> bool:
    if isinstance(error, ConnectionRefusedError) or error.errno == errno.ECONNREFUSED:
        return True
    # A name with several addresses: asyncio puts all failures into one text.
    failures = str(error).removeprefix("Multiple exceptions: ").count("Connect call failed")
    return error.errno is None and failures > 0 and str(error).count(f"[Errno {errno.ECONNREFUSED}]") == failures
