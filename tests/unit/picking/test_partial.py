"""The record of finished tiles survives being cut short."""

import numpy as np

from etpicker_plugin.engine.picking.nms import Peaks
from etpicker_plugin.engine.picking.partial import PartialPicks


def some_peaks(seed, count):
    generator = np.random.default_rng(seed)
    return Peaks(
        positions_zyx=generator.uniform(0, 50, (count, 3)),
        scores=generator.uniform(0, 1, count),
        channels=generator.integers(0, 2, count).astype(np.intp),
    )


def test_finished_tiles_come_back_exactly(tmp_path):
    path = tmp_path / "partial.jsonl"
    first = PartialPicks(path, "abc")
    assert first.recorded_edge() is None
    assert first.begin(64) == set()
    first.add(1, some_peaks(1, 3))
    first.add(0, some_peaks(0, 0))

    second = PartialPicks(path, "abc")

    assert second.recorded_edge() == 64
    assert second.begin(64) == {0, 1}
    assert np.array_equal(
        second.all_peaks().positions_zyx, some_peaks(1, 3).positions_zyx
    )
    assert second.all_peaks().scores.tolist() == some_peaks(1, 3).scores.tolist()


def test_a_line_cut_by_a_kill_is_done_again(tmp_path):
    path = tmp_path / "partial.jsonl"
    first = PartialPicks(path, "abc")
    first.begin(64)
    first.add(0, some_peaks(0, 2))
    first.add(1, some_peaks(1, 2))
    path.write_bytes(path.read_bytes()[:-20])

    second = PartialPicks(path, "abc")

    assert second.begin(64) == {0}
    second.add(1, some_peaks(1, 2))
    assert PartialPicks(path, "abc").begin(64) == {0, 1}


def test_another_run_or_another_edge_begins_anew(tmp_path):
    path = tmp_path / "partial.jsonl"
    first = PartialPicks(path, "abc")
    first.begin(64)
    first.add(0, some_peaks(0, 2))

    assert PartialPicks(path, "other").recorded_edge() is None
    assert PartialPicks(path, "abc").begin(32) == set()
    assert PartialPicks(path, "other").begin(64) == set()
