"""What one socket has asked of the venue, stream by stream, and which answers are overdue. No I/O: time is an argument.

The venue handles the requests of one socket in their order. So an answer to a SUBSCRIBE counts for a stream if no
UNSUBSCRIBE of that stream was sent after it, even when the stream has been asked for again since.

One bad name can cost a whole request its answer. So streams whose request was refused or not answered are suspects:
they are asked for apart from the others, in ever smaller groups.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

SUBSCRIBE, UNSUBSCRIBE = "SUBSCRIBE", "UNSUBSCRIBE"

ANSWER_S = 5.0
"""How long a request may go without an answer; the third and further ones for a stream: twice as long each time."""
LONGEST_ANSWER_S = 60.0
REFUSED_PAUSE_S = 10.0
"""How long to wait after a refusal; twice as long after each further one of the same stream."""
LONGEST_REFUSED_PAUSE_S = 300.0

_STREAMS_PER_REQUEST = 100
_REQUESTS_FOR_SUSPECTS = 10
_REQUESTS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Request:
    """One control message."""

    request_id: int
    method: str
    names: tuple[str, ...]


@dataclass(slots=True)
class _Asked:
    """A stream that was subscribed to. An answer to any request from `first_id` on counts for it."""

    first_id: int
    latest_id: int
    times: int = 1


class Subscriptions:
    """The bookkeeping of one socket. `suspects` is shared with the sockets after it."""

    def __init__(self, suspects: set[str] | None = None) -> None:
        """Begin with nothing asked for."""
        self.confirmed: set[str] = set()
        """What the venue acknowledged, or sends."""
        self._suspects = set() if suspects is None else suspects
        self._asked: dict[str, _Asked] = {}
        self._overdue_s: dict[str, float] = {}  # when an answer has to be there, for what was asked for
        self._again: set[str] = set()  # to be asked for once more
        self._renewing: set[str] = set()  # to be unsubscribed before they are asked for once more
        self._refused_until_s: dict[str, float] = {}
        self._refusals: dict[str, int] = {}  # of a stream, one after the other
        self._requests: dict[int, Request] = {}
        self._leaving_s: dict[int, float] = {}  # until when the first UNSUBSCRIBE of a stream has to be answered
        self._leave_again: set[str] = set()
        self._last_id = 0

    # What is to be sent

    def next_request(self, wanted: Collection[str]) -> Request | None:
        """The next message that makes the venue's subscriptions those `wanted`, None if there is nothing to say.

        You send it, and call `sent`.
        """
        unwanted = {name for name in self._asked if name not in wanted or name in self._renewing}
        unwanted.update(name for name in self._leave_again if name not in wanted)
        if unwanted:
            return self._request(UNSUBSCRIBE, sorted(unwanted))
        missing = [
            name
            for name in wanted
            if (name not in self._asked and name not in self._refused_until_s) or name in self._again
        ]
        if not missing:
            return None
        suspects = self._suspects
        return self._request(SUBSCRIBE, [name for name in missing if name not in suspects] or self._group(missing))

    def _group(self, names: list[str]) -> list[str]:
        return names[: -(-len(self._suspects) // _REQUESTS_FOR_SUSPECTS)]

    def _request(self, method: str, names: list[str]) -> Request:
        return Request(self._last_id + 1, method, tuple(names[:_STREAMS_PER_REQUEST]))

    def sent(self, request: Request, now_s: float) -> None:
        """The request is on its way."""
        self._last_id = request.request_id
        self._requests[request.request_id] = request
        while len(self._requests) > _REQUESTS_KEPT:  # a venue that never answers
            del self._requests[next(iter(self._requests))]
        if request.method == SUBSCRIBE:
            for name in request.names:
                self._note_asked(name, request.request_id, now_s)
            return
        if any(name not in self._leave_again for name in request.names):
            self._leaving_s[request.request_id] = now_s + ANSWER_S
        for name in request.names:
            self._asked.pop(name, None)
            self.forget(name)
        self._renewing.difference_update(request.names)
        self._leave_again.difference_update(request.names)

    def _note_asked(self, name: str, request_id: int, now_s: float) -> None:
        asked = self._asked.get(name)
        if asked is None:
            asked = self._asked[name] = _Asked(request_id, request_id)
        else:
            asked.latest_id = request_id
            asked.times += 1
        self._again.discard(name)
        if name not in self.confirmed:
            self._overdue_s[name] = now_s + min(ANSWER_S * 2 ** max(asked.times - 2, 0), LONGEST_ANSWER_S)

    def renew(self, name: str) -> None:
        """Unsubscribe and subscribe; nothing where the stream is not subscribed to anyway."""
        if name in self._asked:
            self._renewing.add(name)
        self.forget(name)

    def forget(self, name: str) -> None:
        """It is no longer known whether the stream delivers, and no answer is waited for; only data will tell."""
        self.confirmed.discard(name)
        self._overdue_s.pop(name, None)
        self._again.discard(name)

    # What came

    def is_expected(self, name: str) -> bool:
        """False for data of a stream that is not subscribed to, or was under way when it was given up."""
        return name in self._asked and name not in self._renewing

    def confirm(self, name: str) -> None:
        """The stream delivers: data of it came, which may overtake the answer."""
        self.forget(name)
        self.confirmed.add(name)
        self._suspects.discard(name)
        self._refusals.pop(name, None)

    def answered(self, request_id: int, *, but_for: Iterable[str] = ()) -> tuple[str, ...]:
        """Yes was the answer to a request: the names of the streams that are open. None for an unknown request."""
        request = self._requests.pop(request_id, None)
        self._leaving_s.pop(request_id, None)
        if request is None or request.method != SUBSCRIBE:
            return ()
        left_out = set(but_for)
        names = tuple(
            name
            for name in request.names
            if self.is_expected(name) and request_id >= self._asked[name].first_id and name not in left_out
        )
        for name in names:
            self.confirm(name)
        return names

    def refused(self, request_id: int, now_s: float) -> Request | None:
        """No was the answer: the request, with the names that are to be asked for again later. None if unknown.

        A stream that delivers, or has been asked for again since, is none of them.
        """
        request = self._requests.pop(request_id, None)
        self._leaving_s.pop(request_id, None)
        if request is None or request.method != SUBSCRIBE:
            return request
        names = tuple(
            name
            for name in request.names
            if self.is_expected(name) and name not in self.confirmed and self._asked[name].latest_id == request_id
        )
        for name in names:
            del self._asked[name]
            self.forget(name)
            times = self._refusals[name] = self._refusals.get(name, 0) + 1
            pause_s = min(REFUSED_PAUSE_S * 2 ** min(times - 1, 16), LONGEST_REFUSED_PAUSE_S)
            self._refused_until_s[name] = now_s + pause_s
        self._suspects.update(names)
        return Request(request_id, request.method, names)

    def rest(self, name: str, now_s: float) -> None:
        """Unsubscribe, and subscribe again after a pause."""
        self.renew(name)
        self._refused_until_s[name] = now_s + REFUSED_PAUSE_S

    def request_names(self, request_id: int) -> tuple[str, ...]:
        """The streams of a request that has not been answered yet."""
        request = self._requests.get(request_id)
        return () if request is None else request.names

    # Time

    def take_overdue(self, wanted: Collection[str], now_s: float) -> dict[int, list[str]]:
        """The streams without an answer in time, by the number of times they were asked for; they are asked for again.

        A request to unsubscribe is repeated once.
        """
        for name in [name for name, until_s in self._refused_until_s.items() if until_s <= now_s]:
            del self._refused_until_s[name]
        for request_id in [number for number, until_s in self._leaving_s.items() if until_s <= now_s]:
            del self._leaving_s[request_id]
            names = self.request_names(request_id)
            self._leave_again.update(name for name in names if name not in wanted and name not in self._asked)
        overdue: dict[int, list[str]] = {}
        for name in [name for name, until_s in self._overdue_s.items() if until_s <= now_s]:
            del self._overdue_s[name]
            if name in wanted:
                self._again.add(name)
                overdue.setdefault(self._asked[name].times, []).append(name)
                self._suspects.add(name)
        return overdue

    def ask_again(self, wanted: Collection[str]) -> None:
        """Renew every subscription of which it is not known that it delivers, nor an answer waited for."""
        for name in self._asked:
            if name in wanted and name not in self.confirmed and name not in self._overdue_s:
                self._renewing.add(name)

    def wait_s(self, now_s: float) -> float | None:
        """Seconds until something will be overdue; None if nothing is waited for."""
        times = (*self._overdue_s.values(), *self._leaving_s.values(), *self._refused_until_s.values())
        return max(min(times) - now_s, 0.0) if times else None
