"""The validation score, and which of its differences are chance."""

import numpy as np
import pytest

from etpicker_plugin.engine.fewshot.cut_off import choose_cut_off
from etpicker_plugin.engine.model.network import make_network
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.training.judge import (
    LOWER_DOSES,
    Judge,
    equal_score,
    make_validate,
)
from etpicker_plugin.engine.training.split import Region
from etpicker_plugin.engine.training.threshold import (
    choose_for_micrographs,
    choose_for_other_tomograms,
    choose_threshold,
)
from etpicker_plugin.engine.training.validation import (
    ValidationPart,
    join_judged,
    with_noise,
)
from etpicker_plugin.engine.training.watch import make_watch
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume

SHAPE = (9, 11, 30)


def make_part(n_inside, annotation="complete"):
    """Return a part of which the region ends at x = 10; three centres lie beyond."""
    inside = np.tile([[4.0, 5.0, 6.0]], (n_inside, 1))
    beyond = np.tile([[4.0, 5.0, 20.0]], (3, 1))
    return ValidationPart(
        tomogram_id="TS_1",
        image=ArrayVolume(np.zeros(SHAPE, np.float16)),
        region=Region((0, 0, 0), (9, 11, 10)),
        allowed=ArrayVolume(np.ones(SHAPE, bool)),
        positions_zyx=np.concatenate([inside, beyond]),
        channels=np.zeros(n_inside + 3, int),
        annotation=(annotation,),
    )


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ([4], 0.25),  # of four, one more or less is no difference
        ([60, 40], 0.05),
        ([2000], 0.02),
        ([0], 0.3),
    ],
)
def test_the_standard_error_of_the_held_out_particles(inside, expected):
    assert equal_score([make_part(n) for n in inside]) == pytest.approx(expected)


def test_ranks_of_the_same_particles_vary_less():
    assert equal_score([make_part(25, "sparse")]) == pytest.approx(0.05)


def make_noise(annotation):
    """Return noise with nine centres anywhere."""
    generator = np.random.default_rng(2)
    shape = (16, 24, 32)
    return ValidationPart(
        tomogram_id="TS_1",
        image=ArrayVolume(generator.normal(0, 1, shape).astype(np.float16)),
        region=Region((0, 0, 0), shape),
        allowed=ArrayVolume(np.ones(shape, bool)),
        positions_zyx=generator.uniform(3, np.array(shape) - 4, (9, 3)),
        channels=np.zeros(9, int),
        annotation=(annotation,),
    )


@pytest.mark.parametrize("annotation", ["sparse", "complete"])
def test_what_is_maximised(annotation, tmp_path):
    part = make_noise(annotation)
    species = (Species(name="a", diameter_ang=80.0, label_diameter_ang=40.0),)
    judge = Judge(species=species, voxel_size=10.0, f_alpha=3.0)
    watch = make_watch(tmp_path, [part], species, voxel_size=10.0)
    network = make_network("fast", 1, seed=1)

    score, _ = make_validate(judge, [part], watch=watch)(network, 1)

    (picks,) = judge.candidates(network, [part])
    (result,) = judge.validate(network, [part])
    ranked = picks.is_true[np.argsort(-picks.scores)]
    precision = np.cumsum(ranked) / np.arange(1, len(ranked) + 1)
    average = precision[ranked].sum() / 9
    f_alpha = result.precision * result.recall**3
    f_alpha *= 2 / (result.precision + result.recall**3)
    assert 0 < average < 1
    assert abs(average - f_alpha) > 0.01
    expected = average if annotation == "sparse" else f_alpha
    assert score == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["particle", "filament"])
def test_thresholds_are_chosen_for_other_tomograms(kind):
    """Of particles; the points of curves have no usual score."""
    part = make_noise("sparse")
    one = Species(name="a", diameter_ang=80.0, label_diameter_ang=40.0, kind=kind)
    judge = Judge(species=(one,), voxel_size=10.0, f_alpha=3.0)
    network = make_network("fast", 1, seed=1)

    (result,) = judge.final_results(network, [part])

    doses = [judge.candidates(network, [part])[0]]
    doses += [judge.candidates(network, with_noise([part], s))[0] for s in LOWER_DOSES]
    chosen = {
        "particle": choose_for_other_tomograms(doses, sparse=True),
        "filament": choose_threshold(join_judged(doses), sparse=True),
    }
    assert result.threshold == chosen[kind]
    assert chosen["particle"] != chosen["filament"]


def make_plane(annotation, marked):
    """Return noise in a plane with so many centres marked."""
    generator = np.random.default_rng(3)
    shape = (1, 160, 200)
    return ValidationPart(
        tomogram_id="mic",
        image=ArrayVolume(generator.normal(0, 1, shape).astype(np.float16)),
        region=Region((0, 0, 0), shape),
        allowed=ArrayVolume(np.ones(shape, bool)),
        positions_zyx=generator.uniform((0, 10, 10), (0, 150, 190), (marked, 3)),
        channels=np.zeros(marked, int),
        annotation=(annotation,),
    )


@pytest.mark.parametrize(
    ("annotation", "marked", "from_clicks"),
    [("sparse", 4, True), ("sparse", 5, False), ("complete", 4, False)],
)
def test_of_few_marks_in_a_micrograph_what_they_score_tells(
    annotation, marked, from_clicks
):
    """Four at three doses are fewer than fifteen; F1 would count all others false."""
    part = make_plane(annotation, marked)
    one = Species(name="a", diameter_ang=180.0, label_diameter_ang=80.0)
    judge = Judge(species=(one,), voxel_size=10.0, f_alpha=3.0)
    network = make_network("fast-2d", 1, seed=1)

    (result,) = judge.final_results(network, [part])

    clean = judge.candidates(network, [part])[0]
    assert clean.is_true.any()
    cut = choose_cut_off(clean.scores, clean.is_true, is_pure=True).value
    usual = choose_for_micrographs(clean, sparse=annotation == "sparse")
    assert cut != usual
    assert result.threshold == (cut if from_clicks else usual)
