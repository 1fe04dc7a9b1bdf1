"""Files with random faults: refused, or read without a number that nobody wrote.

The columns of the valid files have numbers of their own: x below 10, z from 11 to 19, y
above 21, scores below 1. A value that is read must be one of its column, or a number
that the fault itself has made.
"""

import json
import os
import re
from collections import Counter

import numpy as np
import pytest

from etpicker_plugin.engine.errors import EtPickerError
from etpicker_plugin.engine.formats.catalogue import CATALOGUE, format_named
from etpicker_plugin.engine.formats.format import FormatOptions
from etpicker_plugin.engine.formats.relion_versions import to_relion
from etpicker_plugin.engine.geometry import (
    TomogramFrame,
    to_ang_xyz,
    to_eman2_xyz,
    to_fraction_xyz,
    to_imod_xyz,
)
from etpicker_plugin.engine.orientation import from_relion_angles
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.tests.support.file_faults import mutate
from etpicker_plugin.tests.support.hand_made import ALONE
from etpicker_plugin.tests.unit.formats.test_imod_points import imod_model

MUTATIONS = int(os.environ.get("ETPICKER_MUTATIONS", "60"))
X = np.array([1.25, 3.75, 5.5, 6.25, 8.0, 9.5])
XYZ = np.stack([X, 20 + 3 * X, 11 + 0.6 * X], axis=1)
SCORES = X / 16
ANGLES = np.stack([101 + X, 62 + X, 113 + X], axis=1)
CLASSES = ["ring", "ribosome", "ring", "ring", "ring", "ribosome"]
FRAME = TomogramFrame(
    tomogram_id="TS_01", shape_zyx=(33, 57, 41), voxel_size=10.0, binning=4.0
)
OPTIONS = FormatOptions(class_names=("ring", "ribosome"), binning_is_known=True)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
SHIFTED = ("dynamo", "artiax", "copick")
"""Formats whose positions are sums of two numbers."""


def written_xyz(positions_zyx, name, frame):
    """Return the positions as a file of the format holds them."""
    if name.startswith("relion") and name not in ALONE:
        return to_relion(positions_zyx, frame, version=name, centre="half")
    ways = {"copick": to_ang_xyz, "warp-normalised": to_fraction_xyz}
    ways |= {"eman2": to_eman2_xyz, "imod": lambda p, _: to_imod_xyz(p)}
    return ways.get(name, lambda p, _: p[:, ::-1])(positions_zyx, frame)


def frame_of(data):
    """Return the frame with the binning that a mutated file of EMAN2 states."""
    stated = json.loads(data.decode("utf-8-sig"))["apix_unbin"]
    return TomogramFrame(
        tomogram_id="TS_01",
        shape_zyx=FRAME.shape_zyx,
        voxel_size=10,
        binning=10 / stated,
    )


def valid_file(known, folder):
    rounded = known.name == "deepetpicker"
    particles = make_particles(
        "TS_01",
        np.rint(XYZ[:, ::-1]) if rounded else XYZ[:, ::-1],
        class_names="ring" if known.is_per_class else CLASSES,
        scores=SCORES,
        rotations=from_relion_angles(ANGLES),
        optional=ALONE.get(known.name),
    )
    path = folder / known.path_of("TS_01", "ring")
    path.parent.mkdir(parents=True)
    known.write([(particles, FRAME)], path, OPTIONS, {"ring": 1, "ribosome": 2})
    return path, written_xyz(particles.positions_zyx, known.name, FRAME)


def numbers_in(data):
    """Return how often each number stands in a text."""
    words = NUMBER.findall(data.decode("utf-8", errors="replace"))
    return Counter(float(word) for word in words if len(word) < 300)


def made_by_the_fault(data, original):
    """Return the numbers that a line has, and that line of the valid file had not."""
    had = [numbers_in(line) for line in original.split(b"\n")]
    made = set()
    for line in data.split(b"\n"):
        found = numbers_in(line)
        made |= set(min((found - numbers for numbers in had), key=len))
    return made


def all_among(values, allowed):
    """Tell whether every value is one of the allowed, as far as files round."""
    known = np.sort(np.array(list(allowed)))
    near = np.clip(np.searchsorted(known, values), 1, len(known) - 1)
    distance = np.minimum(
        np.abs(values - known[near]), np.abs(values - known[near - 1])
    )
    return bool((distance <= 2e-4 + 1e-6 * np.abs(values)).all())


def check(particles, data, original, xyz, name):
    """Fail if a value is neither of its column nor the fault's own."""
    made = made_by_the_fault(data, original)
    if name == "eman2" and b'"apix_unbin"' not in data:
        return  # By its own account a file of before 2018.
    frame = frame_of(data) if name == "eman2" else FRAME
    read = written_xyz(particles.positions_zyx, name, frame)
    for column, values in zip(xyz.T, read.T, strict=True):
        allowed = {*column, *made}
        if name in SHIFTED:
            allowed |= {p + s for p in allowed for s in numbers_in(data)}
        assert all_among(values, allowed), (values, data)
    scores = particles.scores[np.isfinite(particles.scores)]
    assert all_among(scores, {*SCORES, 0.0, *made}), (scores, data)
    if particles.rotations is not None:
        turned = particles.rotations[np.isfinite(particles.rotations).all(axis=(1, 2))]
        assert np.allclose(np.linalg.det(turned), 1, atol=0.05)


@pytest.mark.parametrize(
    "name", [known.name for known in CATALOGUE if 3 in known.dimensions]
)
def test_files_with_faults(tmp_path, name):
    known = format_named(name)
    path, xyz = valid_file(known, tmp_path / "valid")
    original = path.read_bytes()
    (whole,) = known.read(path, {"TS_01": FRAME}, OPTIONS)
    assert len(whole) == len(XYZ)
    check(whole, original, original, xyz, name)
    generator = np.random.default_rng(sum(name.encode()))
    refused = 0
    for n in range(MUTATIONS):
        data = mutate(original, generator, faults=1 + n % 3)
        path.write_bytes(data)
        try:
            (particles,) = known.read(path, {"TS_01": FRAME}, OPTIONS)
        except EtPickerError:
            refused += 1
        else:
            if n % 3:
                continue  # Several faults may make up for each other.
            check(particles, data, original, xyz, name)
    assert refused > MUTATIONS / 10


def test_imod_models_with_faults(tmp_path):
    known = format_named("imod")
    path = tmp_path / "TS_01.mod"
    original = imod_model(points=to_imod_xyz(XYZ[:, ::-1]).tolist())
    generator = np.random.default_rng(0)
    for _ in range(5 * MUTATIONS):
        data = mutate(original, generator, faults=1)
        path.write_bytes(data)
        try:
            (particles,) = known.read(path, {"TS_01": FRAME}, OPTIONS)
        except EtPickerError:
            continue
        windows = b"".join(data[at : at + 4] for at in range(len(data) - 3))
        allowed = np.frombuffer(windows, dtype=">f4")
        allowed = allowed[np.isfinite(allowed)].astype(np.float64)
        for values in to_imod_xyz(particles.positions_zyx).T:
            assert all_among(values, set(allowed)), data
