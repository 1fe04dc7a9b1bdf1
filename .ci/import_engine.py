"""Import every module of the engine; without torch, all that needs none."""

import importlib
import importlib.util
import pkgutil
import sys

from etpicker_plugin import engine


def main() -> None:
    """Say how many were imported, and how many want torch."""
    without = importlib.util.find_spec("torch") is None
    imported, want_torch = 0, 0
    for module in pkgutil.walk_packages(engine.__path__, f"{engine.__name__}."):
        if module.name.endswith("__main__"):
            continue
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            if not without or error.name != "torch":
                raise
            want_torch += 1
        else:
            imported += 1
    sys.stdout.write(f"{imported} modules imported; {want_torch} want torch\n")


if __name__ == "__main__":
    main()
