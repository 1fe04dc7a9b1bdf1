"""A store on disk: what is finished stays, what is damaged or of others does not."""

import json
from dataclasses import replace

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError, ResourceError
from etpicker_plugin.engine.fewshot import store as store_module
from etpicker_plugin.engine.fewshot.store import Made, store_on_disk
from etpicker_plugin.engine.picking.tiling import plan_tiles

SHAPE_ZYX = (24, 16, 40)
MADE = Made(
    tomogram_sha256="ab" * 32,
    weights="w",
    working_voxel_size=7.5,
    shape_zyx=SHAPE_ZYX,
)
PIECES = plan_tiles(SHAPE_ZYX, edges=(8, 16, 24), halos=(0, 0, 0), alignment=8)


def opened(path, made=MADE):
    size = tuple(n // 2 for n in SHAPE_ZYX)
    return store_on_disk(path, size, 3, PIECES, stride=2, made=made)


def block(piece, value):
    size = [
        (b - a) // 2 for a, b in zip(piece.keep_start, piece.keep_stop, strict=True)
    ]
    return np.full((*size, 3), value, np.float16)


@pytest.fixture
def path(tmp_path):
    """Two of six pieces are there: one ends at plane 4, one begins there."""
    made = opened(tmp_path / "TS_1.features")
    assert len(PIECES) == 6
    made.write(PIECES[0], block(PIECES[0], 1.5))
    made.write(PIECES[1], block(PIECES[1], 2.5))
    return tmp_path / "TS_1.features"


def test_finished_pieces_are_there_again(path):
    again = opened(path)
    assert again.missing() == PIECES[2:]
    assert again.features[0, 0, 0].tolist() == [1.5] * 3
    assert again.features[4, 7, 9].tolist() == [2.5] * 3


def test_planes_are_there_when_all_their_pieces_are(path):
    again = opened(path)
    assert not again.finished_planes().any()
    other = next(p for p in PIECES[2:] if p.keep_start[0] == 0)
    again.write(other, block(other, 3.5))
    assert again.finished_planes().tolist() == [True] * 4 + [False] * 8
    assert again.has_planes(0, 4)
    assert not again.has_planes(3, 5)


def test_a_damaged_piece_is_made_again(path):
    values = bytearray(path.read_bytes())
    values[0] ^= 1
    path.write_bytes(values)
    assert opened(path).missing() == [PIECES[0], *PIECES[2:]]


def test_features_of_other_weights_are_made_anew(path):
    assert len(opened(path, replace(MADE, weights="other")).missing()) == 6
    assert len(opened(path, replace(MADE, weights="other")).missing()) == 6


def test_features_of_another_tomogram_are_refused(path):
    with pytest.raises(InputDataError, match="was abababababab…, is cdcdcdcdcdcd…"):
        opened(path, replace(MADE, tomogram_sha256="cd" * 32))
    assert opened(path).missing() == PIECES[2:]


def test_a_file_that_was_cut_short_is_made_anew(path):
    path.write_bytes(path.read_bytes()[:-8])
    assert len(opened(path).missing()) == 6


def test_no_room_is_told_before_anything_is_computed(tmp_path, monkeypatch):
    def full(path, size):
        path.write_bytes(b"")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store_module, "reserve", full)
    with pytest.raises(ResourceError, match=r"features of TS_2 .* it takes 0.0116 MB"):
        opened(tmp_path / "TS_2.features")
    assert list(tmp_path.iterdir()) == []


def test_the_record_says_of_what_they_are_made(path):
    record = json.loads(path.with_suffix(".json").read_text())
    assert record["working_voxel_size"] == 7.5
    assert record["shape_zyx"] == [24, 16, 40]
    assert record["weights"] == "w"
