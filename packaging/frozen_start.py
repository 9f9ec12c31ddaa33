"""Where the frozen program begins: the same entry point as the installed commands."""

import sys

from depthgui.__main__ import main

sys.exit(main())
