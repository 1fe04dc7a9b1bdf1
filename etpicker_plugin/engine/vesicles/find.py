"""From points of membranes with their normals to vesicles.

Votes along the normals give possible centres; about each a surface is fitted to the
points that lie near it and face it; what is a shell rather than a patch is a vesicle.
The most complete take their points first, so that a point belongs to one vesicle:
neighbours that touch, and one within another, stay apart.

In a micrograph the points are those of a vesicle's rim. All lie in the plane z = 0, and
so do the centres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from etpicker_plugin.engine.arrays import FloatArray, Shape
from etpicker_plugin.engine.vesicles.ellipsoid import (
    Ellipsoid,
    seen_from_above,
    sphere,
)
from etpicker_plugin.engine.vesicles.fit import fit_ellipsoid, fit_sphere
from etpicker_plugin.engine.vesicles.shells import Shell, judge_shell, patches_of
from etpicker_plugin.engine.vesicles.votes import Candidate, find_candidates

SMALLEST, LARGEST = 0.4, 2.0
"""Radii of a class, of half its diameter."""

LEAST_COMPLETE = 0.5
LEAST_SHARE = 0.12
"""Of the whole surface. A flat membrane shows less of a sphere that touches it."""

MOST_UNEVEN = 1.6
"""Longest half axis of a vesicle over its shortest. A lens that lies on the membrane of
a larger vesicle is more."""

LEAST_GATHERED = 0.65
"""Share of the points within twice the reach that lie within it. Points that are not
on the surface, but around it, give a half."""

REACHES = (0.3, 0.2, 0.15)
"""How far from a sphere its points are taken, of its radius, fit by fit."""

LAST_REACH = 0.08
LAST_RIM_REACH = 0.03
LAST_REACH_VOX = 2.0
"""The same of the ellipsoid, and of a rim in a micrograph, which is sharp and may cross
another; or so many voxels, if that is more."""

NARROWING = (2.5, 1.7, 1.2, 1.0, 1.0)
"""How many times that far they are taken at first, fit by fit."""

FACING = 0.8
"""Cosine between a point's normal and the surface's, at least."""

SAME = 0.03
"""Spheres that differ by less of their radius are one."""

FEWEST_POINTS = 12
MOST_FITTED = 600
"""More points make a fit slower, not better."""


@dataclass(frozen=True)
class Vesicle:
    """A vesicle that was found.

    Attributes
    ----------
    score
        Mean score of its points times the completeness of its shell.
    residual
        Root mean square distance of its points.
    """

    surface: Ellipsoid
    score: float
    shell: Shell
    residual: float


@dataclass(frozen=True)
class Membranes:
    """Points on membranes: positions, normals ``(N, 3)``, scores ``(N,)``; a tree.

    ``is_flat`` says that they are of a micrograph.
    """

    points: FloatArray
    normals: FloatArray
    scores: FloatArray
    tree: cKDTree
    is_flat: bool

    @classmethod
    def of(
        cls,
        points: FloatArray,
        normals: FloatArray,
        scores: FloatArray,
        *,
        edge: float,
        is_flat: bool,
    ) -> Membranes:
        """Average the points of each cell, which keeps no side's; order by place."""
        cells = np.floor(points / edge).astype(np.int64)
        order = np.lexsort((*points.T, *cells.T))
        points, normals, scores = points[order], normals[order], scores[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (np.diff(cells[order], axis=0) != 0).any(axis=1)
        number = np.cumsum(first) - 1
        alike = (normals * normals[first][number]).sum(axis=1) >= 0
        normals = np.where(alike[:, None], normals, -normals)
        sums = np.array(
            [
                np.bincount(number, weights=values)
                for values in (*points.T, *normals.T, scores, np.ones(len(points)))
            ]
        )
        middles, normals = (sums[:3] / sums[7]).T, sums[3:6].T
        normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        return cls(middles, normals, sums[6] / sums[7], cKDTree(middles), is_flat)

    def last_reach(self, surface: Ellipsoid) -> float:
        """Return how far from a vesicle's surface its own points lie at the most."""
        share = LAST_RIM_REACH if self.is_flat else LAST_REACH
        return max(LAST_REACH_VOX, share * surface.radius)

    def is_same(self, one: Ellipsoid, other: Ellipsoid) -> bool:
        """Tell whether two surfaces run along each other."""
        apart = np.abs(other.depths(one.surface(patches_of(is_flat=self.is_flat))))
        return bool(np.median(apart) < 2.0 * self.last_reach(other))

    def on(
        self, surface: Ellipsoid, reach: float, free: NDArray[np.bool_]
    ) -> NDArray[np.intp]:
        """Return those free that lie near a surface and face it, as indices."""
        largest = float(surface.half_axes[-1]) + reach
        near = np.asarray(
            self.tree.query_ball_point(surface.centre, largest, return_sorted=True), int
        )
        near = near[free[near]]
        points = self.points[near]
        facing = np.abs((surface.normals(points) * self.normals[near]).sum(axis=1))
        chosen = (np.abs(surface.depths(points)) <= reach) & (facing >= FACING)
        return np.asarray(near[chosen], dtype=np.intp)


def find_vesicles(
    points: FloatArray,
    normals: FloatArray,
    scores: FloatArray,
    *,
    diameter_vox: float,
    shape_zyx: Shape,
    edge: float = 3.0,
) -> list[Vesicle]:
    """Return the vesicles that points on membranes show, the surest first.

    The order of the points does not matter.

    Parameters
    ----------
    points, normals
        ``(N, 3)`` zyx voxels and unit vectors of either sign.
    scores
        ``(N,)``.
    diameter_vox
        A usual one; radii are looked for from 0.4 to 2 times half of it.
    shape_zyx
        Size of the volume, whose faces cut vesicles.
    edge
        One point is kept for each cube of this edge.
    """
    if len(points) < FEWEST_POINTS:
        return []
    is_flat = shape_zyx[0] == 1
    membranes = Membranes.of(points, normals, scores, edge=edge, is_flat=is_flat)
    radii = (SMALLEST * 0.5 * diameter_vox, LARGEST * 0.5 * diameter_vox)
    candidates = find_candidates(
        membranes.points, membranes.normals, radii=radii, edge=edge, is_flat=is_flat
    )
    everything = np.ones(len(membranes.points), dtype=bool)
    settled: list[Ellipsoid] = []
    for candidate in candidates:
        start = _settle(candidate, membranes, radii, everything)
        if start and not any(_is_same_sphere(start, other) for other in settled):
            settled.append(start)
    tried: list[tuple[Ellipsoid, Vesicle, NDArray[np.intp]]] = []
    for start in settled:
        found = _vesicle(start, membranes, everything, radii, shape_zyx)
        if found and not any(
            _is_same_sphere(found[0].surface, other.surface) for _, other, _ in tried
        ):
            tried.append((start, *found))
    return _share_points(tried, membranes, radii, shape_zyx)


def _share_points(
    tried: list[tuple[Ellipsoid, Vesicle, NDArray[np.intp]]],
    membranes: Membranes,
    radii: tuple[float, float],
    shape_zyx: Shape,
) -> list[Vesicle]:
    """Let the best take their points first; what then is no shell any more goes."""
    free = np.ones(len(membranes.points), dtype=bool)
    vesicles: list[Vesicle] = []
    for start, *_ in sorted(tried, key=lambda one: _rank(*one[1:])):
        found = _vesicle(start, membranes, free, radii, shape_zyx)
        if found is None:
            continue
        vesicle, _ = found
        if any(membranes.is_same(vesicle.surface, v.surface) for v in vesicles):
            continue  # of points that the other left over
        vesicles.append(vesicle)
        reach = 2.0 * membranes.last_reach(vesicle.surface)
        free[membranes.on(vesicle.surface, reach, free)] = False
    return sorted(vesicles, key=lambda v: (-v.score, *v.surface.centre.tolist()))


def _rank(vesicle: Vesicle, own: NDArray[np.intp]) -> tuple[float, ...]:
    """Return what sorts vesicles: the most complete of the largest area first."""
    support = vesicle.shell.completeness**2 * len(own)
    return (-support, *vesicle.surface.centre.tolist(), vesicle.surface.radius)


def _is_same_sphere(one: Ellipsoid, other: Ellipsoid) -> bool:
    apart = np.linalg.norm(one.centre - other.centre) + abs(one.radius - other.radius)
    return bool(apart < SAME * other.radius)


def _settle(
    candidate: Candidate,
    membranes: Membranes,
    radii: tuple[float, float],
    free: NDArray[np.bool_],
) -> Ellipsoid | None:
    """Return the sphere that a candidate becomes, or nothing."""
    surface = sphere(candidate.centre, candidate.radius)
    for reach in REACHES:
        own = membranes.on(surface, reach * surface.radius, free)
        if len(own) < FEWEST_POINTS:
            return None
        apart = surface.depths(membranes.points[own]) / (reach * surface.radius)
        try:
            surface = fit_sphere(
                membranes.points[own],
                (1.0 - apart**2) ** 2 + 1e-3,
                is_flat=membranes.is_flat,
            )
        except ValueError:
            return None
        if not 0.8 * radii[0] <= surface.radius <= 1.2 * radii[1]:
            return None
    return surface


def _vesicle(
    start: Ellipsoid,
    membranes: Membranes,
    free: NDArray[np.bool_],
    radii: tuple[float, float],
    shape_zyx: Shape,
) -> tuple[Vesicle, NDArray[np.intp]] | None:
    """Return the vesicle about a surface with its points, if it is one."""
    surface = start
    for factor in NARROWING:
        own = membranes.on(surface, factor * membranes.last_reach(surface), free)
        if len(own) < FEWEST_POINTS:
            return None
        points = membranes.points[own[:: 1 + len(own) // MOST_FITTED]]
        try:
            radius = fit_sphere(points, is_flat=membranes.is_flat).radius
        except ValueError:
            return None
        surface = fit_ellipsoid(points, surface, error=1.0, radius=radius)
        if membranes.is_flat:
            surface = seen_from_above(surface)
        if not radii[0] <= surface.radius <= radii[1]:
            return None
    shortest, _, longest = surface.half_axes
    if longest > MOST_UNEVEN * shortest:
        return None
    around = membranes.on(surface, 2.0 * membranes.last_reach(surface), free)
    own = membranes.on(surface, membranes.last_reach(surface), free)
    if len(own) < LEAST_GATHERED * len(around):
        return None
    shell = judge_shell(surface, membranes.points[own], shape_zyx)
    if shell.completeness < LEAST_COMPLETE or shell.share < LEAST_SHARE:
        return None
    residual = float(np.sqrt((surface.depths(membranes.points[own]) ** 2).mean()))
    score = float(membranes.scores[own].mean() * shell.completeness)
    return Vesicle(surface, score, shell, residual), own
