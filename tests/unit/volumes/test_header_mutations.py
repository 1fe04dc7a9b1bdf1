"""Headers with random faults: refused with a reason, said, or the same volume."""

import logging
import struct

import numpy as np
import pytest

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.region_mask import open_mask
from etpicker_plugin.engine.volumes.tomogram import read_tomogram, read_whole
from etpicker_plugin.tests.support.mrc_headers import stored_in, write_mrc

SHAPE = (4, 5, 7)
MUTATIONS = 400
INTEGERS = (0, 1, 2, 3, 4, 6, 7, -1, 101, 255, 401, 1024, 2**31 - 1, -(2**31))
NUMBERS = (0.0, 1.0, -1.0, 70.0, 255.0, 1e-30, 1e30, np.nan, np.inf)
SIZE, MODE, CELL, AXES = range(12), range(12, 16), range(28, 52), range(64, 76)


def noise(kind):
    drawn = np.random.default_rng(0).normal(0, 25, SHAPE)
    return drawn.astype("f4").astype(kind) if kind == "f4" else drawn.astype(kind)


BASES = {
    "floats": ("f4", {}),
    "big-endian": ("i2", {"order": ">"}),
    "bytes": ("i1", {"values": (-90.0, 90.0)}),
    "IMOD's bytes": ("i1", {"imod_flags": 1, "version": 0, "values": (-90.0, 90.0)}),
    "axes": ("i2", {"axes": (2, 3, 1), "between": b"extended" * 5}),
}


def mutate(raw, generator):
    """Return other bytes, and which places of the header they differ in."""
    mutated = bytearray(raw)
    kind = generator.integers(4)
    if kind == 0:
        for place in generator.integers(0, 256, generator.integers(1, 5)):
            mutated[place] = generator.integers(256)
    elif kind == 1:
        place = 4 * int(generator.integers(64))
        order = "<>"[generator.integers(2)]
        struct.pack_into(f"{order}i", mutated, place, int(generator.choice(INTEGERS)))
    elif kind == 2:
        place = 4 * int(generator.integers(64))
        struct.pack_into("<f", mutated, place, float(generator.choice(NUMBERS)))
    elif generator.integers(2):
        del mutated[int(generator.integers(len(raw))) :]
    else:
        mutated += bytes(int(generator.integers(1, 600)))
    return bytes(mutated), {
        i for i in range(256) if mutated[i : i + 1] != raw[i : i + 1]
    }


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("seed", range(2))
def test_a_fault_is_refused_or_said_or_without_effect(tmp_path, caplog, base, seed):
    kind, fields = BASES[base]
    data = noise(kind)
    path = tmp_path / "TS_01.mrc"
    stored = stored_in(data, fields.get("axes", (1, 2, 3)))
    raw = write_mrc(path, stored, **fields).read_bytes()
    usual = outcome(path, caplog)[1]
    generator = np.random.default_rng(seed)
    ends = dict.fromkeys(("refused", "said", "same", "as the header says"), 0)
    for _ in range(MUTATIONS):
        mutated, places = mutate(raw, generator)
        path.write_bytes(mutated)
        tomogram, said = outcome(path, caplog)
        if tomogram is None:
            end = "refused"
        elif said - usual:
            end = "said"
        elif places & {*SIZE, *MODE, *CELL, *AXES}:
            # What stands there is the volume: nobody can know that it was another.
            end = "as the header says"
        else:
            end = "same"
            np.testing.assert_array_equal(read_whole(tomogram), data)
            assert tomogram.voxel_size == 10.0
        ends[end] += 1
    assert ends["refused"] > 0.3 * MUTATIONS
    assert min(ends["said"], ends["same"]) > 0.01 * MUTATIONS


def outcome(path, caplog):
    """Return the tomogram, or None where it is refused, and what was said of it."""
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        try:
            tomogram = read_tomogram(path)
        except InputDataError:
            tomogram = None
    return tomogram, {record.getMessage() for record in caplog.records}


def test_a_mutated_mask_is_refused_or_read(tmp_path):
    data = (np.random.default_rng(0).random(SHAPE) < 0.4).astype("i1")
    path = tmp_path / "mask.mrc"
    raw = write_mrc(path, data).read_bytes()
    generator = np.random.default_rng(7)
    read = 0
    for _ in range(MUTATIONS):
        mutated, places = mutate(raw, generator)
        path.write_bytes(mutated)
        try:
            found = open_mask(path, SHAPE).read_whole()
        except InputDataError:
            continue
        read += 1
        if not places & {*AXES}:
            np.testing.assert_array_equal(found, data != 0)
    assert read > 0.2 * MUTATIONS
