"""`packaging/dev.py bench`: the environment of the benchmarks, with the peers that depthgui is measured against."""

from __future__ import annotations

import os
import subprocess
from functools import partial

import dev_qt
from dev_environment import FULL, ROOT, Environment, SetUpError, clean_variables, ensure, say

BENCH_REQUIREMENTS = ROOT / "packaging" / "bench.lock"
# For Python 3.11 cryptofeed comes as source only, and its set-up imports Cython.
BENCH = Environment(".venv-bench", requirements=BENCH_REQUIREMENTS, build_tools=frozenset({"cython"}))
WITHOUT_PEERS = ("--quick", "--no-peers")


def bench(arguments: list[str]) -> int:
    """Measure, print the table and write the report; see `dev.py bench --help` for the arguments.

    The short form, and a machine on which a peer can't be installed, do with the normal environment: the report then
    says which peers are missing.
    """
    ensure(FULL)
    environment = FULL
    if not any(argument in WITHOUT_PEERS for argument in arguments):
        try:
            ensure(BENCH)
            environment = BENCH
        except SetUpError as error:
            say(f"going on without the peers: {error}")
            arguments = [*arguments, "--no-peers"]
    dev_qt.ensure("offscreen", partial(dev_qt.probe, FULL.python))
    # No window on anybody's screen, and the same raster engine everywhere.
    variables = clean_variables(
        {
            "QT_QPA_PLATFORM": "offscreen",
            "QT_API": "pyside6",
            "PYQTGRAPH_QT_LIB": "PySide6",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), str(ROOT)]),
            "PYTHONHASHSEED": "0",
            # What the peers bring along (a resolver, an event loop) would change how the application runs.
            "DEPTHGUI_BENCH_PYTHON": str(FULL.python),
        }
    )
    command = [str(environment.python), "-m", "bench", *arguments]
    try:
        return subprocess.run(command, env=variables, cwd=ROOT, check=False).returncode
    except KeyboardInterrupt:
        return 130
