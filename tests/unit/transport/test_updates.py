"""Asking for a newer version: which versions are newer, what answers are read, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from depthgui.book.errors import ConnectFailedError, UsageError
from depthgui.transport.proxy import ProxyChoice
from depthgui.transport.rest import RestClient
from depthgui.transport.updates import UpdateAnswerError, check_for_update, read_answer, version_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

URL = "https://releases.invalid/latest"


def test_versions_sort_as_released() -> None:
    released = ["0.9", "0.10.0.dev1", "0.10a1", "0.10.0b2", "0.10rc1", "0.10rc2", "0.10", "0.10.1", "1.0", "10.0"]
    assert sorted(set(released), key=version_key) == released
    assert version_key("v1.2") == version_key("1.2.0")


@pytest.mark.parametrize("text", ["", "latest", "1.2.3.4.5", "1.2 final", "1,2", "١.٢", "9" * 400])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no version"):
        version_key(text)


@pytest.mark.parametrize(
    "body",
    [
        b'{"version": "1.3.0", "page": "https://depthgui.invalid/1.3", "size": 3}',
        b'{"tag_name": "v1.3.0", "html_url": "https://depthgui.invalid/1.3", "assets": []}',
    ],
)
def test_both_shapes_of_an_answer_are_read(body: bytes) -> None:
    found = read_answer(URL, body, "1.2.9")
    assert (found.published, found.page_url) == ("1.3.0", "https://depthgui.invalid/1.3")
    assert found.is_newer
    assert found.sentence == "Version 1.3.0 is available; this is 1.2.9."


@pytest.mark.parametrize("current", ["1.3.0", "1.4.0", "1.3.1rc1"])
def test_the_same_or_an_older_one_is_no_news(current: str) -> None:
    found = read_answer(URL, b'{"version": "1.3"}', current)
    assert not found.is_newer
    assert found.sentence == f"This is the newest version ({current})."


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>", "does not tell a version"),
        (b'{"version": 3}', "does not tell a version"),
        (b"{}", "does not tell a version"),
        (b'{"version": "newest"}', "'newest' is no version"),
        (b'{"version": "2.0", "page": "file:///bin/sh"}', "not on https: file:///bin/sh"),
        (b'{"version": "2.0", "page": "http://depthgui.invalid"}', "not on https"),
    ],
)
def test_other_answers_are_said_in_words(body: bytes, said: str) -> None:
    with pytest.raises(UpdateAnswerError, match=said):
        read_answer(URL, body, "1.0")


@pytest.fixture
async def client() -> AsyncIterator[RestClient]:
    async with RestClient(proxy=ProxyChoice("")) as made:
        yield made


@pytest.fixture
async def server() -> AsyncIterator[dict[str, Any]]:
    """A server on loopback; what it answers is the test's to set, what it was asked is kept."""
    state: dict[str, Any] = {"status": 200, "body": b'{"version": "2.0"}', "asked": []}

    async def answer(request: web.Request) -> web.Response:
        state["asked"].append((request.method, request.headers["Accept"]))
        return web.Response(status=state["status"], body=state["body"])

    app = web.Application()
    app.router.add_get("/latest", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    state["url"] = f"http://127.0.0.1:{runner.addresses[0][1]}/latest"
    yield state
    await runner.cleanup()


async def test_one_request_is_made(server: dict[str, Any], client: RestClient) -> None:
    found = await check_for_update(server["url"], "1.0", client)
    assert found.is_newer
    assert server["asked"] == [("GET", "application/json")]


@pytest.mark.parametrize(
    ("status", "body", "said"), [(404, b"{}", "HTTP 404"), (200, b'{"version": "2.0"}' + b" " * 200_000, "bytes")]
)
async def test_a_bad_answer(server: dict[str, Any], client: RestClient, status: int, body: bytes, said: str) -> None:
    server.update(status=status, body=body)
    with pytest.raises(UpdateAnswerError, match=said):
        await check_for_update(server["url"], "1.0", client)


async def test_no_server_and_no_address(client: RestClient) -> None:
    with pytest.raises(ConnectFailedError):
        await check_for_update("http://127.0.0.1:9/latest", "1.0", client)
    for url in ("", "file:///etc/passwd"):
        with pytest.raises(UsageError):
            await check_for_update(url, "1.0", client)
