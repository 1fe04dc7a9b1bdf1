"""What Scipion sees of the plugin; ``etpicker doctor`` runs it in a process."""

from __future__ import annotations

import os
from importlib import metadata

GROUP = "pyworkflow.plugin"


def look():
    """Yield Scipion's version, then the plugin's and its protocols."""
    # Scipion's launcher sets it, before pyworkflow is imported.
    os.environ.setdefault("SCIPION_DOMAIN", "pwem")
    import pyworkflow

    yield {"pyworkflow": pyworkflow.__version__}
    from etpicker_plugin import Plugin, __version__, protocols

    Plugin()
    classes = [getattr(protocols, name) for name in protocols.__all__]
    yield {
        "plugin": __version__,
        "protocols": [protocol._label for protocol in classes],
        "registered": is_registered(),
    }


def is_registered():
    """Tell whether the plugin's entry point, by which Scipion finds it, is there."""
    found = metadata.entry_points()
    # Until Python 3.9 a dictionary.
    group = (
        found.select(group=GROUP) if hasattr(found, "select") else found.get(GROUP, ())
    )
    return "etpicker_plugin" in {entry.name for entry in group}
