"""What is no JSON, against what is worked out by hand."""

import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.copick_json import read_copick
from etpicker_plugin.engine.formats.eman2_json import read_eman2
from etpicker_plugin.tests.support.hand_made import FRAME, text_file


@pytest.mark.parametrize("text", ["{", "[1, 2]"])
def test_what_is_no_json_object(tmp_path, text):
    path = text_file(tmp_path, "a.json", text)

    with pytest.raises(InputDataError, match=r"no JSON|expected one JSON object"):
        read_copick(path, frame=FRAME)
    with pytest.raises(InputDataError, match=r"no JSON|expected one JSON object"):
        read_eman2(path, frame=FRAME)
