"""One SSLContext for REST and WebSocket: the system's certificates, or the bundled ones where there are none.

A frozen program keeps the certificate path of the machine it was built on, and macOS builds have none at all; so the
system's store is asked through truststore, and certifi's list stands in where that store is empty.

Reading certificates takes 25 ms and more: it is done once, in a thread, when the first address that needs them is met.
"""

from __future__ import annotations

import asyncio
import ssl

import certifi
import truststore


class SharedContext:
    """The context of all who connect within one event loop."""

    def __init__(self) -> None:
        """Make none yet."""
        self._context: ssl.SSLContext | None = None
        self._making = asyncio.Lock()

    async def get(self) -> ssl.SSLContext:
        """The context, the same for all who ask."""
        async with self._making:
            if self._context is None:
                self._context = await asyncio.to_thread(make_ssl_context)
            return self._context


def make_ssl_context() -> ssl.SSLContext:
    """Make a client context that verifies hosts."""
    if ssl.create_default_context().cert_store_stats()["x509_ca"] or not _is_linux_like():
        return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context(cafile=certifi.where())


def _is_linux_like() -> bool:
    # On Windows and macOS truststore asks the system itself; the count of OpenSSL's own store says nothing there.
    return bool(ssl.get_default_verify_paths().openssl_cafile) and not hasattr(ssl, "enum_certificates")
