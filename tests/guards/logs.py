"""Fails a test that logs a warning or an error nobody expected, and one that doesn't log what it said it would.

A test that provokes a record says so, by marker or, where the text is only known later, by fixture::

    @pytest.mark.expected_logs("malformed frame", r"attempt \\d of 5")
    async def test_...

    def test_...(expected_logs):
        expected_logs.allow(f"no such file: {path}")
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


class RecordKeeper(logging.Handler):
    """Keeps what is logged at WARNING or above, and the patterns that are expected."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []
        self.required: list[str] = []
        self.allowed: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def allow(self, *patterns: str) -> None:
        """Accept records whose text matches one of `patterns` (regular expressions, searched); none has to come."""
        self.allowed.extend(patterns)

    def require(self, *patterns: str) -> None:
        """Accept such records, and fail the test unless each pattern was met at least once."""
        self.required.extend(patterns)

    def complaints(self) -> list[str]:
        """One line for each record that was not expected, and for each expected one that didn't come."""
        texts = [(record, record.getMessage()) for record in self.records]
        found = []
        for record, text in texts:
            if not any(re.search(pattern, text) for pattern in [*self.required, *self.allowed]):
                error = f" ({record.exc_info[1]!r})" if record.exc_info and record.exc_info[1] else ""
                where = f"{record.pathname}:{record.lineno}"
                found.append(f"unexpected log record: {record.levelname} {record.name}: {text}{error} [{where}]")
        for pattern in self.required:
            if not any(re.search(pattern, text) for _, text in texts):
                found.append(f"expected a log record that matches {pattern!r}, none came")
        return found


@pytest.fixture(autouse=True)
def expected_logs(request: pytest.FixtureRequest) -> Iterator[RecordKeeper]:
    """The test's record keeper; asked for by name only to `allow` or `require` more."""
    keeper = RecordKeeper()
    for marker in request.node.iter_markers("expected_logs"):
        keeper.require(*marker.args)
    root = logging.getLogger()
    root.addHandler(keeper)
    try:
        yield keeper
    finally:
        root.removeHandler(keeper)
    if complaints := keeper.complaints():
        pytest.fail("\n".join(complaints), pytrace=False)
