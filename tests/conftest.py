"""What all tests share: the platform they run on, the guards that watch them, and where recorded data is found.

Environment variables: ``DEPTHGUI_TEST_PLATFORM`` names another Qt platform than "offscreen"; ``DEPTHGUI_DATA`` the
folder of recordings; ``HYPOTHESIS_PROFILE`` "ci" (the default: the same examples each time) or "thorough".
"""

from __future__ import annotations

import inspect
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Before anything imports Qt: the binding for qasync and pyqtgraph, and a platform that needs no screen. A desktop's
# own QT_* settings are left out, so that pictures and sizes are the same everywhere.
for name in [name for name in os.environ if name.startswith("QT_")]:
    del os.environ[name]
os.environ["QT_QPA_PLATFORM"] = os.environ.get("DEPTHGUI_TEST_PLATFORM") or "offscreen"
os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HERE = Path(__file__).parent
HAS_QT = find_spec("PySide6") is not None and find_spec("pytestqt") is not None

# What can't even be imported without Qt.
NEEDS_QT = ("ui", "e2e", "packaging/test_qt_binding.py")
collect_ignore = [] if HAS_QT else list(NEEDS_QT)

pytest_plugins = ["pytester", "guards.network", "guards.logs", "guards.tasks"]
if HAS_QT:
    pytest_plugins.append("guards.widgets")

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2_000, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know pytest-qt's settings in pyproject.toml where the plug-in itself is not installed."""
    if not HAS_QT:
        parser.addini("qt_api", "unused without Qt")
        parser.addini("qt_log_level_fail", "unused without Qt")
        parser.addini("qt_log_ignore", "unused without Qt", type="linelist")


def pytest_report_header() -> str:
    """Say what is left out, and on what platform the rest runs."""
    if HAS_QT:
        return f"Qt platform: {os.environ['QT_QPA_PLATFORM']}"
    return f"no Qt here (PySide6 and pytest-qt): not collecting {', '.join('tests/' + path for path in NEEDS_QT)}"


def needs_qt(item: pytest.Item) -> bool:
    """Tell whether `item` is one of the tests of the window, which run on Qt's event loop."""
    return any((HERE / path) in (item.path, *item.path.parents) for path in NEEDS_QT)


def qt_loop() -> Any:
    """A new asyncio loop on the application's Qt loop, as in depthgui itself."""
    from PySide6.QtWidgets import QApplication

    from depthgui.app.event_loop import EventLoop

    return EventLoop(QApplication.instance() or QApplication(["depthgui-tests"]))


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Callable[[], Any]]:
    """Asynchronous tests in tests/ui and tests/e2e run on the application's loop, all others on asyncio's own loop."""
    from asyncio import new_event_loop

    return {"qt": qt_loop} if needs_qt(item) else {"asyncio": new_event_loop}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Watch every asynchronous test for tasks left behind, from before its other fixtures until after them."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.fixturenames.insert(0, "no_leaked_tasks")


@pytest.fixture(autouse=True, scope="session")
def own_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's settings, logs and proxies out of the tests, and the tests out of them."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for variable in (
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
            "XDG_CACHE_HOME",
            "LOCALAPPDATA",
            "APPDATA",
        ):
            patch.setenv(variable, str(home / variable.lower()))
        for variable in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "wss_proxy", "no_proxy"):
            patch.delenv(variable, raising=False)
            patch.delenv(variable.upper(), raising=False)
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of recorded market data: $DEPTHGUI_DATA, else ``../shared/data`` beside the repository."""
    folder = Path(os.environ.get("DEPTHGUI_DATA") or HERE.parent.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no recorded market data at {folder} (set DEPTHGUI_DATA)")
    return folder
