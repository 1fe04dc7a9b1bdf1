"""Run where no engine is installed: a form says so before a job starts."""

from pyworkflow.tests import BaseTest, setupTestProject

from etpicker_plugin import Plugin
from etpicker_plugin.protocols import ProtEtPickerTrain


class TestEngineMissing(BaseTest):
    @classmethod
    def setUpClass(cls):
        setupTestProject(cls)

    def test_the_form_says_what_to_run(self):
        self.assertIn(
            f"etpicker's engine is not installed in {Plugin.getHome()}. "
            "Run 'scipion3 installb etpicker'.",
            self.newProtocol(ProtEtPickerTrain).validate(),
        )
