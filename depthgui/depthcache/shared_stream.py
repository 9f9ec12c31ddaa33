"""One stream that several feeds read: two tabs, or two managers, of one symbol cost the venue one subscription.

A reader that raises harms no other one: it is told that it lost the stream, and gets it again, at once the first time
and after pauses that grow when it goes on failing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from depthgui.binance.endpoints import SymbolRef
from depthgui.book.errors import DepthGuiError, MalformedMessageError, StreamInterruptedError
from depthgui.depthcache.connection import Connection
from depthgui.depthcache.shared_socket import StreamReader

_log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0
# Who has not failed for so long is taken to be well.
_WELL_AFTER_S = 120.0


@dataclass(slots=True)
class _Failing:
    """A reader that failed lately. `timer` is set while it gets nothing."""

    times: int = 0
    last_s: float = 0.0
    timer: asyncio.Handle | None = None


class SharedStream:
    """A StreamReader that passes everything on to others. A reader that comes late is told that the stream is open.

    Nothing that a reader raises gets out, but for MalformedMessageError, once all readers have had the frame.
    """

    def __init__(self, connection: Connection, name: str, reader: StreamReader) -> None:
        """Begin with one reader. You subscribe it to the stream `name` of `connection`."""
        self.connection = connection
        self.name = name
        self.ref: SymbolRef = reader.ref
        self._readers: tuple[StreamReader, ...] = (reader,)
        self._epoch: int | None = None
        self._failing: dict[StreamReader, _Failing] = {}
        self._is_logged = False

    @property
    def is_unread(self) -> bool:
        """True when the last reader has gone."""
        return not self._readers

    def add(self, reader: StreamReader) -> None:
        """Pass on to `reader` too."""
        self._readers = (*self._readers, reader)
        if self._epoch is not None:
            asyncio.get_running_loop().call_soon(self._open, reader)

    def remove(self, reader: StreamReader) -> None:
        """Pass on to it no longer."""
        self._readers = tuple(other for other in self._readers if other is not reader)
        failing = self._failing.pop(reader, None)
        if failing is not None and failing.timer is not None:
            failing.timer.cancel()

    def stream_opened(self, epoch: int) -> None:
        """The stream delivers from now on (StreamReader)."""
        self._epoch = epoch
        for reader in self._readers:
            self._open(reader)

    def stream_lost(self, error: DepthGuiError) -> None:
        """The stream no longer delivers (StreamReader)."""
        self._epoch = None
        for reader in self._readers:
            self._tell_lost(reader, error)

    def frame(self, payload: msgspec.Raw, epoch: int) -> None:
        """Hand a payload to every reader. Raises MalformedMessageError if one of them does."""
        malformed: MalformedMessageError | None = None
        failing = self._failing
        for reader in self._readers:
            if failing and self._rests(reader):
                continue
            try:
                reader.frame(payload, epoch)
            except MalformedMessageError as error:
                malformed = error
            except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
                self._failed(reader, error)
        if malformed is not None:
            raise malformed

    def has_caught_up(self, epoch: int) -> bool:
        """Say whether no reader needs the sockets before `epoch`."""
        return all(self._rests(reader) or reader.has_caught_up(epoch) for reader in self._readers)

    def _rests(self, reader: StreamReader) -> bool:
        failing = self._failing.get(reader)
        return failing is not None and failing.timer is not None

    def _open(self, reader: StreamReader) -> None:
        epoch = self._epoch
        if epoch is not None and reader in self._readers and not self._rests(reader):
            self._guarded(reader, lambda: reader.stream_opened(epoch))

    def _guarded(self, reader: StreamReader, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - as for frames
            self._failed(reader, error)

    def _tell_lost(self, reader: StreamReader, error: DepthGuiError) -> None:
        for _ in range(2):  # it must not go on believing what it has
            try:
                reader.stream_lost(error)
            except Exception as mistake:  # noqa: BLE001 - whatever it is, the others go on
                self._log_once(mistake)
            else:
                return

    def _failed(self, reader: StreamReader, error: Exception) -> None:
        self._log_once(error)
        if reader not in self._readers:
            return
        loop = asyncio.get_running_loop()
        failing = self._failing.setdefault(reader, _Failing())
        if loop.time() - failing.last_s > _WELL_AFTER_S:
            failing.times = 0
        failing.times += 1
        failing.last_s = loop.time()
        pause_s = 0.0 if failing.times == 1 else min(_FIRST_PAUSE_S * 2 ** min(failing.times - 2, 16), _LONGEST_PAUSE_S)
        if failing.timer is not None:
            failing.timer.cancel()
        failing.timer = loop.call_later(pause_s, self._try_again, reader)
        again = f"trying again in {pause_s:.0f} s" if pause_s >= 1 else "beginning anew"
        reason = f"Internal error ({type(error).__name__}: {error}); {again}"
        self._tell_lost(reader, StreamInterruptedError(self.name, reason))

    def _try_again(self, reader: StreamReader) -> None:
        failing = self._failing.get(reader)
        if failing is not None:
            failing.timer = None
            self._open(reader)

    def _log_once(self, error: Exception) -> None:
        if not self._is_logged:
            self._is_logged = True
            _log.error("reading %s failed (further times are not logged)", self.name, exc_info=error)
