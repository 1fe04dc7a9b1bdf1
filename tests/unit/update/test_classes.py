"""What classes an update may add."""

import pytest

from etpicker_plugin.engine.config.update import UpdateConfig
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.update.classes import plan_classes

CARD = ModelCard(
    network="fast",
    classes=(Species("ribosome", 300.0, 130.0, threshold=0.3),),
    working_voxel_size=13.5,
    annotation="complete",
    tomograms=(),
    training={},
    code_version="test",
)


@pytest.mark.parametrize(
    ("kind", "diameter", "least"),
    [("particle", 80.0, 6), ("filament", 66.0, 5), ("filament", 68.0, None)],
)
def test_a_class_needs_as_many_voxels_across_as_its_kind(kind, diameter, least):
    """At 13.5 Å 80 Å are 5.9 voxels, 66 are 4.9 and 68 are 5.04."""
    config = UpdateConfig(
        model="m.safetensors",
        tomogram=("A.mrc",),
        coordinates=("A.csv",),
        diameter={"new": diameter},
        kind={"new": kind},
        out="out",
    )
    if least is None:
        added = plan_classes(CARD, config).species[-1]
        assert (added.name, added.kind) == ("new", "filament")
    else:
        with pytest.raises(InputDataError, match=rf"model works; {least} or more"):
            plan_classes(CARD, config)
