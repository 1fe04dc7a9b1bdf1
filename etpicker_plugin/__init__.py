"""etpicker: learning particle picker for cryo-electron tomograms, in Scipion."""

import importlib.util
import os
import sys

try:
    import pwem
    import pyworkflow.utils as pwutils
except ModuleNotFoundError as error:
    # The engine also lives in environments without Scipion.
    if error.name not in ("pwem", "pyworkflow"):
        raise
    pwem = None

from etpicker_plugin.constants import ETPICKER_PYTHON, ETPICKER_RELION_HOME

__version__ = "0.1.0"
_logo = "icon.png"

# In a checkout protocols/, templates/ and tests/ stand beside this package; installed,
# they are inside it. Appended, because Scipion takes __path__[0] for the package.
_HERE = os.path.dirname(os.path.abspath(__file__))
_BESIDE = os.path.dirname(_HERE)
_CHECKOUT = not os.path.isdir(os.path.join(_HERE, "protocols"))
if _CHECKOUT and _BESIDE not in __path__:
    __path__.append(_BESIDE)


if pwem is not None:

    class Plugin(pwem.Plugin):
        """What Scipion asks of a plugin: variables, environment, templates."""

        _url = "https://github.com/scipion-em"
        _supportedVersions = (__version__,)

        @classmethod
        def _defineVariables(cls):
            cls._defineVar(
                ETPICKER_PYTHON,
                sys.executable,
                description="Python that runs the engine; one with etpicker_plugin "
                "and torch installed. Scipion's own unless another CUDA build is "
                "wanted.",
            )

            cls._defineVar(
                ETPICKER_RELION_HOME,
                "",
                description="Folder of a RELION 3.1 or later, with bin/relion_refine. "
                "Without it, that of Scipion's RELION plugin, or the one on the PATH.",
            )

        @classmethod
        def getRelionHome(cls):
            """Return our variable's folder, else the RELION plugin's, else nothing."""
            own = cls.getVar(ETPICKER_RELION_HOME)
            if own or importlib.util.find_spec("relion") is None:
                return own
            from relion import Plugin as RelionPlugin

            home = RelionPlugin.getHome()
            return home if os.path.isdir(home) else ""

        @classmethod
        def getPython(cls):
            """Return the Python that runs the engine."""
            return cls.getVar(ETPICKER_PYTHON) or sys.executable

        @classmethod
        def getEnviron(cls):
            """Return the environment of the engine's jobs.

            A foreign Python must not see this environment's packages; this one must
            see the checkout, which Scipion may have found by its working directory.
            """
            environ = pwutils.Environ(os.environ)
            if cls.getPython() != sys.executable:
                environ.pop("PYTHONPATH", None)
            if cls.getRelionHome():
                environ.set(ETPICKER_RELION_HOME, cls.getRelionHome())
            if _CHECKOUT:
                environ.set("PYTHONPATH", _BESIDE, position=pwutils.Environ.BEGIN)
            return environ

        @classmethod
        def defineBinaries(cls, env):
            """Install nothing: the engine comes with the package."""

        def getPluginTemplateDir(self):
            """Return the folder of the workflow templates."""
            return os.path.join(_BESIDE if _CHECKOUT else _HERE, "templates")
