"""etpicker: learning particle picker for cryo-electron tomograms, in Scipion.

Scipion finds ``Plugin`` here (see ``plugin``). It is imported when it is asked for: the
engine is below this package too, and would wait for Scipion at every short command.
"""

import os

__version__ = "0.1.0"
_logo = "icon.png"

# In a checkout protocols/, templates/ and tests/ stand beside this package; installed,
# they are inside it. Appended, because Scipion takes __path__[0] for the package.
HERE = os.path.dirname(os.path.abspath(__file__))
BESIDE = os.path.dirname(HERE)
IN_CHECKOUT = not os.path.isdir(os.path.join(HERE, "protocols"))
if IN_CHECKOUT and BESIDE not in __path__:
    __path__.append(BESIDE)


def __getattr__(name):
    """Return ``Plugin``, which there is only beside Scipion.

    Raises
    ------
    AttributeError
        If there is no such name, or no Scipion.
    ImportError
        If Scipion is there and cannot be imported.
    """
    if name != "Plugin":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from etpicker_plugin.plugin import Plugin
    except ModuleNotFoundError as error:
        # The engine also lives in environments without Scipion.
        if error.name not in ("pwem", "pyworkflow"):
            raise
        raise AttributeError(
            f"module {__name__!r} has no attribute 'Plugin' without Scipion: {error}"
        ) from error
    return Plugin
