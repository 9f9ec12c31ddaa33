"""Every error that depthgui raises, in one tree.

::

    DepthGuiError
    ├── BookError
    │   ├── GapError                     the stream skipped an update id
    │   └── CrossedBookError             best bid at or above best ask: proof of a lost event
    ├── VenueError
    │   ├── MalformedMessageError        a frame or an answer that is not of the documented shape
    │   ├── BinanceAPIException          an error code of the venue
    │   │   └── UnknownSymbolError
    │   ├── RateLimitedError             429 or 418; says until when
    │   ├── RegionNotServedError         451
    │   └── NotBinanceError              the address answers, but not as the venue does
    ├── TransportError
    │   ├── ConnectFailedError           could not connect
    │   ├── RequestTimeoutError          no answer in time
    │   ├── BinanceWebsocketClosed       the stream ended without our asking
    │   ├── StreamInterruptedError       the socket stands, but one stream of it does not deliver
    │   └── BinanceUnableToConnect       the attempts to reconnect are used up
    └── UsageError                       a call that cannot be right

``is_retryable`` says whether trying again later can help without anything being changed. Exceptions of
aiohttp, websockets and msgspec never reach the caller; they are the ``__cause__`` of one of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from depthgui.book.messages import AnyDiff


class DepthGuiError(Exception):
    """Root of the tree; catch it to catch all that depthgui raises."""

    is_retryable: bool = False


class BookError(DepthGuiError):
    """The local book can no longer be believed; a resync mends it."""

    is_retryable = True


class GapError(BookError):
    """The stream skipped or repeated ids: a diff does not continue the book."""

    def __init__(self, symbol: str, *, book_id: int, first_id: int, last_id: int, prev_id: int | None) -> None:
        """Keep the ids: the book's, and the diff's first, last and previous one."""
        self.symbol = symbol
        self.book_id = book_id
        self.first_id = first_id
        self.last_id = last_id
        self.prev_id = prev_id
        previous = "" if prev_id is None else f", previous {prev_id}"
        super().__init__(f"{symbol}: diff {first_id}-{last_id}{previous} does not continue the book at {book_id}")

    @classmethod
    def between(cls, symbol: str, book_id: int, diff: AnyDiff) -> GapError:
        """The gap between a book at `book_id` and the diff that came instead of the next one."""
        return cls(symbol, book_id=book_id, first_id=diff.first_id, last_id=diff.last_id, prev_id=diff.prev_id)


class CrossedBookError(BookError):
    """Best bid at or above best ask after a diff."""

    def __init__(self, symbol: str, *, book_id: int, best_bid: str, best_ask: str) -> None:
        """Keep the id at which the book crossed, and the two prices as text."""
        self.symbol = symbol
        self.book_id = book_id
        self.best_bid = best_bid
        self.best_ask = best_ask
        super().__init__(f"{symbol}: book crossed at id {book_id}: best bid {best_bid} >= best ask {best_ask}")


class VenueError(DepthGuiError):
    """The venue answered with something other than what was asked for."""


class MalformedMessageError(VenueError):
    """A message that is not of the documented shape. `excerpt` holds its beginning, at most 200 bytes, for the log."""

    is_retryable = True

    def __init__(self, reason: str, payload: bytes = b"") -> None:
        """Keep the decoder's reason and the beginning of the payload."""
        self.reason = reason
        self.excerpt = payload[:200]
        super().__init__(f"malformed message ({reason})")


# Codes that the venue documents as final: the same request will never succeed (ILLEGAL_CHARS, MANDATORY_PARAM_EMPTY,
# INVALID_SYMBOL, INVALID_SYMBOL_STATUS). Anything else may pass: what it means is not known for good.
_FINAL_CODES = frozenset({-1100, -1102, -1121, -1122})


class BinanceAPIException(VenueError):
    """An error of the venue: HTTP `status_code`, the venue's `code` and `message`."""

    def __init__(self, status_code: int, code: int, message: str, *, url: str = "") -> None:
        """Keep status, code, message and the address that was asked."""
        self.status_code = status_code
        self.code = code
        self.message = message
        self.url = url
        self.is_retryable = code not in _FINAL_CODES
        where = f" from {url}" if url else ""
        super().__init__(f"APIError(code={code}): {message} (HTTP {status_code}{where})")


class UnknownSymbolError(BinanceAPIException):
    """The venue does not know the symbol (-1121). `suggestions` holds near matches, best first."""

    def __init__(self, symbol: str, market: str, *, suggestions: tuple[str, ...] = (), url: str = "") -> None:
        """Keep the symbol, the market's label and near matches."""
        super().__init__(400, -1121, "Invalid symbol.", url=url)
        self.symbol = symbol
        self.market = market
        self.suggestions = suggestions
        hint = f" Did you mean {', '.join(suggestions)}?" if suggestions else ""
        self.args = (f"{symbol} is not a symbol of Binance {market}.{hint}",)


class RateLimitedError(VenueError):
    """429 (slow down) or 418 (banned). Nothing may be sent for `retry_after_s` seconds."""

    is_retryable = True

    def __init__(self, status_code: int, retry_after_s: float, *, url: str = "") -> None:
        """Keep the status and the pause the venue asks for, in seconds."""
        self.status_code = status_code
        self.retry_after_s = retry_after_s
        self.url = url
        word = "banned this address" if status_code == 418 else "asked to slow down"
        super().__init__(f"Binance {word} (HTTP {status_code}); requests go on in {retry_after_s:.0f} s")


class RegionNotServedError(VenueError):
    """451: the venue does not serve this region."""

    def __init__(self, *, url: str) -> None:
        """Keep the address that refused."""
        self.url = url
        super().__init__(
            f"Binance does not serve this region (HTTP 451 from {url}). "
            "For spot, the data-only host data-api.binance.vision may answer."
        )


class NotBinanceError(VenueError):
    """Something answers at the address, but not as Binance does, such as a proxy's page. It may pass."""

    is_retryable = True

    def __init__(self, url: str, found: str) -> None:
        """Keep the address and a few words on what was found there."""
        self.url = url
        self.found = found
        super().__init__(f"{url} does not answer like Binance: {found}")


class TransportError(DepthGuiError):
    """The network, not the venue."""

    is_retryable = True


class ConnectFailedError(TransportError):
    """No connection to `url`; `cause` says why in a few words."""

    def __init__(self, url: str, cause: str) -> None:
        """Keep the address and the cause."""
        self.url = url
        self.cause = cause
        super().__init__(f"cannot connect to {url}: {cause}")


class RequestTimeoutError(TransportError):
    """No answer within `timeout_s` seconds."""

    def __init__(self, url: str, timeout_s: float) -> None:
        """Keep the address and the time that was allowed."""
        self.url = url
        self.timeout_s = timeout_s
        super().__init__(f"no answer from {url} within {timeout_s:g} s")


class BinanceWebsocketClosed(TransportError):
    """The stream ended without our asking. `code` is the close code, 1006 where there was none."""

    def __init__(self, url: str, code: int, reason: str) -> None:
        """Keep the address, the close code and the reason."""
        self.url = url
        self.code = code
        self.reason = reason
        super().__init__(f"{url} closed with {code}" + (f": {reason}" if reason else ""))


class StreamInterruptedError(TransportError):
    """The socket stands, but `stream` does not deliver; `reason` says why and what is done about it."""

    def __init__(self, stream: str, reason: str) -> None:
        """Keep the stream's name and the reason, a sentence that begins with a capital letter."""
        self.stream = stream
        self.reason = reason
        super().__init__(reason)


class BinanceUnableToConnect(TransportError):
    """All attempts to reconnect failed."""

    is_retryable = False

    def __init__(self, url: str, attempts: int, cause: str) -> None:
        """Keep the address, the number of attempts and the last cause."""
        self.url = url
        self.attempts = attempts
        self.cause = cause
        super().__init__(f"Max reconnections {attempts} reached: {url}: {cause}")


class UsageError(DepthGuiError, ValueError):
    """A call that cannot be right: a bad argument, or a call at the wrong time."""
