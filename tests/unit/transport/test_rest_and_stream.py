"""REST and WebSocket against real servers: what arrives, and what every way of failing is called."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from unit.transport.servers import (
    VENUE_NAME,
    HttpProxy,
    SocksProxy,
    answering,
    closed_port,
    reset,
    silent,
    tcp_server,
    venue,
)

from depthgui.book.errors import (
    BinanceWebsocketClosed,
    ConnectFailedError,
    DepthGuiError,
    RegionNotServedError,
    RequestTimeoutError,
    UsageError,
)
from depthgui.transport.proxy import ProxyChoice
from depthgui.transport.rest import RestClient
from depthgui.transport.stream import WebSocketOpener
from depthgui.transport.tls import SharedContext

SELF_SIGNED = Path(__file__).with_name("self_signed.pem")


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with venue() as port:
        yield port


async def get(url: str, *, proxy: str | None = "", timeout_s: float = 5.0) -> object:
    async with RestClient(proxy=ProxyChoice(proxy), timeout_s=timeout_s) as client:
        return await client.get(url)


async def open_stream(url: str, *, proxy: str | None = "", timeout_s: float = 5.0) -> None:
    """Open, exchange one frame, close."""
    stream = await WebSocketOpener(proxy=ProxyChoice(proxy), timeout_s=timeout_s).open(url)
    try:
        await stream.send("hello")
        assert await stream.recv() == b"hello"
    finally:
        await stream.close()


# --- what works


async def test_an_answer_with_its_status_headers_and_query(port: int) -> None:
    async with RestClient(proxy=ProxyChoice("")) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/rest", {"symbol": "币安人生USDT", "limit": 5})
        assert answer.status == 200
        assert b"limit=5" in answer.body
        assert "币安人生USDT".encode() in answer.body or b"%E5%B8%81" in answer.body
        assert answer.headers["x-mbx-used-weight-1m"] == "7"
        assert (await client.get(f"http://127.0.0.1:{port}/rest?status=418")).status == 418
    await client.close()
    with pytest.raises(UsageError, match="the client is closed"):
        await client.get(f"http://127.0.0.1:{port}/rest")


async def test_plain_addresses_need_no_certificates(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading them takes a tenth of a second, which the demo need not wait for."""
    monkeypatch.setattr("depthgui.transport.tls.make_ssl_context", lambda: pytest.fail("certificates were loaded"))
    await get(f"http://127.0.0.1:{port}/rest")


async def test_certificates_are_read_once_and_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    in_main_thread: list[bool] = []

    def make() -> ssl.SSLContext:
        in_main_thread.append(threading.current_thread() is threading.main_thread())
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    monkeypatch.setattr("depthgui.transport.tls.make_ssl_context", make)
    tls = SharedContext()
    first, second = await asyncio.gather(tls.get(), tls.get())
    assert first is second is await tls.get()
    assert in_main_thread == [False]


async def test_certificates_that_cannot_be_read_are_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> ssl.SSLContext:
        raise ssl.SSLError("[X509] PEM lib")

    monkeypatch.setattr("depthgui.transport.tls.make_ssl_context", fail)
    for attempt in (lambda: get("https://127.0.0.1:9/rest"), lambda: open_stream("wss://127.0.0.1:9/stream")):
        with pytest.raises(ConnectFailedError, match="PEM"):
            await attempt()


async def test_frames_both_ways_and_a_close_of_ours(port: int) -> None:
    stream = await WebSocketOpener(proxy=ProxyChoice("")).open(f"ws://127.0.0.1:{port}/stream")
    for text in ("one", "two", '{"stream":"币安人生usdt@depth"}'):
        await stream.send(text)
        assert await stream.recv() == text.encode()
    await stream.close()
    await stream.close()
    with pytest.raises(BinanceWebsocketClosed):
        await stream.recv()
    with pytest.raises(BinanceWebsocketClosed):
        await stream.send("three")


async def test_ipv6() -> None:
    async with venue("::1") as port:
        await get(f"http://[::1]:{port}/rest")
        await open_stream(f"ws://[::1]:{port}/stream")


async def test_a_name_with_two_addresses_of_which_one_answers(port: int) -> None:
    await get(f"http://localhost:{port}/rest")
    await open_stream(f"ws://localhost:{port}/stream")


async def test_a_frame_of_a_megabyte(port: int) -> None:
    stream = await WebSocketOpener(proxy=ProxyChoice("")).open(f"ws://127.0.0.1:{port}/stream")
    await stream.send(f"big {2**20 + 5}")
    assert len(await stream.recv()) == 2**20 + 5
    await stream.close()


async def test_frames_that_nobody_reads_yet_are_kept(port: int) -> None:
    stream = await WebSocketOpener(proxy=ProxyChoice("")).open(f"ws://127.0.0.1:{port}/stream")
    for number in range(2000):
        await stream.send(str(number))
    await asyncio.sleep(0.1)
    assert [await stream.recv() for _ in range(2000)] == [str(number).encode() for number in range(2000)]
    await stream.close()


# --- proxies


@pytest.mark.parametrize("credentials", ["", "user:p@ss word"])
async def test_through_an_http_proxy(port: int, credentials: str) -> None:
    proxy = HttpProxy(credentials)
    login = "user:p%40ss%20word@" if credentials else ""
    async with tcp_server(proxy) as proxy_port:
        address = f"http://{login}127.0.0.1:{proxy_port}"
        await get(f"http://{VENUE_NAME}:{port}/rest", proxy=address)
        await open_stream(f"ws://{VENUE_NAME}:{port}/stream", proxy=address)
    assert proxy.seen == [f"GET http://{VENUE_NAME}:{port}/rest", f"CONNECT {VENUE_NAME}:{port}"]


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks"])
@pytest.mark.parametrize("credentials", ["", "user:p@ss"])
async def test_through_a_socks_proxy_which_resolves_the_names(
    port: int, scheme: str, credentials: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = SocksProxy(credentials)
    login = "user:p%40ss@" if credentials else ""
    async with tcp_server(proxy) as proxy_port:
        monkeypatch.setenv("all_proxy", f"{scheme}://{login}127.0.0.1:{proxy_port}")
        await get(f"http://{VENUE_NAME}:{port}/rest", proxy=None)
        await open_stream(f"ws://{VENUE_NAME}:{port}/stream", proxy=None)
    assert proxy.seen == [f"{VENUE_NAME}:{port}"] * 2


async def test_loopback_is_reached_without_the_proxy(port: int) -> None:
    dead = f"socks5://127.0.0.1:{closed_port()}"
    await get(f"http://127.0.0.1:{port}/rest", proxy=dead)
    await open_stream(f"ws://127.0.0.1:{port}/stream", proxy=dead)


REFUSING_PROXIES = [
    ("http", HttpProxy("right:password"), "http://wrong:secret@{}", "HTTP 407"),
    ("http", HttpProxy(refuse_with=b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"), "http://{}", "HTTP 403"),
    ("http", HttpProxy(refuse_with=b"SSH-2.0-OpenSSH_9.2\r\n"), "http://{}", "proxy"),
    ("socks", SocksProxy("right:password"), "socks5://wrong:secret@{}", "proxy"),
    ("socks", SocksProxy("right:password"), "socks5://{}", "proxy"),
    ("socks", SocksProxy(answer=5), "socks5://{}", "proxy"),
    ("socks", SocksProxy(answer=2), "socks5://{}", "proxy"),
    ("socks", answering(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "socks5://{}", "proxy"),
]


@pytest.mark.parametrize(("kind", "proxy", "address", "words"), REFUSING_PROXIES)
async def test_a_proxy_that_refuses_is_named(kind: str, proxy: object, address: str, words: str) -> None:
    async with tcp_server(proxy) as proxy_port:  # type: ignore[arg-type]
        url = address.format(f"127.0.0.1:{proxy_port}")
        for attempt in (
            lambda: get(f"https://{VENUE_NAME}/rest", proxy=url, timeout_s=1.0),
            lambda: open_stream(f"ws://{VENUE_NAME}/stream", proxy=url, timeout_s=1.0),
        ):
            with pytest.raises((ConnectFailedError, RequestTimeoutError)) as caught:
                await attempt()
            if isinstance(caught.value, ConnectFailedError):
                assert words in str(caught.value)
                assert "proxy" in str(caught.value)
            assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_proxy_that_is_not_there(scheme: str) -> None:
    dead = f"{scheme}://user:secret@127.0.0.1:{closed_port()}"
    for attempt in (
        lambda: get(f"https://{VENUE_NAME}/rest", proxy=dead),
        lambda: open_stream(f"ws://{VENUE_NAME}/stream", proxy=dead),
    ):
        with pytest.raises(ConnectFailedError, match=r"proxy 127\.0\.0\.1:\d+: connection refused") as caught:
            await attempt()
        assert "secret" not in str(caught.value)


async def test_an_address_in_the_environment_that_is_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "gopher://127.0.0.1:70")
    for attempt in (
        lambda: get(f"http://{VENUE_NAME}/", proxy=None),
        lambda: open_stream(f"ws://{VENUE_NAME}/", proxy=None),
    ):
        with pytest.raises(ConnectFailedError, match=r"'gopher://127\.0\.0\.1:70' is not a proxy's address"):
            await attempt()


# --- what fails


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_refused(host: str) -> None:
    port = closed_port()
    for attempt in (lambda: get(f"http://{host}:{port}/"), lambda: open_stream(f"ws://{host}:{port}/")):
        with pytest.raises(ConnectFailedError, match="connection refused; nothing listens there") as caught:
            await attempt()
        assert f"{host}:{port}" in str(caught.value)
        assert caught.value.__cause__ is not None


async def test_a_name_that_does_not_exist() -> None:
    for attempt in (lambda: get("http://no-such-host.invalid/"), lambda: open_stream("wss://no-such-host.invalid/")):
        with pytest.raises(ConnectFailedError, match="the name cannot be resolved"):
            await attempt()


async def test_no_answer_in_time() -> None:
    async with tcp_server(silent) as port:
        for attempt in (
            lambda: get(f"http://127.0.0.1:{port}/", timeout_s=0.2),
            lambda: open_stream(f"ws://127.0.0.1:{port}/", timeout_s=0.2),
        ):
            started_s = time.monotonic()
            with pytest.raises(RequestTimeoutError, match=r"no answer from .* within 0\.2 s"):
                await attempt()
            assert time.monotonic() - started_s < 1.5


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("200 OK", "HTTP 200 instead of a WebSocket"),
        ("403 Forbidden", "HTTP 403: refused by the venue's firewall"),
        ("404 Not Found", "HTTP 404 instead of a WebSocket"),
        ("429 Too Many Requests", "HTTP 429: too many connection attempts"),
        ("503 Unavailable", "HTTP 503 instead of a WebSocket"),
    ],
)
async def test_an_http_answer_instead_of_a_websocket(status: str, words: str) -> None:
    raw = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello".encode()
    async with tcp_server(answering(raw)) as port:
        with pytest.raises(ConnectFailedError, match=words):
            await open_stream(f"ws://127.0.0.1:{port}/stream")


async def test_451_is_the_region() -> None:
    async with tcp_server(answering(b"HTTP/1.1 451 No\r\nContent-Length: 0\r\n\r\n")) as port:
        with pytest.raises(RegionNotServedError, match=r"does not serve this region \(HTTP 451 from ws://"):
            await open_stream(f"ws://127.0.0.1:{port}/stream")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: wrong\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: ftp://elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: /stream\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut off",
        b"\x00" * 5000,
    ],
)
async def test_servers_that_speak_something_else(raw: bytes) -> None:
    async with tcp_server(answering(raw)) as port:
        with pytest.raises(ConnectFailedError):
            await open_stream(f"ws://127.0.0.1:{port}/stream", timeout_s=2.0)
        try:
            answer = await get(f"http://127.0.0.1:{port}/stream", timeout_s=2.0)
        except DepthGuiError as error:
            assert isinstance(error, ConnectFailedError)  # noqa: PT017 - some of these are answers after all
        else:
            assert answer is not None


async def test_an_answer_that_is_cut_off() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        await writer.drain()
        reset(writer)

    async with tcp_server(cut) as port:
        with pytest.raises(ConnectFailedError):
            await get(f"http://127.0.0.1:{port}/")


async def test_closing_while_a_request_is_under_way() -> None:
    async with tcp_server(silent) as port:
        client = RestClient(proxy=ProxyChoice(""))
        request = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
        await asyncio.sleep(0.05)
        await client.close()
        with pytest.raises(ConnectFailedError):
            await request


@pytest.mark.parametrize("url", ["http://", "http:///path", "nonsense", "http://[::1", "http://127.0.0.1:port/"])
async def test_addresses_that_are_none(url: str) -> None:
    for attempt in (lambda: get(url), lambda: open_stream(url.replace("http", "ws"))):
        with pytest.raises(ConnectFailedError):
            await attempt()


async def test_a_self_signed_certificate_is_refused_in_words() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELF_SIGNED)
    async with venue(tls=context) as port:
        for attempt in (
            lambda: get(f"https://localhost:{port}/rest"),
            lambda: open_stream(f"wss://localhost:{port}/stream"),
        ):
            with pytest.raises(ConnectFailedError, match="the certificate is not trusted: self-signed certificate"):
                await attempt()


async def test_a_certificate_of_another_name_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELF_SIGNED)
    monkeypatch.setenv("SSL_CERT_FILE", str(SELF_SIGNED))
    async with venue("127.0.0.2", tls=context) as port:
        for attempt in (
            lambda: get(f"https://127.0.0.2:{port}/rest"),
            lambda: open_stream(f"wss://127.0.0.2:{port}/stream"),
        ):
            with pytest.raises(ConnectFailedError, match=r"the certificate is not trusted: .*127\.0\.0\.2"):
                await attempt()


@pytest.mark.skipif(not ssl.get_default_verify_paths().openssl_cafile_env, reason="certificates come from elsewhere")
async def test_a_certificate_that_the_system_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELF_SIGNED)
    monkeypatch.setenv("SSL_CERT_FILE", str(SELF_SIGNED))
    async with venue(tls=context) as port:
        await get(f"https://localhost:{port}/rest")
        await open_stream(f"wss://localhost:{port}/stream")


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_tls_through_a_proxy(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate is checked against the venue's name, whoever carries the bytes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(SELF_SIGNED)
    monkeypatch.setenv("SSL_CERT_FILE", str(SELF_SIGNED))
    proxy = HttpProxy() if scheme == "http" else SocksProxy()
    async with venue(tls=context) as port, tcp_server(proxy) as proxy_port:
        address = f"{scheme}://127.0.0.1:{proxy_port}"
        for attempt in (
            lambda: get(f"https://{VENUE_NAME}:{port}/rest", proxy=address),
            lambda: open_stream(f"wss://{VENUE_NAME}:{port}/stream", proxy=address),
        ):
            with pytest.raises(ConnectFailedError, match=f"the certificate is not trusted: .*{VENUE_NAME}"):
                await attempt()
    assert len(proxy.seen) == 2


async def test_tls_to_a_server_without() -> None:
    async with venue() as port:
        for attempt in (
            lambda: get(f"https://127.0.0.1:{port}/rest"),
            lambda: open_stream(f"wss://127.0.0.1:{port}/stream"),
        ):
            with pytest.raises(ConnectFailedError, match="no secure connection"):
                await attempt()


# --- how a stream ends


async def opened(port: int) -> object:
    return await WebSocketOpener(proxy=ProxyChoice("")).open(f"ws://127.0.0.1:{port}/stream")


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 4000])
async def test_a_close_of_theirs_carries_code_and_reason(port: int, code: int) -> None:
    stream = await opened(port)
    await stream.send(f"close {code} too many requests")
    with pytest.raises(BinanceWebsocketClosed, match="too many requests") as caught:
        await stream.recv()
    assert caught.value.code == code
    await stream.close()


async def test_a_tcp_reset(port: int) -> None:
    stream = await opened(port)
    await stream.send("reset")
    with pytest.raises(BinanceWebsocketClosed) as caught:
        await stream.recv()
    assert caught.value.code == 1006
    assert "reset" in caught.value.reason.lower()
    await stream.close()


async def test_a_frame_that_is_too_large(port: int) -> None:
    stream = await opened(port)
    await stream.send(f"big {9 * 2**20}")
    with pytest.raises(BinanceWebsocketClosed, match="frame") as caught:
        await stream.recv()
    assert caught.value.code in {1006, 1009}
    await stream.close()


async def test_frames_before_an_end_are_delivered_first(port: int) -> None:
    stream = await opened(port)
    for number in range(20):
        await stream.send(str(number))
    await stream.send("close 1001 bye")
    await asyncio.sleep(0.1)
    assert [await stream.recv() for _ in range(20)] == [str(number).encode() for number in range(20)]
    with pytest.raises(BinanceWebsocketClosed):
        await stream.recv()
    await stream.close()


HANDSHAKE_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def accept_websocket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    import base64
    import hashlib

    head = await reader.readuntil(b"\r\n\r\n")
    key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
    accept = base64.b64encode(hashlib.sha1(key + HANDSHAKE_KEY).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    await writer.drain()


@pytest.mark.parametrize(
    "frame",
    [b"\x81\x85\x00\x00\x00\x00hello", b"\xf1\x01x", b"\x83\x01x", b"\x80\x01x", b"\x89\x7e\x01\x00", b"\x88\x01x"],
)
async def test_frames_against_the_protocol(frame: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    # A server that neither closes nor answers after our complaint is given up when it owes us a pong.
    monkeypatch.setattr("depthgui.transport.stream._PING_INTERVAL_S", 0.1)
    monkeypatch.setattr("depthgui.transport.stream._PING_TIMEOUT_S", 0.1)

    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept_websocket(reader, writer)
        writer.write(frame)
        await silent(reader, writer)

    async with tcp_server(misbehave) as port:
        stream = await opened(port)
        with pytest.raises(BinanceWebsocketClosed):
            await stream.recv()
        await stream.close()


async def test_closing_takes_no_more_than_a_second_when_nobody_answers() -> None:
    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept_websocket(reader, writer)
        await silent(reader, writer)

    async with tcp_server(ignore) as port:
        stream = await opened(port)
        started_s = time.monotonic()
        await stream.close()
        assert time.monotonic() - started_s < 0.9


async def test_a_socket_that_answers_no_ping_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("depthgui.transport.stream._PING_INTERVAL_S", 0.1)
    monkeypatch.setattr("depthgui.transport.stream._PING_TIMEOUT_S", 0.1)

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept_websocket(reader, writer)
        await silent(reader, writer)

    async with tcp_server(ignore) as port:
        stream = await opened(port)
        with pytest.raises(BinanceWebsocketClosed, match="no answer to our ping") as caught:
            await stream.recv()
        assert caught.value.code == 1011
        await stream.close()


async def test_opening_can_be_called_off() -> None:
    async with tcp_server(silent) as port:
        opening = asyncio.create_task(opened(port))
        await asyncio.sleep(0.05)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
