"""The plugin's templates, as Scipion fills them."""

from pathlib import Path

import pytest
from pyworkflow.template import LocalTemplate

from etpicker_plugin import templates

FILES = sorted(Path(templates.__file__).parent.glob("*.json.template"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name.split(".")[0])
def test_scipion_can_check_every_field(path):
    template = LocalTemplate("etpicker", str(path))
    template.replaceEnvVariables()
    template.parseContent()

    fields = template.getParams().values()

    assert fields
    said = {field.getAlias(): field.validate() or "" for field in fields}
    assert not [alias for alias, words in said.items() if "not recognized" in words]
