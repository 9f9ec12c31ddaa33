"""One stream that several feeds read: two tabs, or two managers, of one symbol cost the venue one subscription."""

from __future__ import annotations

import asyncio

import msgspec

from depthgui.binance.endpoints import SymbolRef
from depthgui.book.errors import DepthGuiError
from depthgui.depthcache.connection import Connection
from depthgui.depthcache.shared_socket import StreamReader


class SharedStream:
    """A StreamReader that passes everything on to others. A reader that comes late is told that the stream is open."""

    def __init__(self, connection: Connection, reader: StreamReader) -> None:
        """Begin with one reader. You subscribe it to a stream of `connection`."""
        self.connection = connection
        self.ref: SymbolRef = reader.ref
        self._readers: tuple[StreamReader, ...] = (reader,)
        self._epoch: int | None = None

    @property
    def is_unread(self) -> bool:
        """True when the last reader has gone."""
        return not self._readers

    def add(self, reader: StreamReader) -> None:
        """Pass on to `reader` too."""
        self._readers = (*self._readers, reader)
        if self._epoch is not None:
            asyncio.get_running_loop().call_soon(self._catch_up, reader)

    def remove(self, reader: StreamReader) -> None:
        """Pass on to it no longer."""
        self._readers = tuple(other for other in self._readers if other is not reader)

    def stream_opened(self, epoch: int) -> None:
        """The stream delivers from now on."""
        self._epoch = epoch
        for reader in self._readers:
            reader.stream_opened(epoch)

    def stream_lost(self, error: DepthGuiError) -> None:
        """It no longer does."""
        self._epoch = None
        for reader in self._readers:
            reader.stream_lost(error)

    def frame(self, payload: msgspec.Raw, epoch: int) -> None:
        """A payload arrived."""
        for reader in self._readers:
            reader.frame(payload, epoch)

    def has_caught_up(self, epoch: int) -> bool:
        """Say whether no reader needs the sockets before `epoch`."""
        return all(reader.has_caught_up(epoch) for reader in self._readers)

    def _catch_up(self, reader: StreamReader) -> None:
        if self._epoch is not None and reader in self._readers:
            reader.stream_opened(self._epoch)
