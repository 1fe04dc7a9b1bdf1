"""What flatness costs a pick: learnt from marks."""

from dataclasses import replace

import numpy as np
import pytest

from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training import flatness
from etpicker_plugin.engine.training.flatness import fit_log_odds, learn_flatness
from etpicker_plugin.engine.training.judge import Judge
from etpicker_plugin.engine.training.patches import TrainingVolume
from etpicker_plugin.engine.training.split import Region
from etpicker_plugin.engine.training.validation import ValidationPart
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE_ZYX = (40, 56, 120)
DIAMETER_ANG, VOXEL_SIZE = 100.0, 10.0


def draw_picks(cost, n=2000, seed=0):
    """Scores, flatness, and truth drawn from a slope of 1.5 and this cost."""
    generator = np.random.default_rng(seed)
    log_odds = generator.normal(-1, 1.5, n)
    below = np.clip(generator.normal(0.3, 1.2, n), 0, 4)
    probability = 1 / (1 + np.exp(-1.5 * (log_odds - cost * below) - 0.5))
    is_true = generator.uniform(size=n) < probability
    return 1 / (1 + np.exp(-log_odds)), below, is_true


@pytest.mark.parametrize("cost", [0.0, 0.3, 0.8])
def test_a_planted_cost_is_found(cost):
    assert fit_log_odds(*draw_picks(cost), known=0.0) == pytest.approx(cost, abs=0.1)


def test_flat_places_are_never_preferred_nor_costs_unbounded():
    assert fit_log_odds(*draw_picks(-0.8), known=0.0) == 0.0
    assert fit_log_odds(*draw_picks(3.0), known=0.0) == 1.0


def test_little_evidence_changes_little():
    scores, below, is_true = draw_picks(0.8)

    few = fit_log_odds(scores[:12], below[:12], is_true[:12], known=0.0)

    assert few < 0.5
    assert fit_log_odds(scores, np.zeros_like(below), is_true, known=0.4) == 0.4
    assert fit_log_odds(scores, below, np.zeros_like(is_true), known=0.4) == 0.4
    assert fit_log_odds(scores[:0], below[:0], is_true[:0], known=0.2) == 0.2


def make_network_and_judge():
    network = make_network("fast", 1, seed=3).eval()
    species = Species(
        name="a", diameter_ang=DIAMETER_ANG, label_diameter_ang=50.0, flat_log_odds=0.25
    )
    return network, Judge(species=(species,), voxel_size=VOXEL_SIZE, f_alpha=3.0)


def everywhere(image):
    shape = image.shape
    return ValidationPart(
        tomogram_id="TS_1",
        image=ArrayVolume(image),
        region=Region((0, 0, 0), shape),
        allowed=ArrayVolume(np.ones(shape, bool)),
        positions_zyx=np.zeros((0, 3)),
        channels=np.zeros(0, int),
        annotation=("complete",),
    )


def make_learnt(network, judge, *, marked):
    """Noise, flat in the half with high x; a network's own picks marked as particles.

    Those with ``marked(x)``.
    """
    image = np.random.default_rng(1).normal(0, 1, SHAPE_ZYX)
    image[:, :, 60:] *= 0.6
    image = image.astype(np.float16)
    seen = []
    judge.candidates(
        network, [everywhere(image)], see=lambda _, peaks: seen.append(peaks)
    )
    (peaks,) = seen
    chosen = peaks.positions_zyx[marked(peaks.positions_zyx[:, 2])]
    assert 20 < len(chosen) < len(peaks)
    return TrainingVolume(
        tomogram_id="TS_1",
        image=ArrayVolume(image),
        learnable=ArrayVolume(np.ones(SHAPE_ZYX, bool)),
        positions_zyx=chosen,
        channels=np.zeros(len(chosen), int),
        annotation=("complete",),
        negatives_zyx=np.zeros((0, 3)),
    )


def test_it_is_learnt_where_marks_avoid_the_flat_half():
    network, judge = make_network_and_judge()
    avoiding = make_learnt(network, judge, marked=lambda x: x < 60)
    preferring = make_learnt(network, judge, marked=lambda x: x >= 60)

    def learnt(volume):
        (species,) = learn_flatness(network, [volume], judge)
        return species.flat_log_odds

    assert learnt(avoiding) > 0.5
    assert learnt(preferring) < 0.1
    assert learnt(replace(avoiding, annotation=("unknown",))) == 0.25
    nowhere = ArrayVolume(np.zeros(SHAPE_ZYX, bool))
    assert learnt(replace(avoiding, learnable=nowhere)) == 0.25


def test_rich_tomograms_are_picked_first_until_there_is_enough(monkeypatch):
    network, judge = make_network_and_judge()
    rich = make_learnt(network, judge, marked=lambda x: x < 60)
    poor = replace(
        rich,
        image=None,
        positions_zyx=rich.positions_zyx[:9],
        channels=np.zeros(9, int),
    )
    expected = learn_flatness(network, [rich], judge)

    for limit, value in ("ENOUGH", len(rich.positions_zyx)), ("MOST_VOXELS", 1):
        with monkeypatch.context() as patched:
            patched.setattr(flatness, limit, value)
            assert learn_flatness(network, [poor, rich], judge) == expected
