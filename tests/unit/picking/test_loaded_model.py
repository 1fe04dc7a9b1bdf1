import pytest

from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.picking.loaded_model import trace_settings_of
from etpicker_plugin.engine.species import Species

MT = Species("mt", 250.0, 250.0, kind="filament")
ACTIN = Species("actin", 70.0, 70.0, kind="filament")
CARD = ModelCard(
    network="fast",
    classes=(MT, Species("ribosome", 300.0, 200.0), ACTIN),
    working_voxel_size=10.0,
    annotation="complete",
    tomograms=(),
    training={},
    code_version="0",
)


def settings(**lengths):
    config = PickConfig(model="m", tomogram=("T.mrc",), out="out", **lengths)
    return trace_settings_of(CARD, config)


def test_lengths_of_filaments_follow_from_the_diameter_or_are_asked_for():
    found = settings(filament_step={"mt": 82.0}, filament_gap={"actin": 100.0})
    assert set(found) == {"mt", "actin"}
    mt, actin = found["mt"], found["actin"]
    assert (mt.step, mt.gap, mt.min_length, mt.min_radius) == (8.2, 125, 75, 250)
    assert actin.step == pytest.approx(7 / 3)
    assert (actin.gap, actin.min_length, actin.min_radius) == (10, 21, 70)


def test_lengths_of_what_is_no_filament_are_refused():
    with pytest.raises(
        ConfigError, match=r"--filament-length ribosome: .* It has: mt, actin"
    ):
        settings(filament_length={"ribosome": 500.0})
    with pytest.raises(ConfigError, match="--filament-radius mt=-5: expected a number"):
        settings(filament_radius={"mt": -5.0})
