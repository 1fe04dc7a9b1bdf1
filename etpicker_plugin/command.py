"""``etpicker``: here if this Python has the engine, else in the one that has it.

So the command is the same in Scipion's environment, where ``scipion3 run etpicker ...``
or ``scipion3 python -m etpicker_plugin.engine ...`` starts the engine's Python.
"""

from __future__ import annotations

import os
import sys

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine_environment import is_engine_here


def main() -> int:
    """Run the command line; return the process's exit code."""
    if not is_engine_here() and is_in_scipion():
        return run_elsewhere(sys.argv[1:])
    from etpicker_plugin.engine.cli import main as run

    return run()


def is_in_scipion() -> bool:
    """Return whether this is Scipion's Python, which knows where the engine is."""
    try:
        from etpicker_plugin import Plugin  # noqa: F401
    except ImportError:
        return False
    return True


def run_elsewhere(arguments: list[str]) -> int:
    """Become the engine's Python; return an exit code only where there is none."""
    from etpicker_plugin import Plugin

    try:
        Plugin._defineVariables()
        engine = Plugin.getEngine()
    except EtPickerError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    words = engine.words("-m", "etpicker_plugin.engine", *arguments)
    os.execvpe(words[0], words, dict(Plugin.getEnviron()))


if __name__ == "__main__":
    sys.exit(main())
