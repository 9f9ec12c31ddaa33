"""`python -m depthgui`, and the entry point of the installed commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from depthgui.cli import EXCHANGE_FLAG


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program with `argv` (without the program's name; by default the process's own); returns the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == [EXCHANGE_FLAG]:
        from depthgui.app.exchange_child import main as run_exchange

        return run_exchange()
    from depthgui.app import main as run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
