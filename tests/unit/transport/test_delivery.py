"""Frames delivered as they arrive: every one, once, in order, however the network cuts and bunches them up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from depthgui.book.errors import BinanceWebsocketClosed
from depthgui.transport.stream import WebSocketOpener, _Connection, _WebSocketStream

URL = "ws://venue.invalid/stream"


class Wire(asyncio.Transport):
    """What the connection writes to; the test plays the network's other half."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.connection: _Connection | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def is_closing(self) -> bool:
        return False

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            asyncio.get_running_loop().call_soon(connection.connection_lost, None)


def connected(*, extensions: bool = False) -> tuple[_Connection, Wire]:
    """A connection after its handshake."""
    protocol = ClientProtocol(parse_uri(URL), state=State.OPEN, max_size=2**20)
    if extensions:
        protocol.extensions = [PerMessageDeflate(False, False, 15, 15)]
    connection = _Connection(protocol, ping_interval=None, close_timeout=0.1, max_queue=4)
    connection.response = object()  # type: ignore[assignment] # the handshake's
    wire = Wire()
    wire.connection = connection
    connection.connection_made(wire)
    return connection, wire


def delivered(chunks: list[bytes], *, extensions: bool = False, turns: bool = False) -> tuple[list[bytes], bytes]:
    """What is taken of these chunks, and what is written back; with `turns`, the loop turns between them."""

    async def run() -> tuple[list[bytes], bytes]:
        connection, wire = connected(extensions=extensions)
        taken: list[bytes] = []
        reading = asyncio.create_task(_WebSocketStream(URL, connection).deliver(taken.append))
        await asyncio.sleep(0)
        for chunk in chunks:
            connection.data_received(chunk)
            if turns:
                await asyncio.sleep(0)
        for _ in range(5 * len(chunks) + 20):
            await asyncio.sleep(0)
        written = wire.written
        wire.abort()
        with pytest.raises(BinanceWebsocketClosed):
            await reading
        return taken, written

    return asyncio.run(run())


def text(payload: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=False)


def pieces(payload: bytes, cut: int) -> list[bytes]:
    """A message in three frames."""
    return [
        text(payload[:cut], fin=False),
        text(payload[cut : cut + 1], Opcode.CONT, fin=False),
        text(payload[cut + 1 :], Opcode.CONT),
    ]


sizes = st.sampled_from([0, 1, 2, 3, 124, 125, 126, 127, 1000, 65534, 65535, 65536, 70000])
messages = st.builds(lambda size, kind: (b"%d:" % kind + b"x" * size, kind), sizes, st.integers(0, 5))


@given(
    st.lists(messages, max_size=8),
    st.lists(st.integers(0, 400_000), max_size=12),
    st.booleans(),
    st.booleans(),
)
def test_every_message_once_and_in_order_however_it_is_cut(
    sent: list[tuple[bytes, int]], cuts: list[int], turns: bool, extensions: bool
) -> None:
    stream, wanted, pings = b"", [], 0
    for number, (payload, kind) in enumerate(sent):
        body = b"%d/" % number + payload
        wanted.append(body)
        if kind == 0:
            stream += b"".join(pieces(body, 2))
        elif kind == 1:
            first, second, third = pieces(body, 1)
            stream += first + text(b"ping", Opcode.PING) + second + third
            pings += 1
        elif kind == 2:
            stream += text(body, Opcode.BINARY)
        else:
            stream += text(body)
    places = sorted({cut % len(stream) for cut in cuts} if stream else ())
    chunks = [stream[begin:end] for begin, end in zip([0, *places], [*places, len(stream)], strict=True) if end > begin]
    taken, written = delivered(chunks, turns=turns, extensions=extensions)
    assert taken == wanted
    assert written.count(b"\x8a\x84") == pings  # a masked pong of four bytes each


def test_byte_by_byte() -> None:
    stream = text(b"one") + text(b"t" * 200) + b"".join(pieces(b"three", 2)) + text(b"four")
    taken, _ = delivered([stream[at : at + 1] for at in range(len(stream))])
    assert taken == [b"one", b"t" * 200, b"three", b"four"]


def test_a_whole_frame_is_taken_within_the_event_that_brings_it() -> None:
    async def run() -> None:
        connection, wire = connected()
        taken: list[bytes] = []
        reading = asyncio.create_task(_WebSocketStream(URL, connection).deliver(taken.append))
        await asyncio.sleep(0)
        connection.data_received(text(b"one") + text(b"two") + text(b"three")[:3])
        assert taken == [b"one", b"two"]
        connection.data_received(text(b"three")[3:])
        assert taken == [b"one", b"two", b"three"]
        wire.abort()
        with pytest.raises(BinanceWebsocketClosed):
            await reading

    asyncio.run(run())


@pytest.mark.parametrize("kind", ["reserved bit", "masked", "unknown opcode"])
def test_frames_that_break_the_protocol_end_the_connection(kind: str) -> None:
    bad = {
        "reserved bit": b"\xc1\x01x",
        "masked": Frame(Opcode.TEXT, b"x").serialize(mask=True),
        "unknown opcode": b"\x83\x01x",
    }[kind]

    async def run() -> None:
        connection, wire = connected()
        taken: list[bytes] = []
        reading = asyncio.create_task(_WebSocketStream(URL, connection).deliver(taken.append))
        await asyncio.sleep(0)
        connection.data_received(text(b"good") + bad + text(b"never seen"))
        assert taken == [b"good"]
        wire.abort()
        with pytest.raises(BinanceWebsocketClosed) as caught:
            await reading
        assert caught.value.code == 1002

    asyncio.run(run())


def test_nothing_is_taken_after_a_close() -> None:
    async def run() -> None:
        connection, wire = connected()
        taken: list[bytes] = []
        reading = asyncio.create_task(_WebSocketStream(URL, connection).deliver(taken.append))
        await asyncio.sleep(0)
        connection.data_received(text(b"last") + text(b"\x03\xe9bye", Opcode.CLOSE) + text(b"too late"))
        connection.data_received(text(b"later still"))
        wire.abort()
        with pytest.raises(BinanceWebsocketClosed, match="bye"):
            await reading
        assert taken == [b"last"]

    asyncio.run(run())


def refusing(number: int) -> tuple[Callable[[bytes], None], list[bytes]]:
    """Takes frames until the one of this number."""
    taken: list[bytes] = []

    def take(payload: bytes) -> None:
        if len(taken) == number:
            raise KeyError("a fault of ours")
        taken.append(payload)

    return take, taken


@pytest.mark.parametrize("in_pieces", [False, True])
def test_what_the_taker_raises_ends_the_delivery_and_the_connection(in_pieces: bool) -> None:
    async def run() -> None:
        connection, wire = connected()
        take, taken = refusing(1)
        reading = asyncio.create_task(_WebSocketStream(URL, connection).deliver(take))
        await asyncio.sleep(0)
        bad = b"".join(pieces(b"bad", 1)) if in_pieces else text(b"bad")
        connection.data_received(text(b"good") + bad + text(b"next"))
        with pytest.raises(KeyError, match="a fault of ours"):
            await reading
        assert taken == [b"good"]
        assert connection.take is None
        wire.abort()

    asyncio.run(run())


def test_after_the_delivery_was_cancelled_nothing_is_taken() -> None:
    async def run() -> None:
        connection, wire = connected()
        taken: list[bytes] = []
        stream = _WebSocketStream(URL, connection)
        reading = asyncio.create_task(stream.deliver(taken.append))
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        connection.data_received(text(b"one"))
        assert taken == []
        assert await stream.recv() == b"one"
        wire.abort()

    asyncio.run(run())


async def test_over_a_real_socket() -> None:
    from unit.transport.servers import venue

    from depthgui.transport.proxy import ProxyChoice

    async with venue() as port:
        stream = await WebSocketOpener(proxy=ProxyChoice("")).open(f"ws://127.0.0.1:{port}/stream")
        taken: list[bytes] = []
        reading = asyncio.create_task(stream.deliver(taken.append))
        wanted = [b"%d" % number for number in range(500)]
        for payload in wanted:
            await stream.send(payload.decode())
        await stream.send("close 1001 bye")
        with pytest.raises(BinanceWebsocketClosed, match="bye"):
            await asyncio.wait_for(reading, 10)
        assert taken == wanted
        await stream.close()


@pytest.mark.parametrize("cut", range(1, 6))
@pytest.mark.parametrize("size", [5, 200, 70_000])
def test_a_cut_within_a_header(cut: int, size: int) -> None:
    long = text(b"l" * size)
    taken, _ = delivered([text(b"one") + long[:cut], long[cut:] + text(b"two")])
    assert taken == [b"one", b"l" * size, b"two"]


def test_the_rest_of_a_frame_is_no_frame_however_it_looks() -> None:
    body = b"ab" + text(b"hi") + text(b"ho")
    taken, _ = delivered([text(body)[:4], text(body)[4:8], text(body)[8:]])
    assert taken == [body]


@pytest.mark.parametrize("turns", [False, True])
def test_a_whole_message_inside_another_breaks_the_protocol(turns: bool) -> None:
    begun = pieces(b"begun", 2)
    taken, written = delivered([text(b"one"), begun[0], text(b"two"), begun[1] + begun[2]], turns=turns)
    assert taken == [b"one"]
    assert written.startswith(b"\x88")  # a close
