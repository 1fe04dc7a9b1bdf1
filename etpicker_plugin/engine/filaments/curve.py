"""A smooth curve through points, and what is known at each length along it.

Lengths and positions have one unit, voxels or Å.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import BSpline, make_interp_spline, make_lsq_spline

from etpicker_plugin.engine.arrays import FloatArray
from etpicker_plugin.engine.orientation import along_axes, from_relion_angles

CUBIC = 3
FINE_STEPS = 16
"""Between two knots, where the length along the curve is added up."""


@dataclass(frozen=True)
class Curve:
    """A spline in space, read by the length along it.

    Attributes
    ----------
    spline
        Parameter to position zyx.
    """

    spline: BSpline

    @cached_property
    def _table(self) -> tuple[FloatArray, FloatArray]:
        """Return parameters and the lengths up to them, ``(M,)`` each.

        Between two parameters the speed is integrated by Gauss and Legendre's rule.
        """
        knots = np.unique(self.spline.t)
        cells = np.linspace(knots[:-1], knots[1:], FINE_STEPS, endpoint=False).T
        parameters = np.append(cells.ravel(), knots[-1])
        nodes, weights = np.polynomial.legendre.leggauss(3)
        half = np.diff(parameters) / 2
        middles = parameters[:-1] + half
        at = middles[:, None] + half[:, None] * nodes
        speed = np.linalg.norm(self.spline.derivative()(at), axis=-1)
        pieces = half * (speed @ weights)
        return parameters, np.concatenate([[0.0], np.cumsum(pieces)])

    @property
    def length(self) -> float:
        """Return the length from end to end."""
        return float(self._table[1][-1])

    def _parameters(self, lengths: ArrayLike) -> FloatArray:
        """Return the parameters at these lengths: a Newton step from the table's."""
        parameters, table = self._table
        wanted = np.clip(np.asarray(lengths, dtype=np.float64), 0.0, table[-1])
        cell = np.clip(np.searchsorted(table, wanted) - 1, 0, len(table) - 2)
        share = (wanted - table[cell]) / (table[cell + 1] - table[cell])
        width = parameters[cell + 1] - parameters[cell]
        guess = parameters[cell] + share * width
        nodes, weights = np.polynomial.legendre.leggauss(3)
        half = (guess - parameters[cell]) / 2
        at = (parameters[cell] + half)[:, None] + half[:, None] * nodes
        derivative = self.spline.derivative()
        reached = table[cell] + half * (
            np.linalg.norm(derivative(at), axis=-1) @ weights
        )
        speed = np.linalg.norm(derivative(guess), axis=-1)
        return np.asarray(guess + (wanted - reached) / speed)

    def points(self, lengths: ArrayLike) -> FloatArray:
        """Return ``(N, 3)`` positions at ``(N,)`` lengths along the curve."""
        return np.asarray(self.spline(self._parameters(lengths)))

    def tangents(self, lengths: ArrayLike) -> FloatArray:
        """Return ``(N, 3)`` unit vectors zyx along the curve."""
        return _unit(self.spline.derivative()(self._parameters(lengths)))

    def curvatures(self, lengths: ArrayLike) -> FloatArray:
        """Return ``(N,)``: 1 / radius of curvature."""
        parameters = self._parameters(lengths)
        if self.spline.k == 1:
            return np.zeros(len(parameters))
        velocity = self.spline.derivative()(parameters)
        bend = np.cross(velocity, self.spline.derivative(2)(parameters))
        speed = np.linalg.norm(velocity, axis=-1)
        return np.asarray(np.linalg.norm(bend, axis=-1) / speed**3)


def curve_through(points_zyx: FloatArray) -> Curve:
    """Return the curve through two or more points in order, no two the same."""
    degree = min(CUBIC, len(points_zyx) - 1)
    return Curve(make_interp_spline(path_lengths(points_zyx), points_zyx, k=degree))


def smooth_curve(points_zyx: FloatArray, *, stiffness: float) -> Curve:
    """Return the curve nearest to points in order, which scatter about it.

    A cubic spline of least squares, with a knot about every ``stiffness`` of length:
    what bends in less than that is taken for scatter. Fitted twice, because a path
    from point to point is longer than the curve that they scatter about.
    """
    parameters = path_lengths(points_zyx)
    curve = _least_squares(parameters, points_zyx, stiffness)
    along = path_lengths(np.asarray(curve.spline(parameters)))
    if (np.diff(along) <= 0).any():
        return curve
    return _least_squares(along, points_zyx, stiffness)


def _least_squares(
    parameters: FloatArray, points_zyx: FloatArray, stiffness: float
) -> Curve:
    degree = min(CUBIC, len(points_zyx) - 1)
    most = (len(points_zyx) - 1) // (degree + 1)
    pieces = max(1, min(most, round(float(parameters[-1]) / stiffness)))
    # At quantiles, so that each piece of the spline has points, whatever the gaps.
    inner = np.quantile(parameters, np.linspace(0, 1, pieces + 1)[1:-1])
    ends = np.full(degree + 1, 1.0)
    knots = np.concatenate([ends * parameters[0], inner, ends * parameters[-1]])
    return Curve(make_lsq_spline(parameters, points_zyx, knots, k=degree))


def path_lengths(points_zyx: FloatArray) -> FloatArray:
    """Return ``(N,)``: how far each point is along the straight lines between them."""
    steps = np.linalg.norm(np.diff(points_zyx, axis=0), axis=1)
    return np.concatenate([[0.0], np.cumsum(steps)])


def equidistant(length: float, step: float) -> FloatArray:
    """Return lengths a step apart; what is left over is the same at both ends."""
    count = int(np.floor(length / step + 1e-9))
    return (length - count * step) / 2 + step * np.arange(count + 1)


def frames(
    points_zyx: FloatArray, tangents_zyx: FloatArray, *, first_rot: float = 0.0
) -> FloatArray:
    """Return ``(N, 3, 3)`` matrices R that turn as little as possible on the way.

    R is that of ``engine.orientation``, on xyz: its z axis lies along the tangent, as
    RELION's helical reconstruction has it. The first has RELION's angle rot of
    ``first_rot`` degrees; from each to the next it is carried on by the double
    reflection of Wang et al. (ACM Trans. Graph. 27, 2008, 2), whose error falls with
    the fourth power of the step.
    """
    points, tangents = points_zyx[:, ::-1], _unit(tangents_zyx)[:, ::-1]
    across = np.empty_like(tangents)
    across[0] = along_axes(tangents[:1], rot=first_rot)[0, :, 0]
    for i in range(len(points) - 1):
        step = points[i + 1] - points[i]
        turned, along = _reflect(across[i], step), _reflect(tangents[i], step)
        across[i + 1] = _reflect(turned, tangents[i + 1] - along)
    # What rounding left along the tangent is taken off.
    across -= np.sum(across * tangents, axis=1, keepdims=True) * tangents
    across = _unit(across)
    return np.stack([across, np.cross(tangents, across), tangents], axis=2)


def twisted(made: FloatArray, angles_deg: ArrayLike) -> FloatArray:
    """Return frames turned about their own z axis, right-handed if positive.

    ``made`` is ``(N, 3, 3)`` and ``angles_deg`` ``(N,)``: twist per rise times the
    length along the filament in rises.
    """
    angles = np.asarray(angles_deg, dtype=np.float64)
    about_z = from_relion_angles(np.stack([-angles, 0 * angles, 0 * angles], axis=1))
    return np.asarray(made @ about_z)


def _reflect(vector: FloatArray, normal: FloatArray) -> FloatArray:
    """Mirror a vector in the plane across ``normal``; a normal of 0 leaves it."""
    square = float(normal @ normal)
    if square == 0:
        return vector
    return np.asarray(vector - 2 * (vector @ normal) / square * normal)


def _unit(vectors: FloatArray) -> FloatArray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0))
