"""The cloud: which picks, which colours, which ball lies before which."""

import time

import numpy as np
import pytest

from etpicker_plugin.engine.config.view import ViewConfig
from etpicker_plugin.tests.support.phantoms import write_tomogram
from etpicker_plugin.window.document.session import Session
from etpicker_plugin.window.drawing.camera import SLANTED, Camera, project
from etpicker_plugin.window.drawing.cloud import (
    DEPTH_STEPS,
    MOST_BALL_PIXELS,
    ball_at,
    ball_radii,
    cloud_of,
    depth_steps,
    stamp_balls,
)

PALETTE = np.array([(255, 0, 0), (0, 255, 0)], dtype=np.uint8)
BRIGHTEST = DEPTH_STEPS - 1
ROWS = "a,1,2,3,0.9\nb,4,5.5,6,0.2\nb,7,8,9,\na,9,3,4,0.1\n"


@pytest.fixture
def session(tmp_path):
    write_tomogram(tmp_path / "TS.mrc", np.zeros((11, 21, 31), np.float32))
    (tmp_path / "TS.csv").write_text("class,x,y,z,score\n" + ROWS)
    out = tmp_path / "out"
    out.mkdir()
    config = ViewConfig(
        tomogram=(str(tmp_path / "TS.mrc"),),
        coordinates=(str(tmp_path / "TS.csv"),),
        diameter={"a": 120.0, "b": 80.0},
    )
    return Session(config, out)


def test_the_cut_off_and_hidden_classes_are_respected(session):
    (document,) = session.documents
    assert cloud_of(document, session.classes).ids.tolist() == [0, 1, 2, 3]
    session.classes.change("a", threshold=0.5)
    assert cloud_of(document, session.classes).ids.tolist() == [0, 1, 2]
    cloud = cloud_of(document, session.classes, hidden=frozenset("a"))
    assert cloud.ids.tolist() == [1, 2]
    assert cloud.positions_zyx.tolist() == [[6, 5.5, 4], [9, 8, 7]]
    assert cloud.radii_vox.tolist() == [4, 4]  # 80 Å, at 10 Å a voxel.


def test_colours_stand_for_classes_or_for_scores(session):
    (document,) = session.documents
    by_class = cloud_of(document, session.classes)
    colours = by_class.palette[by_class.colours].tolist()
    assert colours == [[255, 176, 0], [53, 201, 255], [53, 201, 255], [255, 176, 0]]
    by_score = cloud_of(document, session.classes, by_score=True)
    assert by_score.scores == (0.1, 0.9)
    colours = by_score.palette[by_score.colours].tolist()
    assert colours[3] == [59, 31, 107]  # The lowest score.
    assert colours[0] == [251, 231, 37]  # The highest.
    assert colours[2] == [195, 202, 214]  # None.


def test_without_scores_there_is_no_range(session):
    (document,) = session.documents
    cloud = cloud_of(document, session.classes, hidden=frozenset("a"), by_score=True)
    assert cloud.scores == (0.2, 0.2)
    document.journal.apply(document.annotation.deleting([0, 1, 3]))
    assert cloud_of(document, session.classes, by_score=True).scores is None


def stamp(centres, radii, colours, steps):
    image = np.zeros((9, 13), dtype=np.uint32)
    stamp_balls(
        image,
        np.array(centres, dtype=float),
        np.array(radii, dtype=float),
        np.array(steps),
        np.array(colours),
        PALETTE,
    )
    return image


def channels(pixel):
    return int(pixel >> 16 & 255), int(pixel >> 8 & 255), int(pixel & 255)


def test_a_ball_covers_its_disc_column_and_row(session):
    image = stamp([(8.5, 3.5)], [2.0], [0], [BRIGHTEST])
    rows, columns = np.nonzero(image)
    inside = [
        (y, x) for y in range(9) for x in range(13) if (y - 3) ** 2 + (x - 8) ** 2 <= 4
    ]
    assert list(zip(rows, columns, strict=True)) == inside


@pytest.mark.parametrize("radii", [(2.0, 2.0), (3.0, 2.0), (2.0, 3.0)])
def test_the_nearer_ball_lies_before_the_farther_whatever_their_sizes(radii):
    image = stamp([(6, 4), (6, 4)], radii, [0, 1], [3, 9])
    red, green, _ = channels(image[4, 6])
    assert (red, green > 0) == (0, True)


def test_far_balls_are_darker_and_lit_from_the_upper_left():
    near = stamp([(6, 4)], [3.0], [0], [BRIGHTEST])
    far = stamp([(6, 4)], [3.0], [0], [0])
    assert channels(far[4, 6])[0] < 0.6 * channels(near[4, 6])[0]
    assert channels(near[3, 5])[0] > channels(near[5, 7])[0]


def test_balls_at_the_edge_are_cut_not_wrapped():
    image = stamp([(0, 0), (12, 8), (-40, 3), (500, 3)], [2] * 4, [0] * 4, [5] * 4)
    assert image[0, 0]
    assert image[8, 12]
    assert not image[0:4, 8:].any()
    assert not image[5:, :8].any()


def test_depths_become_brightness_from_the_farthest_corner_to_the_nearest():
    steps = depth_steps(np.array([-7.0, 0.0, 7.0, 99.0]), shape_zyx=(4, 6, 12))
    assert steps.tolist() == [0, 8, BRIGHTEST, BRIGHTEST]


def test_balls_have_their_size_within_limits_and_a_crowd_is_smaller():
    assert ball_radii(np.array([1.0, 4.0, 90.0]), scale=1.0).tolist() == [1.5, 4, 9]
    assert ball_radii(np.array([4.0]), scale=1.0, detail=2.0).tolist() == [8]
    many = ball_radii(np.full(100_000, 9.0), scale=1.0)
    assert 2 * MOST_BALL_PIXELS > np.pi * (many**2).sum()


def test_a_click_takes_the_nearest_to_the_viewer_and_little_beside_a_ball():
    centres = np.array([(10.0, 10.0), (12.0, 10.0), (40.0, 40.0)])
    radii, depths = np.array([5.0, 5.0, 2.0]), np.array([3.0, -2.0, 0.0])
    assert ball_at((11, 10), centres, radii, depths) == 0
    assert ball_at((16, 10), centres, radii, depths) == 1
    assert ball_at((44, 40), centres, radii, depths) == 2
    assert ball_at((48, 40), centres, radii, depths) is None
    assert ball_at((1, 1), centres[:0], radii[:0], depths[:0]) is None


def test_twenty_thousand_picks_turn_smoothly():
    generator, shape, size = np.random.default_rng(0), (300, 928, 960), (760.0, 620.0)
    positions = generator.uniform(0, shape, (20_000, 3))
    colours = generator.integers(0, 2, 20_000)
    radii = ball_radii(np.where(colours == 0, 12.0, 8.0), scale=0.43)
    camera, times = Camera(rotation=SLANTED), []
    for _ in range(5):
        start = time.process_time()
        camera = camera.turned(5, 3)
        pixels, depths = project(positions, camera, shape_zyx=shape, size_px=size)
        order = np.argsort(depths, kind="stable")
        image = np.zeros((620, 760), dtype=np.uint32)
        steps = depth_steps(depths[order], shape_zyx=shape)
        stamp_balls(image, pixels[order], radii[order], steps, colours[order], PALETTE)
        times.append(time.process_time() - start)
    assert (image != 0).sum() > 100_000
    assert min(times) < 0.1  # It takes about 14 ms of one core.
