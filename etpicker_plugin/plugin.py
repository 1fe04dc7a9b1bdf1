"""What Scipion asks of a plugin; it finds the class as ``etpicker_plugin.Plugin``."""

import importlib.util
import os
import shutil
import sys

import pwem
import pyworkflow as pw
import pyworkflow.utils as pwutils

from etpicker_plugin import BESIDE, HERE, IN_CHECKOUT, __version__
from etpicker_plugin import engine_installation as installation
from etpicker_plugin.constants import (
    ETPICKER_CUDA,
    ETPICKER_ENV_ACTIVATION,
    ETPICKER_HOME,
    ETPICKER_PYTHON,
    ETPICKER_RELION_HOME,
)
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine_environment import find_engine

PACKAGE = "etpicker"


class Plugin(pwem.Plugin):
    """What Scipion asks of a plugin: variables, environment, templates."""

    # pyworkflow takes the class's module for the plugin: its name, and its folder.
    __module__ = "etpicker_plugin"

    _url = "https://github.com/scipion-em"
    _homeVar = ETPICKER_HOME
    _supportedVersions = (__version__,)

    @classmethod
    def _defineVariables(cls):
        cls._defineEmVar(
            ETPICKER_HOME,
            installation.ENVIRONMENT,
            description="Folder in which 'installb' installs etpicker's engine.",
        )
        cls._defineVar(
            ETPICKER_ENV_ACTIVATION,
            cls._defaultActivation(),
            description="Command that enters the environment of etpicker's engine; "
            "the default is the one that 'installb' makes.",
        )
        cls._defineVar(
            ETPICKER_PYTHON,
            "",
            description="Python that runs the engine instead: one with "
            "etpicker_plugin and torch.",
        )
        cls._defineVar(
            ETPICKER_CUDA,
            "",
            description="CUDA version of the torch that 'installb' installs, such as "
            "12.6; 'cpu' for none, 'pip' for that of pip's own index. Empty: what the "
            "driver runs.",
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

    # --------------------------- the engine's environment ---------------------
    @classmethod
    def hasConda(cls):
        """Return whether Scipion makes environments with conda."""
        return bool(pw.Config.CONDA_ACTIVATION_CMD or shutil.which("conda"))

    @classmethod
    def _defaultActivation(cls):
        if cls.hasConda():
            return f"conda activate {installation.ENVIRONMENT}"
        return f". {cls.getVar(ETPICKER_HOME)}/env/bin/activate"

    @classmethod
    def getEngine(cls):
        """Return how the engine's Python starts.

        Raises
        ------
        ConfigError
            If no engine is installed.
        """
        activation = cls.getVar(ETPICKER_ENV_ACTIVATION)
        default = cls._defaultActivation()
        if activation != default and activation.startswith("conda "):
            activation = f"{cls.getCondaActivationCmd()} {activation}".strip()
        return find_engine(
            python=cls.getVar(ETPICKER_PYTHON),
            activation=activation,
            default_activation=default,
            home=cls.getHome(),
            package="" if IN_CHECKOUT else HERE,
        )

    @classmethod
    def getEnviron(cls):
        """Return the environment of the engine's jobs.

        A foreign Python must not see this environment's packages; this one must
        see the checkout, which Scipion may have found by its working directory.
        """
        environ = pwutils.Environ(os.environ)
        try:
            is_own = cls.getEngine().python == sys.executable
        except ConfigError:  # No job runs; RELION may still be looked for.
            is_own = True
        if not is_own:
            environ.pop("PYTHONPATH", None)
            environ.pop("PYTHONHOME", None)
            environ.set("PYTHONNOUSERSITE", "1")
        if cls.getRelionHome():
            environ.set(ETPICKER_RELION_HOME, cls.getRelionHome())
        if IN_CHECKOUT:
            environ.set("PYTHONPATH", BESIDE, position=pwutils.Environ.BEGIN)
        return environ

    @classmethod
    def defineBinaries(cls, env):
        """Install the engine into an environment of its own."""
        env.addPackage(
            PACKAGE,
            version=__version__,
            tar="void.tgz",
            commands=cls.getInstallCommands(),
            default=True,
        )

    @classmethod
    def getInstallCommands(cls):
        """Return the commands that install the engine, and what each leaves."""
        try:
            if cls.hasConda():
                start = installation.conda_start(cls.getCondaActivationCmd())
            else:
                start = installation.venv_start(installation.find_python())
            place = installation.place_package(HERE)
            if IN_CHECKOUT:
                place = installation.place_checkout(BESIDE)
            return installation.install_commands(
                start,
                torch=installation.torch_words(
                    cls.getVar(ETPICKER_CUDA), installation.driver_cuda()
                ),
                needs=installation.engine_needs(),
                place=place,
            )
        except ConfigError as error:
            return installation.refuse_command(str(error))

    def getPluginTemplateDir(self):
        """Return the folder of the workflow templates."""
        return os.path.join(BESIDE if IN_CHECKOUT else HERE, "templates")
