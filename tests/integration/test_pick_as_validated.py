"""Picking a validation part gives what validation gave."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from etpicker_plugin.engine.cli import main
from etpicker_plugin.engine.formats.coordinates_csv import read_csv
from etpicker_plugin.engine.model.model_file import load_model, save_model
from etpicker_plugin.engine.training.judge import Judge
from etpicker_plugin.engine.training.split import Region
from etpicker_plugin.engine.training.validation import ValidationPart
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume, load_into_memory
from etpicker_plugin.engine.volumes.tomogram import read_tomogram
from etpicker_plugin.engine.volumes.working_volume import open_working_volume
from etpicker_plugin.tests.support.phantoms import (
    DIAMETERS,
    VOXEL_SIZE,
    write_tomogram,
)
from etpicker_plugin.tests.support.untrained import make_untrained_model

SHAPE_ZYX = (30, 54, 118)
REGION = Region((0, 16, 0), (30, 54, 80))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A tomogram that is flat for high x, the mask of a part, and a model of costs."""
    folder = tmp_path_factory.mktemp("validated")
    noise = np.random.default_rng(2).normal(0, 1, SHAPE_ZYX).astype(np.float32)
    noise[:, :, 50:] *= 0.5
    write_tomogram(folder / "TS_1.mrc", noise)
    allowed = np.zeros(SHAPE_ZYX, bool)
    allowed[REGION.slices()] = True
    allowed[:, :, 20:26] = False
    write_tomogram(folder / "mask.mrc", allowed.astype(np.float32))
    model = make_untrained_model(folder / "free.safetensors")
    network, card = load_model(model)
    classes = tuple(
        replace(s, flat_log_odds=cost)
        for s, cost in zip(card.classes, (0.7, 0.3), strict=True)
    )
    card = replace(card, classes=classes)
    save_model(folder / "model.safetensors", network, card)
    return folder, allowed


def validate(folder: Path, allowed: np.ndarray):
    """Return the picks that validation sees, above the threshold below."""
    network, card = load_model(folder / "model.safetensors")
    tomogram = read_tomogram(str(folder / "TS_1.mrc"), None)
    image = load_into_memory(open_working_volume(tomogram, VOXEL_SIZE))
    part = ValidationPart(
        tomogram_id="TS_1",
        image=image,
        region=REGION,
        allowed=ArrayVolume(allowed),
        positions_zyx=np.zeros((0, 3)),
        channels=np.zeros(0, np.intp),
        annotation=("complete",) * len(DIAMETERS),
    )
    judge = Judge(species=card.classes, voxel_size=VOXEL_SIZE, f_alpha=3.0)
    seen = []
    judge.candidates(network.eval(), [part], see=lambda _, peaks: seen.append(peaks))
    return seen[0], card.class_names()


def test_pick_gives_what_validation_gave(data, tmp_path):
    folder, allowed = data
    validated, names = validate(folder, allowed)
    threshold = float(np.quantile(validated.scores, 0.5))
    validated = validated.select(validated.scores >= threshold)

    code = main(
        [
            *("pick", "--model", str(folder / "model.safetensors"), "--out"),
            *(str(tmp_path / "picks"), "--tomogram", str(folder / "TS_1.mrc")),
            *("--mask", str(folder / "mask.mrc"), "--device", "cpu", "--threshold"),
            *(f"{name}={threshold:.9f}" for name in names),
        ]
    )

    assert code == 0
    picked = read_csv(tmp_path / "picks" / "TS_1.csv", tomogram_id="TS_1")
    assert len(validated) > 20
    for channel, name in enumerate(names):
        of_class = picked.of_class(name)
        own = validated.select(validated.channels == channel)
        # Validation holds the tomogram in half precision: a score moves by less than
        # 0.002, and a pick that lies at the threshold may be on either side.
        clear = own.scores >= threshold + 0.002
        assert clear.sum() > 5
        gaps = np.linalg.norm(
            own.positions_zyx[clear][:, None] - of_class.positions_zyx, axis=2
        )
        nearest = gaps.argmin(axis=1)
        assert gaps.min(axis=1).max() < 0.3
        np.testing.assert_allclose(
            of_class.scores[nearest], own.scores[clear], atol=0.002
        )
        assert (of_class.scores >= threshold + 0.002).sum() <= len(own)
