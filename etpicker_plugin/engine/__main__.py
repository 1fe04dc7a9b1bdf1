"""``python -m etpicker_plugin.engine`` is ``etpicker``."""

import sys

from etpicker_plugin.command import main

if __name__ == "__main__":
    sys.exit(main())
