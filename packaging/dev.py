#!/usr/bin/env python3
"""Sets up, runs and tests depthgui: ``python3 packaging/dev.py demo``. Needs Python 3.11 and nothing else.

This file only finds a Python that is new enough, so it must stay readable for old ones; the tasks are in
``dev_tasks.py``, the environment in ``dev_environment.py``, Qt's system libraries in ``dev_qt.py``.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)
# The tested ones first, newest first.
NAMES = ["python3.13", "python3.12", "python3.11", "python3.14", "python3", "python"]
GUARD = "DEPTHGUI_DEV_RESTARTED"
PROBE = "import sys; sys.exit(not sys.version_info >= (%d, %d))" % OLDEST  # noqa: UP031


def newer_python():  # type: () -> str | None
    """Return the path of a Python on the PATH that is new enough and really starts, or None."""
    ending = ".exe" if os.name == "nt" else ""
    for name in NAMES:
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            path = os.path.join(folder or os.curdir, name + ending)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                with open(os.devnull, "r+b") as nowhere:
                    if subprocess.call([path, "-c", PROBE], stdin=nowhere, stdout=nowhere, stderr=nowhere) == 0:
                        return path
    return None


def restart_with_newer_python():  # type: () -> int
    """Run this script again under a newer Python; return its exit code, or 2 where there is none."""
    version = "%d.%d" % sys.version_info[:2]  # noqa: UP031
    path = None if os.environ.get(GUARD) else newer_python()
    if path is None:
        sys.stderr.write(
            "depthgui needs Python 3.11 or newer; this is Python " + version + " (" + sys.executable + ")\n"
        )
        sys.stderr.write("and no newer one is on the PATH. Install one, or start this script with it.\n")
        return 2
    sys.stderr.write("This is Python " + version + "; going on with " + path + "\n")
    os.environ[GUARD] = "1"
    try:
        return subprocess.call([path, os.path.abspath(__file__)] + sys.argv[1:])  # noqa: RUF005
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        sys.exit(restart_with_newer_python())
    from dev_tasks import main

    sys.exit(main(sys.argv[1:]))
