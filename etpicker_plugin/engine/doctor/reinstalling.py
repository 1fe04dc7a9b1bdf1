"""How another torch gets into the environment of this Python."""

from __future__ import annotations

import sys

from etpicker_plugin.engine.installed import INSTALL, read_note


def by_installb(*, otherwise: str, cuda: str = "") -> str:
    """Return what to do where Scipion made this environment, else what is given.

    ``cuda`` is the CUDA version to ask for where the driver's does not do.
    """
    home = read_note(sys.prefix)
    if not home:
        return otherwise
    if cuda:
        return f"Remove {home} and run 'ETPICKER_CUDA={cuda} {INSTALL}'."
    return f"Remove {home} and run '{INSTALL}': it takes the torch for the driver."
