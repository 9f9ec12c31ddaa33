"""The guards themselves: each fails the test that it should fail, and leaves the others alone."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

CASES = {
    "test_outside_address": (
        """
        import socket
        def test_it():
            try:
                socket.create_connection(("192.0.2.1", 443))
            except OSError:
                pass
        """,
        "*tried to connect to the outside: ('192.0.2.1', 443)*",
    ),
    "test_outside_name": (
        """
        import asyncio
        async def test_it():
            try:
                await asyncio.open_connection("example.com", 443)
            except OSError:
                pass
        """,
        "*tried to connect to the outside: ('example.com', 443)*",
    ),
    "test_unexpected_log": (
        """
        import logging
        def test_it():
            logging.getLogger("depthgui.feed").warning("gap of %d", 3)
        """,
        "*unexpected log record: WARNING depthgui.feed: gap of 3*test_unexpected_log.py:3*",
    ),
    "test_expected_log_that_does_not_come": (
        """
        import pytest
        @pytest.mark.expected_logs("gap of")
        def test_it():
            pass
        """,
        "*expected a log record that matches 'gap of', none came*",
    ),
    "test_leaked_task": (
        """
        import asyncio
        async def test_it():
            task = asyncio.get_running_loop().create_task(asyncio.Event().wait(), name="watchdog")
        """,
        "*watchdog*started at *test_leaked_task.py:3, waits at *",
    ),
}

QUIET = {
    "test_loopback": """
        import socket
        def test_it():
            with socket.create_server(("127.0.0.1", 0)) as server:
                socket.create_connection(server.getsockname()).close()
                socket.create_connection(("localhost", server.getsockname()[1])).close()
        """,
    "test_invalid_name": """
        import socket, pytest
        def test_it():
            with pytest.raises(socket.gaierror):
                socket.create_connection(("nowhere.invalid", 443))
        """,
    "test_expected_logs": """
        import logging, pytest
        @pytest.mark.expected_logs("gap of")
        def test_it(expected_logs):
            logging.warning("gap of 3")
            expected_logs.allow("lost")
            logging.error("lost 1")
        """,
    "test_cancelled_task_and_one_owned_by_a_fixture": """
        import asyncio, pytest
        @pytest.fixture
        async def feed():
            task = asyncio.create_task(asyncio.Event().wait())
            yield task
            task.cancel()
        async def test_it(feed):
            asyncio.create_task(asyncio.Event().wait()).cancel()
        """,
}


@pytest.fixture
def run_cases(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch):
    """Run test files, source by name, in a pytest of their own with the guards loaded."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    pytester.makeini(
        """
        [pytest]
        asyncio_mode = auto
        asyncio_default_fixture_loop_scope = function
        markers =
            allow_network: x
            expected_logs(pattern): x
        """
    )
    pytester.makeconftest(
        """
        import inspect
        def pytest_collection_modifyitems(items):
            for item in items:
                if inspect.iscoroutinefunction(item.obj):
                    item.fixturenames.insert(0, "no_leaked_tasks")
        """
    )

    def run(sources: dict[str, str]) -> pytest.RunResult:
        pytester.makepyfile(**sources)
        return pytester.runpytest_subprocess(
            "-p", "guards.network", "-p", "guards.logs", "-p", "guards.tasks", "-p", "no:cacheprovider"
        )

    return run


def test_guards_fail_each_test_and_say_why(run_cases) -> None:
    result = run_cases({name: source for name, (source, _) in CASES.items()})
    result.assert_outcomes(passed=len(CASES), errors=len(CASES))
    for _, message in CASES.values():
        result.stdout.fnmatch_lines([message])


def test_guards_leave_clean_tests_alone(run_cases) -> None:
    run_cases(QUIET).assert_outcomes(passed=len(QUIET))
