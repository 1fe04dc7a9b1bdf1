"""Negatives in the coordinates: read by train and update, and learnt as background."""

import logging

import numpy as np
import pytest

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.model.card import read_card
from etpicker_plugin.engine.model.exemplars import read_exemplars
from etpicker_plugin.engine.negative import NEGATIVE
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.dataset import load_dataset, read_annotated
from etpicker_plugin.tests.support.phantoms import DIAMETERS, VOXEL_SIZE, make_phantom

SHAPE_ZYX = (27, 49, 61)
NEGATIVES_ZYX = [(20.0, 10.5, 44.0), (6.0, 40.0, 9.0)]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """One tomogram, and its large particles and two negatives in a file."""
    folder = tmp_path_factory.mktemp("negatives")
    truth = make_phantom(folder / "TS_n.mrc", SHAPE_ZYX, {"large": 5}, seed=3)
    positions = [(z, y, x) for _, x, y, z in truth]
    marks = make_particles(
        "TS_n",
        [*positions, *NEGATIVES_ZYX],
        class_names=["large"] * len(positions) + [NEGATIVE] * 2,
    )
    write_csv(marks, folder / "TS_n.csv")
    return folder


def read(folder):
    return read_annotated(
        (str(folder / "TS_n.mrc"),),
        (str(folder / "TS_n.csv"),),
        classes=["large"],
        kinds={},
        annotation="sparse",
        voxel_size=None,
        role="training",
    )


def test_they_are_read_beside_the_particles_and_rescaled(data):
    (annotated,) = read(data)
    assert len(annotated.particles) == 5
    np.testing.assert_allclose(annotated.negatives.positions_zyx, NEGATIVES_ZYX)

    (volume,), _ = load_dataset(
        [annotated],
        [],
        species=[Species("large", DIAMETERS["large"], 50.0)],
        working_voxel_size=20.0,
        held_out_share=0.2,
        border_ang=0.0,
        alignment=2,
    )

    # Twice the voxel size; the centre of voxel 0 stays where it is.
    np.testing.assert_allclose(volume.negatives_zyx, np.array(NEGATIVES_ZYX) / 2)


def test_one_outside_the_tomogram_is_refused(data, tmp_path):
    (tmp_path / "TS_n.mrc").symlink_to(data / "TS_n.mrc")
    text = (data / "TS_n.csv").read_text()
    (tmp_path / "TS_n.csv").write_text(text + "negative,5,70,5,\n")
    with pytest.raises(InputDataError, match="1 of 3 lie outside"):
        read(tmp_path)


def test_train_and_update_learn_them(data, tmp_path, caplog):
    words = ["--tomogram", str(data / "TS_n.mrc"), "--annotation", "sparse"]
    words += ["--coordinates", str(data / "TS_n.csv"), "--device", "cpu"]
    words += ["--patch-size", "16", "--batch-size", "2", "--steps", "2"]
    first, second = tmp_path / "first", tmp_path / "second"
    caplog.set_level(logging.INFO)

    trained = main(["train", *words, "--diameter", "large=140", "--out", str(first)])
    assert "5 particles, 2 negatives" in caplog.text
    # Without --diameter every class in the coordinates is learnt; negatives are none.
    model = str(first / "model.safetensors")
    updated = main(["update", *words, "--model", model, "--out", str(second)])

    assert (trained, updated) == (0, 0)
    (card,) = read_card(model).tomograms
    assert card.particles == {"large": 5, "negative": 2}
    last = read_card(second / "model.safetensors").tomograms
    assert [t.particles for t in last] == [card.particles] * 2
    (kept,) = [e for e in read_exemplars(model) if not e.held_out]
    found = np.array(kept.negatives_zyx) + kept.origin_zyx
    working = read_card(model).working_voxel_size
    np.testing.assert_allclose(
        found, np.array(NEGATIVES_ZYX) * VOXEL_SIZE / working, atol=0.001
    )


def test_the_name_is_no_class(data, tmp_path, caplog):
    code = main(
        [
            *("train", "--tomogram", str(data / "TS_n.mrc"), "--out", str(tmp_path)),
            *("--coordinates", str(data / "TS_n.csv"), "--diameter", "negative=140"),
        ]
    )
    assert code == 2
    assert "which has no diameter" in caplog.text
    assert NEGATIVE not in DIAMETERS
