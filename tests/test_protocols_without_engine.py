"""Where no engine is installed, a form says so before a job starts.

Run twice: in an environment that has the engine, which is then overlooked, and by
.ci/test_old_scipion before there is one.
"""

from pathlib import Path
from unittest import mock

from etpicker_plugin.protocols import ProtEtPickerTrain
from etpicker_plugin.protocols.annotation import start_window
from pyworkflow.tests import BaseTest, setupTestProject

from etpicker_plugin import Plugin, engine_environment
from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.engine.errors import ConfigError


class TestWithoutEngine(BaseTest):
    @classmethod
    def setUpClass(cls):
        setupTestProject(cls)
        cls.home = str(Path(cls.proj.getPath()).resolve() / "software" / "etpicker-x")
        variables = {
            "ETPICKER_HOME": cls.home,
            "ETPICKER_ENV_ACTIVATION": f". {cls.home}/env/bin/activate",
        }
        for patch in (
            mock.patch.object(engine_environment, "is_engine_here", return_value=False),
            mock.patch.object(Plugin, "hasConda", return_value=False),
            mock.patch.dict(Plugin.getVars(), variables),
        ):
            patch.start()
            cls.addClassCleanup(patch.stop)
        cls.message = (
            f"etpicker's engine is not installed in {cls.home}. "
            "Run 'scipion3 installb etpicker'."
        )

    def test_a_form_says_what_to_run(self):
        protocol = self.newProtocol(ProtEtPickerTrain)
        self.assertIn(self.message, protocol.validate())

    def test_the_window_says_it_too(self):
        config = ViewConfig(tomogram=(), diameter={}, out="annotation")
        with self.assertRaisesRegex(ConfigError, "is not installed in"):
            start_window(config, Path(self.proj.getPath()))

    def test_the_installation_is_what_scipion_runs(self):
        *_, (command, left) = Plugin.getInstallCommands()
        self.assertIn("-m etpicker_plugin.engine.installed . ", command)
        self.assertEqual(left, "engine.json")
