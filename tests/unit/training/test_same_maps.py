"""Two classes with one map are told: nothing can part them."""

import logging
from types import SimpleNamespace

import pytest

from etpicker_plugin.engine.simulation.species import draw_ellipsoids
from etpicker_plugin.engine.training.from_maps import read_maps
from etpicker_plugin.engine.volumes.tomogram import write_volume

BODIES = [((0, 0, -30), (60, 45, 50)), ((40, 0, 55), (30, 30, 25))]


@pytest.mark.parametrize(("sign", "warns"), [(-3.0, True), (None, False)])
def test_the_same_map_twice_is_told(tmp_path, caplog, sign, warns):
    body = draw_ellipsoids(BODIES, 10.0)
    other = draw_ellipsoids(BODIES[:1], 10.0) if sign is None else sign * body
    write_volume(tmp_path / "a.mrc", body, 10.0)
    write_volume(tmp_path / "b.mrc", other, 10.0)
    config = SimpleNamespace(
        map={"a": tmp_path / "a.mrc", "b": tmp_path / "b.mrc"},
        diameter={"a": 170.0, "b": 170.0},
    )
    with caplog.at_level(logging.WARNING):
        assert [one.name for one in read_maps(config)] == ["a", "b"]
    assert ("a and b have the same map" in caplog.text) == warns
