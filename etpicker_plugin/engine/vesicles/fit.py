"""Spheres and ellipsoids through points."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import solve

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.vesicles.ellipsoid import Ellipsoid, sphere

FLATTENING = 0.12
GROWTH = 0.04
"""How much the half axes of a vesicle usually differ, as a share of its radius, and
their mean from the radius of the sphere through the same points. Where the points do
not tell, because a face of the volume cut it or the missing wedge took the caps, it is
that sphere."""

FEWEST_CLICKS = 3
FLAT_SHARE = 1e-3
"""Points that leave their plane, or line, by less of their extent lie in it."""

UPPER = np.triu_indices(3)
STEPS = np.zeros((6, 3, 3))
STEPS[range(6), UPPER[0], UPPER[1]] = STEPS[range(6), UPPER[1], UPPER[0]] = 1.0
"""What a shape grows by with each of its UPPER."""
ON_DIAGONAL = np.trace(STEPS, axis1=1, axis2=2)
ROUNDS = 5
MOST_ROUNDS = 30
SMALLEST_STEP = 1e-4
"""Of the radius."""
FIRST_DAMPING = 1e-3

INDEPENDENT = 300.0
"""So many points count at the most: the errors of neighbours are alike, and more of
them tell no more about a side that is not seen."""


def fit_sphere(
    points: FloatArray, weights: FloatArray | None = None, *, is_flat: bool = False
) -> Ellipsoid:
    """Return the sphere that best explains ``(N, 3)`` points, at least four.

    ``|x|² = 2 c·x + (r² - |c|²)`` is linear in what is unknown; its solution is
    then weighted with what brings it to least distances.

    Parameters
    ----------
    is_flat
        The points lie in the plane z = 0, and so does the centre: of all solutions
        that least squares has then, the shortest is the one of that plane.

    Raises
    ------
    ValueError
        If no sphere is told by them: they are few, or lie in a plane.
    """
    given = np.ones(len(points)) if weights is None else weights
    middle = points.mean(axis=0)
    scale = max(float(np.abs(points - middle).max(initial=0.0)), 1e-12)
    if (
        len(points) < 4
        or np.linalg.svd(points - middle, compute_uv=False)[1 if is_flat else 2]
        < 1e-9 * scale
    ):
        raise ValueError("no sphere: fewer than four points, or all in a plane")
    own = (points - middle) / scale
    table = np.column_stack([2.0 * own, np.ones(len(own))])
    square, weight = (own**2).sum(axis=1), np.sqrt(given)
    for _ in range(ROUNDS):
        solved = np.linalg.lstsq(table * weight[:, None], square * weight, rcond=None)[
            0
        ]
        radius = np.sqrt(max(solved[3] + solved[:3] @ solved[:3], 1e-12))
        # d² - r² = (d - r) (d + r): divided by the second it is a distance.
        distance = np.linalg.norm(own - solved[:3], axis=1)
        weight = np.sqrt(given) / (distance + radius)
    return sphere(middle + scale * solved[:3], scale * radius)


def fit_ellipsoid(
    points: FloatArray,
    start: Ellipsoid,
    *,
    error: float,
    radius: float | None = None,
    weights: FloatArray | None = None,
) -> Ellipsoid:
    """Return the ellipsoid that best explains ``(N, 3)`` points, from one near it.

    Distances are least, of outliers not their squares; ``FLATTENING`` and ``GROWTH``
    hold the half axes together, so that few points, or those of one side, give no
    needle.

    Parameters
    ----------
    error
        How far a point usually lies off, in the unit of the points.
    radius
        Of the sphere through the points; that of ``start`` if not given.
    """
    radius = radius or start.radius
    given = np.ones(len(points)) if weights is None else weights
    given = given * min(1.0, INDEPENDENT / given.sum())
    local, error = (points - start.centre) / radius, error / radius
    surface = Ellipsoid(np.zeros(3), _positive(start.shape * radius))
    cost, damping = _cost(local, surface, error, given), FIRST_DAMPING
    for _ in range(MOST_ROUNDS):
        step = _step(local, surface, error=error, given=given, damping=damping)
        shape = _positive(surface.shape + _symmetric(step[3:]))
        tried = Ellipsoid(surface.centre + step[:3], shape)
        tried_cost = _cost(local, tried, error, given)
        if tried_cost > cost:
            damping *= 10.0
        else:
            surface, cost, damping = tried, tried_cost, damping / 5.0
        if np.abs(step).max() < SMALLEST_STEP:
            break
    return Ellipsoid(start.centre + radius * surface.centre, surface.shape / radius)


def _cost(
    points: FloatArray, surface: Ellipsoid, error: float, given: FloatArray
) -> float:
    """Return what a fit makes least."""
    apart = surface.depths(points) / error
    uneven, _ = _uneven(surface.shape)
    robust = 2.0 * given @ (np.sqrt(1.0 + apart**2) - 1.0)
    return float(robust + uneven @ uneven)


def _step(
    points: FloatArray,
    surface: Ellipsoid,
    *,
    error: float,
    given: FloatArray,
    damping: float,
) -> FloatArray:
    """Return what a round of weighted least squares changes: centre, and shape's UPPER.

    The damping is Levenberg's and Marquardt's.
    """
    depths, changes = surface.depths(points), _changes(points, surface)
    weight = given / np.sqrt(1.0 + (depths / error) ** 2) / error**2
    so_far, uneven = _uneven(surface.shape)
    square = (changes * weight[:, None]).T @ changes + uneven.T @ uneven
    damped = square + np.diag(damping * np.diag(square) + 1e-9 * np.trace(square))
    slope = (changes * weight[:, None]).T @ depths + uneven.T @ so_far
    return np.asarray(solve(damped, -slope, assume_a="pos"))


def _changes(points: FloatArray, surface: Ellipsoid) -> FloatArray:
    """Return ``(N, 9)``: how depths grow with the centre and with shape's UPPER.

    With d = x - c, f = |S d| and h = |S S d|, the depth is f (f - 1) / h.
    """
    offsets = points - surface.centre
    own = offsets @ surface.shape
    twice = own @ surface.shape
    thrice = twice @ surface.shape
    f = np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
    h = np.maximum(np.linalg.norm(twice, axis=1, keepdims=True), 1e-12)
    of_f = np.column_stack([-twice, _products(own, offsets)]) / f
    both = _products(twice, own) + _products(thrice, offsets)
    of_h = np.column_stack([-thrice @ surface.shape, both]) / h
    return np.asarray(of_f * (2.0 * f - 1.0) / h - of_h * f * (f - 1.0) / h**2)


def _products(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return ``(N, 6)``: how ``one · S other`` grows with S's UPPER."""
    pairs = one[:, :, None] * other[:, None, :]
    pairs = pairs + pairs.transpose(0, 2, 1) * (1.0 - np.eye(3))
    return np.asarray(pairs[:, UPPER[0], UPPER[1]])


def _uneven(shape: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return how a shape differs from a sphere of radius 1, and what changes that.

    ``(10,)`` and ``(10, 9)``, in usual deviations: nine of its form, one of its size.
    """
    mean = np.trace(shape) / 3.0
    changes = np.zeros((10, 9))
    grown = shape * ON_DIAGONAL[:, None, None] / (3.0 * mean**2)
    changes[:9, 3:] = (STEPS / mean - grown).reshape(6, 9).T / FLATTENING
    changes[9, 3:] = ON_DIAGONAL / 3.0 / GROWTH
    uneven = (shape / mean - np.eye(3)).ravel() / FLATTENING
    return np.append(uneven, (mean - 1.0) / GROWTH), changes


def sphere_of_clicks(points_zyx: ArrayLike) -> Ellipsoid:
    """Return the sphere that clicks on a membrane mean.

    Four and more that do not lie in a plane tell it. Of three, or of more in a section,
    it is assumed that their plane passes through the centre: the sphere has the
    circle's centre and radius. So click in the section where the vesicle is largest.

    Raises
    ------
    InputDataError
        If there are fewer than three, or they lie on a line.
    """
    points = np.asarray(points_zyx, dtype=np.float64).reshape(-1, 3)
    if len(points) < FEWEST_CLICKS:
        raise InputDataError(
            f"{len(points)} point(s) on a membrane: a vesicle needs {FEWEST_CLICKS}, "
            "or its centre and radius."
        )
    middle = points.mean(axis=0)
    _, extents, axes = np.linalg.svd(points - middle, full_matrices=True)
    if extents[1] <= FLAT_SHARE * extents[0]:
        raise InputDataError(
            f"{len(points)} points on a membrane lie on a line, which no vesicle "
            "passes through. Click around it."
        )
    if len(points) > FEWEST_CLICKS and extents[2] > FLAT_SHARE * extents[0]:
        return fit_sphere(points)
    flat = (points - middle) @ axes[:2].T
    table = np.column_stack([2.0 * flat, np.ones(len(flat))])
    solved = np.linalg.lstsq(table, (flat**2).sum(axis=1), rcond=None)[0]
    radius = float(np.sqrt(solved[2] + solved[:2] @ solved[:2]))
    return sphere(middle + solved[:2] @ axes[:2], radius)


def _symmetric(upper: FloatArray) -> FloatArray:
    """Return the ``(3, 3)`` symmetric matrix with this upper triangle."""
    made = np.zeros((3, 3))
    made[UPPER] = upper
    return np.asarray(made + np.triu(made, 1).T)


def _positive(shape: FloatArray) -> FloatArray:
    """Return a shape whose half axes are a third to three times its radius, about 1."""
    values, vectors = np.linalg.eigh(shape)
    return np.asarray((vectors * np.clip(values, 1 / 3, 3.0)) @ vectors.T)
