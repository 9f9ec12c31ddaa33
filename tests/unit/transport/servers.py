"""Small real servers on loopback: a venue, proxies of both kinds, and servers that misbehave."""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

# A name that no resolver knows: whoever reaches the venue under it has let the proxy resolve it.
VENUE_NAME = "venue.invalid"


@asynccontextmanager
async def tcp_server(handler: Handler, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """A TCP server; gives its port. Connections that still stand are cut at the end."""
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()
        await asyncio.sleep(0)


def reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a TCP reset."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def closed_port() -> int:
    """A port where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts, and never says a word."""
    while await reader.read(4096):
        pass


def answering(raw: bytes) -> Handler:
    """Answers any request with these bytes and closes."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()

    return answer


@asynccontextmanager
async def venue(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """REST and a WebSocket that does what it is told: echo, `close CODE REASON`, `big BYTES`, `reset`, `silence`."""

    async def rest(request: web.Request) -> web.Response:
        status = int(request.query.get("status", "200"))
        return web.json_response({"path": request.path_qs}, status=status, headers={"X-MBX-Used-Weight-1m": "7"})

    async def stream(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse(max_msg_size=0)
        await answer.prepare(request)
        async for message in answer:
            if message.type is not WSMsgType.TEXT:
                break
            order, _, rest = message.data.partition(" ")
            if order == "close":
                code, _, reason = rest.partition(" ")
                await answer.close(code=int(code), message=reason.encode())
            elif order == "big":
                await answer.send_str("x" * int(rest))
            elif order == "reset":
                assert request.transport is not None
                raw = request.transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                request.transport.abort()
            else:
                await answer.send_str(message.data)
        return answer

    app = web.Application()
    app.add_routes([web.get("/rest", rest), web.get("/stream", stream)])
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, host, 0, ssl_context=tls).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int, first: bytes = b"") -> None:
    upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", port)
    upstream_writer.write(first)
    await asyncio.gather(_relay(reader, upstream_writer), _relay(upstream_reader, writer))


@dataclass
class HttpProxy:
    """CONNECT, and plain requests in absolute form. Any host is this machine. `seen` holds what was asked for."""

    credentials: str = ""
    refuse_with: bytes = b""
    seen: list[str] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        self.seen.append(f"{method} {target}")
        wanted = "Basic " + base64.b64encode(self.credentials.encode()).decode()
        if self.refuse_with:
            writer.write(self.refuse_with)
        elif self.credentials and headers.get("proxy-authorization") != wanted:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _tunnel(reader, writer, int(target.rpartition(":")[2]))
        else:
            parts = urlsplit(target)
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            lines[0] = f"{method} {path} HTTP/1.1"
            await _tunnel(reader, writer, parts.port or 80, "\r\n".join(lines).encode("latin-1"))
        await writer.drain()


@dataclass
class SocksProxy:
    """SOCKS5 with or without a password. Any host is this machine. `seen` holds the names that were asked for."""

    credentials: str = ""
    answer: int = 0
    seen: list[str] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version, count = await reader.readexactly(2)
        assert version == 5
        methods = await reader.readexactly(count)
        wanted = 2 if self.credentials else 0
        if wanted not in methods:
            writer.write(b"\x05\xff")
            return
        writer.write(bytes((5, wanted)))
        if self.credentials and not await self._is_known(reader, writer):
            return
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            length = (await reader.readexactly(1))[0]
            name = (await reader.readexactly(length)).decode()
        else:
            name = socket.inet_ntop(*((socket.AF_INET, await reader.readexactly(4)) if kind == 1 else
                                      (socket.AF_INET6, await reader.readexactly(16))))  # fmt: skip
        port = int.from_bytes(await reader.readexactly(2), "big")
        self.seen.append(f"{name}:{port}")
        writer.write(bytes((5, self.answer, 0, 1, 0, 0, 0, 0, 0, 0)))
        await writer.drain()
        if self.answer == 0:
            await _tunnel(reader, writer, port)

    async def _is_known(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await reader.readexactly(1)
        user = await reader.readexactly((await reader.readexactly(1))[0])
        password = await reader.readexactly((await reader.readexactly(1))[0])
        is_known = f"{user.decode()}:{password.decode()}" == self.credentials
        writer.write(bytes((1, 0 if is_known else 1)))
        await writer.drain()
        return is_known
