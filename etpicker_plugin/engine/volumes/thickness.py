"""Whether a model is for tomograms or for micrographs, and what it is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from etpicker_plugin.engine.errors import InputDataError
from etpicker_plugin.engine.volumes.tomogram import Tomogram


def check_thickness(tomogram: Tomogram, model: str, *, is_flat: bool) -> None:
    """Refuse a micrograph for a model of tomograms, and the other way round.

    Parameters
    ----------
    model
        Its name.
    is_flat
        Whether it is one of micrographs.

    Raises
    ------
    InputDataError
        Naming both.
    """
    if is_flat == tomogram.is_flat:
        return
    given, learnt, instead = "micrograph", "tomograms (3D)", ""
    if is_flat:
        given, learnt = "tomogram", "micrographs (2D)"
        instead = " Or, if it is a movie, the sum of its frames."
    raise InputDataError(
        f"{tomogram.path} is a {given}, but the model {model} was trained on {learnt}. "
        f"Give a model that was trained on {given}s.{instead}"
    )


def refuse_micrographs(tomograms: Iterable[Tomogram], *, instead: str) -> None:
    """Refuse what is one slice thick where boxes are cut out of tomograms.

    Parameters
    ----------
    instead
        What to do with micrographs: the end of "Give tomograms, or …".

    Raises
    ------
    InputDataError
        Naming the first.
    """
    for one in tomograms:
        if one.is_flat:
            raise InputDataError(
                f"{one.path} is a micrograph, and subtomograms are cut out of "
                f"tomograms. Give tomograms, or {instead}."
            )


def are_flat(tomograms: Sequence[Tomogram]) -> bool:
    """Tell whether micrographs are learnt from, or tomograms.

    Raises
    ------
    InputDataError
        If both are there.
    """
    flat = [one for one in tomograms if one.is_flat]
    thick = [one for one in tomograms if not one.is_flat]
    if flat and thick:
        raise InputDataError(
            f"{flat[0].path} is a micrograph and {thick[0].path} a tomogram. A model "
            "learns from one kind: give only micrographs, or only tomograms."
        )
    return bool(flat)
