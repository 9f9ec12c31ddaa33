"""What a start imports before the first window is there, and the embedded exchange that boots beside it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from ui.shell.fakes import ShellFeed

from depthgui.app.early_feeds import EarlyFeeds
from depthgui.app.exchange_messages import Orders, orders_of
from depthgui.app.exchange_process import ExchangeProcess
from depthgui.app.exchange_start import early_child, end_child, start_child
from depthgui.binance.endpoints import parse_symbol_ref
from depthgui.cli import Arguments, parse
from depthgui.settings import TabState
from depthgui.settings.state import VenueTabs
from depthgui.ui.pages import running_refs

ROOT = Path(__file__).parents[3]
# Each takes from a tenth to a quarter of the time in which the window should be there.
HEAVY = ("aiohttp", "depthgui.exchange", "depthgui.ui.panels", "numpy", "pyqtgraph", "websockets")
# What a start needs only if it is asked for.
RARE = (
    "depthgui.app.self_test",
    "depthgui.depthcache.managers",
    "depthgui.depthcache.threaded",
    "depthgui.ui.dialogs.add_symbol",
    "depthgui.ui.dialogs.settings_dialog",
    "depthgui.ui.help_windows",
)


def loaded_by(statement: str) -> set[str]:
    """The modules that are there after a statement, in a process of its own."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


def test_the_window_comes_before_what_is_slow_to_import() -> None:
    modules = loaded_by("import depthgui.app.process")
    assert "depthgui.ui.main_window" in modules
    assert modules.isdisjoint((*HEAVY, *RARE))


def test_pages_bring_what_they_are_painted_with() -> None:
    modules = loaded_by("import depthgui.ui.panels")
    assert {"numpy", "pyqtgraph", "depthgui.ui.widgets.ladder"} <= modules


def test_the_event_loop_has_its_turns_while_pages_are_loaded() -> None:
    modules = loaded_by(
        "import asyncio, threading\n"
        "from depthgui.ui.loading import load_panels\n"
        "importers, turns = {}, 0\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        importers[name] = threading.current_thread()\n"
        "sys.meta_path.insert(0, Finder())\n"
        "async def count():\n"
        "    global turns\n"
        "    while True: turns += 1; await asyncio.sleep(0)\n"
        "async def main():\n"
        "    counting = asyncio.create_task(count())\n"
        "    await load_panels()\n"
        "    had = turns\n"
        "    await load_panels()\n"
        "    assert turns == had > 5, (turns, had)\n"
        "    counting.cancel()\n"
        "asyncio.run(main())\n"
        "beside = {name for name, thread in importers.items() if thread is not threading.main_thread()}\n"
        "assert 'numpy' in beside, 'it takes a quarter of the time'\n"
        "assert not [name for name in beside if 'Qt' in name or 'depthgui' in name], 'Qt is for the main thread'\n"
    )
    assert "depthgui.ui.panels" in modules


def test_pyqtgraph_makes_no_classes_that_nobody_uses() -> None:
    printed = loaded_by(
        "from PySide6 import QtWidgets; before = len(vars(QtWidgets))\n"
        "import depthgui.ui.panels, pyqtgraph\n"
        "assert len(vars(QtWidgets)) < before + 150, 'pyqtgraph has copied them all'\n"
        "assert 'QMdiArea' not in vars(QtWidgets), 'nothing here has one'\n"
        "assert pyqtgraph.QtWidgets.QMdiArea is QtWidgets.QMdiArea\n"
        "assert 'QMdiArea' in dir(QtWidgets) and not hasattr(pyqtgraph.QtWidgets, 'QNothing')\n"
    )
    assert "depthgui.ui.widgets.depth_chart" in printed


def test_aiohttp_is_imported_beside_the_event_loop() -> None:
    printed = loaded_by(
        "import asyncio, threading\n"
        "from depthgui.book.errors import ConnectFailedError\n"
        "from depthgui.transport.rest import RestClient\n"
        "class Finder:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'aiohttp' and threading.current_thread() is threading.main_thread():\n"
        "            sys.exit('imported in the main thread')\n"
        "sys.meta_path.insert(0, Finder())\n"
        "async def ask(client):\n"
        "    try: await client.get('http://127.0.0.1:9/')\n"
        "    except ConnectFailedError: print('tried')\n"
        "async def main():\n"
        "    async with RestClient() as client: await asyncio.gather(ask(client), ask(client))\n"
        "asyncio.run(main())\n"
    )
    assert {"tried", "aiohttp"} <= printed


def test_early_feeds_are_handed_out_once() -> None:
    made: list[ShellFeed] = []

    def make(ref: object) -> ShellFeed:
        made.append(ShellFeed(ref))  # type: ignore[arg-type]
        return made[-1]

    feeds = EarlyFeeds(make)  # type: ignore[arg-type]
    front, behind = parse_symbol_ref("BTCUSDT"), parse_symbol_ref("usdm:ETHUSDT")
    feeds.begin([front, behind, front])
    assert [(feed.ref, feed.urgency, feed.calls) for feed in made] == [(front, 0, ["start"]), (behind, 1, ["start"])]
    assert feeds.take(behind) is made[1]
    assert feeds.take(behind) is made[2], "the tab was closed and opened again"
    assert made[2].calls == [], "who asked for it starts it"


def test_which_books_begin_before_their_tabs() -> None:
    tabs = [
        TabState(symbol="ETHUSDT"),
        TabState(symbol="nonsense:"),
        TabState(symbol="coinm:BTCUSD_PERP", is_stopped=True),
        TabState(symbol="usdm:BTCUSDT"),
        TabState(symbol="ETHUSDT"),
    ]
    front_first = [str(ref) for ref in running_refs(VenueTabs(tabs=tabs, current=3))]
    assert front_first == ["usdm:BTCUSDT", "ETHUSDT"]
    assert [str(ref) for ref in running_refs(VenueTabs(tabs=tabs, current=99))] == ["ETHUSDT", "usdm:BTCUSDT"]
    assert running_refs(VenueTabs()) == []


def test_the_exchange_is_started_before_qt_is_imported() -> None:
    modules = loaded_by("import depthgui.app.exchange_start, depthgui.app.screen")
    assert modules.isdisjoint({*HEAVY, "PySide6", "asyncio"})


def test_the_exchange_imports_no_qt() -> None:
    modules = loaded_by("import depthgui.app.exchange_child")
    assert "depthgui.exchange" in modules
    assert modules.isdisjoint({"PySide6", "pyqtgraph"})


def test_what_the_command_line_wants_of_the_exchange(tmp_path: Path) -> None:
    assert orders_of(parse(["--demo"])) == Orders()
    recording = tmp_path / "a.ndjson"
    recording.touch()
    orders = orders_of(parse(["--replay", str(recording), "--speed", "4", "--seed", "0", "--fault", "gap"]))
    assert orders == Orders(seed=0, replays=[str(recording)], speed=4.0, faults=["gap"])


async def test_a_child_that_boots_already_is_taken_over() -> None:
    with early_child(Arguments(demo=True)) as child:
        assert child is not None
        async with ExchangeProcess(Orders(), print, child) as exchange:
            assert exchange.base_url.startswith("http://127.0.0.1:")
            assert child.poll() is None
        assert child.returncode == 0


def test_a_child_that_nobody_takes_is_ended() -> None:
    with early_child(Arguments(demo=True)) as child:
        assert child is not None
    assert child.returncode is not None
    assert child.stderr is not None
    assert child.stderr.closed


@pytest.mark.parametrize("arguments", [Arguments(), Arguments(demo=True, self_test=True)])
def test_no_child_where_none_is_needed_at_once(arguments: Arguments) -> None:
    with early_child(arguments) as child:
        assert child is None


def test_ending_a_child_twice_does_no_harm() -> None:
    child = start_child(Orders())
    end_child(child)
    end_child(child)
    assert child.stderr is not None
    child.stderr.close()
