"""The second program on a profile rings, and the first one comes to the front.

The first one, which holds the profile's lock, listens on a loopback port; the port and a key stand in a file that only
its user can read. Both sides prove that they have read it, and the key itself is never sent: neither another user nor
whatever listens on that port after a crash can ring or answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec

from depthgui.settings.files import write_atomically

_LOG = logging.getLogger(__name__)
_LIMIT_S = 2.0
_AGAIN_S = 0.05
_HOST = "127.0.0.1"


class Ring(msgspec.Struct, frozen=True):
    """What the second program wants: symbols to open, and the desktop's token that lets a window be activated."""

    symbols: tuple[str, ...] = ()
    activation: str = ""
    nonce: str = ""


class _Place(msgspec.Struct, frozen=True):
    port: int
    key: str


class _Signed(msgspec.Struct, frozen=True):
    body: str
    proof: str


@contextlib.asynccontextmanager
async def listening(path: Path, answer: Callable[[Ring], None]) -> AsyncIterator[None]:
    """Answer rings while the block runs; `path` tells others where. Without it, if that cannot be, all goes on."""
    key = secrets.token_hex(32)
    handlers: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(_serve(reader, writer, key, answer), name="doorbell")
        handlers.add(task)
        task.add_done_callback(handlers.discard)

    async with contextlib.AsyncExitStack() as stack:
        try:
            server = await asyncio.start_server(accept, _HOST, 0)
            stack.callback(server.close)
            place = _Place(server.sockets[0].getsockname()[1], key)
            write_atomically(path, msgspec.json.encode(place).decode())
            stack.callback(path.unlink, missing_ok=True)
        except OSError as error:
            _LOG.warning("a second start will not find this window: %s", error)
        try:
            yield
        finally:
            for task in tuple(handlers):
                task.cancel()
            await asyncio.gather(*handlers, return_exceptions=True)


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str, answer: Callable[[Ring], None]
) -> None:
    try:
        async with asyncio.timeout(_LIMIT_S):
            ring = _opened(await reader.readline(), key)
            if ring is None:
                _LOG.warning("somebody without this profile's key rang")
                return
            answer(ring)
            writer.write(_proof(key, f"shown {ring.nonce}").encode() + b"\n")
            await writer.drain()
    except (OSError, TimeoutError, ValueError) as error:  # ValueError: a line that does not end
        _LOG.info("a ring broke off: %s", error)
    finally:
        writer.close()


async def ring(path: Path, symbols: Sequence[str], limit_s: float = _LIMIT_S) -> bool:
    """Ask the program that listens as `path` says to come to the front and open `symbols`; True once it has.

    It may be starting: asks again and again for `limit_s` seconds.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            while not await _ring_once(path, symbols):  # noqa: ASYNC110 - what another process does sets no event here
                await asyncio.sleep(_AGAIN_S)
            return True
    return False


async def _ring_once(path: Path, symbols: Sequence[str]) -> bool:
    try:
        place = _read_place(path)
        reader, writer = await asyncio.open_connection(_HOST, place.port)
    except (OSError, OverflowError, msgspec.MsgspecError):
        return False
    wanted = Ring(tuple(symbols), os.environ.get("XDG_ACTIVATION_TOKEN", ""), secrets.token_hex(16))
    try:
        body = msgspec.json.encode(wanted).decode()
        writer.write(msgspec.json.encode(_Signed(body, _proof(place.key, body))) + b"\n")
        await writer.drain()
        proof = await reader.readline()
    except (OSError, ValueError):
        return False
    finally:
        writer.close()
    return hmac.compare_digest(proof.strip(), _proof(place.key, f"shown {wanted.nonce}").encode())


def _read_place(path: Path) -> _Place:
    """Raises OSError and MsgspecError."""
    return msgspec.json.decode(path.read_bytes(), type=_Place)


def _opened(line: bytes, key: str) -> Ring | None:
    """What a ring says, if it was written by somebody who has the key."""
    try:
        signed = msgspec.json.decode(line, type=_Signed)
        if not hmac.compare_digest(signed.proof.encode(), _proof(key, signed.body).encode()):
            return None
        return msgspec.json.decode(signed.body, type=Ring)
    except msgspec.MsgspecError:
        return None


def _proof(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
