"""What Scipion asks of a plugin; it finds the class as ``etpicker_plugin.Plugin``."""

import importlib.util
import os
import sys

import pwem
import pyworkflow.utils as pwutils

from etpicker_plugin import BESIDE, HERE, IN_CHECKOUT, __version__
from etpicker_plugin.constants import ETPICKER_PYTHON, ETPICKER_RELION_HOME


class Plugin(pwem.Plugin):
    """What Scipion asks of a plugin: variables, environment, templates."""

    # pyworkflow takes the class's module for the plugin: its name, and its folder.
    __module__ = "etpicker_plugin"

    _url = "https://github.com/scipion-em"
    _supportedVersions = (__version__,)

    @classmethod
    def _defineVariables(cls):
        cls._defineVar(
            ETPICKER_PYTHON,
            sys.executable,
            description="Python that runs the engine; one with etpicker_plugin and "
            "torch installed. Scipion's own unless another CUDA build is wanted.",
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
        if IN_CHECKOUT:
            environ.set("PYTHONPATH", BESIDE, position=pwutils.Environ.BEGIN)
        return environ

    @classmethod
    def defineBinaries(cls, env):
        """Install nothing: the engine comes with the package."""

    def getPluginTemplateDir(self):
        """Return the folder of the workflow templates."""
        return os.path.join(BESIDE if IN_CHECKOUT else HERE, "templates")
