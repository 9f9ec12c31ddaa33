"""Asks an address whether there is a newer version. Tells; downloads nothing, installs nothing.

Nobody is asked by default: the address is the caller's, and an empty one means "off". The answer is a JSON object,
either ``{"version": "1.2.0", "page": "https://..."}`` or that of a release on a code host, ``{"tag_name": "v1.2.0",
"html_url": "https://..."}``; further keys are ignored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from depthgui.book.errors import TransportError, UsageError
from depthgui.transport.rest import RestClient

_VERSION = re.compile(r"v?(\d{1,6}(?:\.\d{1,6}){0,3})(?:[.-]?(dev|a|alpha|b|beta|rc)\.?(\d{1,6})?)?", re.ASCII)
_STAGES = {"dev": 0, "a": 1, "alpha": 1, "b": 2, "beta": 2, "rc": 3}
_FINAL_STAGE = 4
_MOST_BYTES = 100_000
_OK = 200
_TIMEOUT_S = 10.0


class UpdateAnswerError(TransportError):
    """The address answers, but not with a version; the text is a sentence for a person."""


class _Answer(msgspec.Struct):
    version: str = ""
    page: str = ""
    tag_name: str = ""
    html_url: str = ""


@dataclass(frozen=True, slots=True)
class UpdateCheck:
    """What was found: the running version, the published one, and a page about it ("" if there is none)."""

    current: str
    published: str
    page_url: str

    @property
    def is_newer(self) -> bool:
        """True when the published version is newer than the running one."""
        return version_key(self.published) > version_key(self.current)

    @property
    def sentence(self) -> str:
        """For a person."""
        if self.is_newer:
            return f"Version {self.published} is available; this is {self.current}."
        return f"This is the newest version ({self.current})."


def version_key(text: str) -> tuple[tuple[int, ...], int, int]:
    """A key by which versions sort: 1.2 equals 1.2.0, and 1.2rc1 comes before 1.2.

    Raises ValueError for text that is no version.
    """
    match = _VERSION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no version")
    numbers = [int(part) for part in match[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    stage = _STAGES[match[2]] if match[2] else _FINAL_STAGE
    return tuple(numbers), stage, int(match[3] or 0)


def read_answer(url: str, body: bytes, current: str) -> UpdateCheck:
    """Read what `url` answered. Raises UpdateAnswerError if it holds no version, or a page that is no web page."""
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.MsgspecError as error:
        raise UpdateAnswerError(f"{url} does not tell a version: {error}") from error
    published = (answer.version or answer.tag_name).strip().removeprefix("v")
    page = answer.page or answer.html_url
    try:
        version_key(published)
    except ValueError as error:
        raise UpdateAnswerError(f"{url} does not tell a version: {error}") from error
    # The page is opened by the desktop, which would also start programs.
    if page and not page.startswith("https://"):
        raise UpdateAnswerError(f"{url} names a page that is not on https: {page[:100]}")
    return UpdateCheck(current, published, page)


async def check_for_update(url: str, current: str, client: RestClient) -> UpdateCheck:
    """Ask `url` for the published version and compare it with `current`.

    One request, at most 10 s; run it as a task, so that nothing waits for it. Raises UsageError for an address that
    is none, ConnectFailedError or RequestTimeoutError if it can't be reached, UpdateAnswerError for any other answer.
    """
    if not url.startswith(("https://", "http://")):
        raise UsageError(f"{url!r} is no address; it starts with https://")
    answer = await client.get(url, headers={"Accept": "application/json"}, timeout_s=_TIMEOUT_S)
    if answer.status != _OK:
        raise UpdateAnswerError(f"{url} answered with HTTP {answer.status}")
    if len(answer.body) > _MOST_BYTES:
        raise UpdateAnswerError(f"{url} answered with {len(answer.body)} bytes; a version is shorter")
    return read_answer(url, answer.body, current)
