"""A snapshot of a few levels from the partial depth stream, where one by REST would have to wait.

After many resyncs the request budget is used up, and after a 429 or 418 nothing may be asked at all. The partial depth
stream has the best levels whole in each event, with their update id, and weighs nothing. A book made from it joins the
diffs by the same rules; what lies beyond its last level is not covered until a real snapshot can be had.
Source: the venue's pages on partial book depth streams, spot and derivatives.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from depthgui.binance.codec import decode_partial, partial_stream
from depthgui.binance.endpoints import SymbolRef
from depthgui.book.errors import DepthGuiError
from depthgui.book.messages import Snapshot
from depthgui.book.outcomes import FetchSnapshot

LEVELS = 20
_INTERVAL_MS = 100
_KEPT_S = 30.0  # subscribing anew for each of many resyncs would use up the control messages


class StandInSnapshot:
    """Reads one partial depth stream; a StreamReader.

    Raises MalformedMessageError from `frame`; the caller reports it.
    """

    def __init__(self, ref: SymbolRef, take: Callable[[FetchSnapshot, Snapshot], None]) -> None:
        """Give the next event after each `want` to `take`, as the snapshot of that order."""
        self.ref = ref
        self.name = partial_stream(ref.symbol, LEVELS, _INTERVAL_MS)
        self.is_subscribed = False
        self._take = take
        self._order: FetchSnapshot | None = None
        self._wanted_s = 0.0

    def want(self, order: FetchSnapshot, now_s: float) -> None:
        """The next event is the snapshot of `order`."""
        self._order = order
        self._wanted_s = now_s

    def give_up(self) -> None:
        """Nobody waits for a snapshot any more."""
        self._order = None

    def is_idle(self, now_s: float) -> bool:
        """Say whether the stream has not been wanted for so long that it can go."""
        return self._order is None and now_s - self._wanted_s >= _KEPT_S

    def stream_opened(self, epoch: int) -> None:
        """Each event is whole: nothing has to be prepared."""

    def stream_lost(self, error: DepthGuiError) -> None:
        """The order stands; the stream comes back with its socket."""

    def has_caught_up(self, epoch: int) -> bool:
        """Each event is whole: no overlap is needed."""
        return True

    def frame(self, payload: msgspec.Raw, epoch: int) -> None:
        """Hand the event on if a snapshot is waited for."""
        if self._order is not None:
            snapshot = decode_partial(payload, self.ref.market, LEVELS, self.ref.symbol)
            order, self._order = self._order, None
            self._take(order, snapshot)
