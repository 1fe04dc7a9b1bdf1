"""Particles stay as they are, and points of filaments become filaments."""

from dataclasses import replace

import numpy as np
import torch

from etpicker_plugin.engine.filaments.settings import trace_settings
from etpicker_plugin.engine.picking.assemble import assemble
from etpicker_plugin.engine.picking.nms import Peaks, join_peaks
from etpicker_plugin.engine.picking.ridges import find_lines
from etpicker_plugin.engine.species import Species
from etpicker_plugin.engine.volumes.array_volume import ArrayVolume
from etpicker_plugin.tests.support.tubes import painted_tubes

SHAPE = (24, 37, 61)
SPECIES = (
    Species("ribosome", 100.0, 80.0, threshold=0.3),
    Species("actin", 60.0, 60.0, threshold=0.2, kind="filament"),
)


def test_rows_are_particles_and_points_along_filaments():
    along = np.linspace(0, 1, 300)[:, None]
    curve = np.array([6.0, 8, 9]) + np.array([10.0, 20, 40]) * along
    tube = torch.from_numpy(painted_tubes(SHAPE, [curve], radius=1.5))
    points = find_lines(tube, 3, min_score=0.05)
    points = replace(points, channels=np.ones(len(points), np.intp))
    particles = Peaks(
        positions_zyx=np.array([[5.0, 30, 8], [20, 5, 50]]),
        scores=np.array([0.9, 0.4]),
        channels=np.zeros(2, np.intp),
    )

    picks = assemble(
        join_peaks([points, particles]),
        ArrayVolume(np.zeros(SHAPE, np.float32)),
        SPECIES,
        image_shape_zyx=SHAPE,
        voxel_size=10.0,
        filaments={"actin": trace_settings(60.0, 10.0, step_ang=30.0)},
    )

    assert picks.channels[:2].tolist() == [0, 0]
    np.testing.assert_array_equal(picks.positions_zyx[:2], particles.positions_zyx)
    assert picks.optional["filament"][:3].tolist() == ["", "", "actin_1"]
    assert np.isnan(picks.optional["rotation"][:2]).all()
    own = picks.select(picks.channels == 1)
    steps = np.diff(own.positions_zyx, axis=0)
    np.testing.assert_allclose(np.linalg.norm(steps, axis=1), 3.0, atol=0.01)
    assert (steps @ [10.0, 20, 40] > 0).all()
    assert "direction" not in picks.optional
