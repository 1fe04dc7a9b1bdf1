"""The border that a model has from its annotations, and the one that is asked for."""

from dataclasses import replace

import numpy as np
import pytest

from etpicker_plugin.engine.config.pick import PickConfig
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.model.model_file import load_model, save_model
from etpicker_plugin.engine.picking.pick import pick
from etpicker_plugin.engine.progress import ignore_progress
from etpicker_plugin.tests.support.phantoms import VOXEL_SIZE
from etpicker_plugin.tests.support.untrained import (
    TINY_ZYX,
    make_tiny_tomograms,
    make_untrained_model,
)

BORDER_VOX = 5.0


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A model whose annotations leave out five voxels, and a tomogram of noise."""
    folder = tmp_path_factory.mktemp("border")
    network, card = load_model(make_untrained_model(folder / "plain.safetensors"))
    card = replace(card, border_ang=BORDER_VOX * VOXEL_SIZE)
    save_model(folder / "model.safetensors", network, card)
    make_tiny_tomograms(folder, ["TS_b"])
    return folder


def nearest_faces(data, out, **options):
    """Return how near the picks come to the faces in z, y and x, voxels."""
    config = PickConfig(
        model=str(data / "model.safetensors"),
        tomogram=(str(data / "TS_b.mrc"),),
        out=str(out),
        max_picks=1000,
        device="cpu",
        **options,
    )
    found = pick(config, out, on_progress=ignore_progress)["TS_b"].positions_zyx
    assert len(found) > 5
    last = np.array(TINY_ZYX) - 1
    return np.minimum(found, last - found).min(axis=0)


def test_that_of_the_annotations_holds_in_x_and_y(data, tmp_path):
    z, y, x = nearest_faces(data, tmp_path)

    assert y >= BORDER_VOX
    assert x >= BORDER_VOX
    assert z < BORDER_VOX


def test_one_that_is_asked_for_holds_for_all_faces_instead(data, tmp_path):
    (tmp_path / "wide").mkdir()
    (tmp_path / "none").mkdir()

    assert nearest_faces(data, tmp_path / "wide", border=4 * VOXEL_SIZE).min() >= 4
    assert (nearest_faces(data, tmp_path / "none", border=0.0) < BORDER_VOX).all()


def test_a_negative_one_is_refused(data, tmp_path):
    with pytest.raises(ConfigError, match="0 or more"):
        nearest_faces(data, tmp_path, border=-1.0)
