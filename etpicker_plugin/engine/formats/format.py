"""What a coordinate format is: one record, at the end of the format's own module.

The flags of ``etpicker convert`` and Scipion's forms are made from these records, so a
format's module imports slow packages (pandas, starfile, SciPy) in its functions only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Tuple

from etpicker_plugin.engine.formats.names import split_class
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.names import require_file_name, require_path
from etpicker_plugin.engine.newer_python import without_end
from etpicker_plugin.engine.particles import Particles

VOXELS = "x y z, voxels from 0, voxel i centred at i"
PIXELS = "x y, pixels from 0, pixel i centred at i, y from the first row (TIFF: last)"
TOMOGRAM, CLASS = "{tomogram}", "{class_name}"

Item = Tuple[Particles, TomogramFrame]
Frames = Mapping[str, TomogramFrame]
"""Frames by their tomograms' names."""
Numbers = Mapping[str, int]
"""Class numbers, from 1, by the classes' names."""


@dataclass(frozen=True)
class FormatOptions:
    """What a user says of the files, as far as a format heeds it.

    Attributes
    ----------
    class_names
        Names of the classes 1, 2, … where a file holds numbers; the first where it
        holds no class.
    binning_is_known
        Whether the frames' binning was given, and is not 1 for want of it.
    relion5_centre
        Origin of RELION 5's coordinates (see ``geometry.to_centred_ang_xyz``).
    first_voxel
        Number of the first voxel in Dynamo's tables, 0 or 1.
    groups
        The optional column that a file's groups are, where the program has no kinds of
        them; empty if they are neither filaments nor vesicles.
    box_size
        Edge in pixels of the boxes of formats that hold boxes in micrographs.
    score_column
        The column of the scores, where a file names its columns; empty for the one
        that the format's readers know.
    """

    class_names: tuple[str, ...] = ("particle",)
    binning_is_known: bool = False
    relion5_centre: str = "half"
    first_voxel: int = 0
    groups: str = ""
    score_column: str = ""
    box_size: int = 64


def json_beside(path: Path) -> Path:
    """Return the name of the JSON that describes a file, beside it."""
    return path.with_name(path.name + ".json")


@dataclass(frozen=True)
class Format:
    """One coordinate format.

    Attributes
    ----------
    name
        As users choose it.
    program
        Whose it is and how its files end, in words.
    file
        Name of a written file in the output folder. With ``{tomogram}`` in it there is
        one for each tomogram, with ``{class_name}`` too one for each of its classes,
        with neither one for all.
    positions
        Axes, unit and origin of the positions, in a line for the sidecar.
    read
        ``read(path, frames, options)`` returns one record per frame, in their order;
        unless a file holds all tomograms there is one frame. Raises
        ``InputDataError``.
    write
        ``write(items, path, options, numbers)`` writes the items of one file, whole or
        not at all; unless a file holds all tomograms there is one item.
    arranged
        ``arranged(particles, numbers)``: the particles in the order in which a file
        has them, if that is not their own.
    not_held
        What is lost, among "classes", "class names", "scores", "orientations" and
        "fractions of a voxel". The sidecar keeps it.
    dimensions
        Of the images in which it holds places: 3 of tomograms, 2 of micrographs.
    holds_columns
        Names of the optional columns for which it has room.
    holds_filaments_alone
        Whether it tells filaments only where every particle lies on one.
    holds_every_column
        Whether it has room for every optional column (``engine.columns``), and not
        for orientations at most.
    glob
        The files in a folder that may be of this format.
    tomograms_in
        The tomograms that a file names; without it, its own name says the one.
    spell_tomogram, spell_class
        What the program makes of a name of ours.
    list_beside
        Suffix of a file beside it that names the tomograms, if one is written.
    sidecar
        Where the JSON about a file lies.
    heeded
        The ``FormatOptions`` on which the numbers in a file depend; the sidecar says
        them.
    needs_binning
        Why it cannot be read or written without the binning, if so.
    states_binning
        Whether a file states the binning, so that it can be read without.
    holds_words
        Whether names stand in it as words, without blanks and quotes.
    one_voxel_size
        Why a file cannot hold tomograms of several voxel sizes, if so.
    heeds_tomograms
        Whether names and positions are those of RELION's tomograms.star.
    without_tomograms
        What to tell where RELION's tomograms.star is not given but would be heeded.
    groups_have_no_kind
        Whether it has groups of points, and no word for what they are.
    names_columns
        Whether a file names its columns, so that one can be chosen for the scores.
    mirrors_at_centre
        Whether its program mirrors z about voxel n // 2, not about the middle.
    """

    name: str
    program: str
    file: str
    positions: str
    read: Callable[[Path, Frames, FormatOptions], list[Particles]]
    write: Callable[[Sequence[Item], Path, FormatOptions, Numbers], None]
    arranged: Callable[[Particles, Numbers], Particles] | None = None
    not_held: tuple[str, ...] = ()
    dimensions: tuple[int, ...] = (3,)
    holds_columns: tuple[str, ...] = ()
    holds_filaments_alone: bool = False
    holds_every_column: bool = False
    glob: str = "*"
    tomograms_in: Callable[[Path], list[str]] | None = None
    spell_tomogram: Callable[[str], str] = str
    spell_class: Callable[[str], str] = str
    list_beside: str = ""
    sidecar: Callable[[Path], Path] = json_beside
    heeded: tuple[str, ...] = ()
    needs_binning: str = ""
    states_binning: bool = False
    holds_words: bool = False
    one_voxel_size: str = ""
    heeds_tomograms: bool = False
    without_tomograms: str = ""
    groups_have_no_kind: bool = False
    names_columns: bool = False
    mirrors_at_centre: bool = False

    @property
    def title(self) -> str:
        """The format as forms and helps show it."""
        return f"{self.name}: {self.program}"

    @property
    def is_joint(self) -> bool:
        """Whether one file holds all tomograms."""
        return TOMOGRAM not in self.file

    @property
    def is_per_class(self) -> bool:
        """Whether each class of a tomogram has its file."""
        return CLASS in self.file

    @property
    def class_in_name(self) -> bool:
        """Whether a file's name says its class: TOMOGRAM_CLASS."""
        return self.is_per_class and self.tomograms_in is None

    def path_of(self, tomogram_id: str = "", class_name: str = "") -> Path:
        """Return a file's path in the output folder, out of which no name leads.

        Raises
        ------
        InputDataError
            If a name cannot be part of a file's name.
        """
        names = {
            "tomogram": self.spell_tomogram(tomogram_id),
            "class_name": self.spell_class(class_name),
        }
        for what, name in names.items():
            if name:
                require_file_name(name, what=what.replace("_name", "").capitalize())
        return require_path(Path(self.file.format(**names)))

    def names_in(self, path: Path) -> list[str]:
        """Return the tomograms that a file holds by its own account."""
        if self.tomograms_in:
            return self.tomograms_in(path)
        _, _, ending = Path(self.file).stem.partition(TOMOGRAM)
        return [path.stem if CLASS in ending else without_end(path.stem, ending)]

    def owner_of(self, path: Path, known: Sequence[str]) -> tuple[str, str | None]:
        """Return tomogram and class that a file of one tomogram names.

        The class is ``None`` if the name does not say it, or begins with no tomogram
        that is ``known``.
        """
        (name,) = self.names_in(path)
        return split_class(name, known) if self.class_in_name else (name, None)

    def companions(self, path: Path) -> list[Path]:
        """Return what is written beside a file."""
        lists = [path.with_suffix(self.list_beside)] if self.list_beside else []
        return [*lists, self.sidecar(path)]

    def written_globs(self) -> list[str]:
        """Return patterns of what is written into an output folder, but sidecars."""
        pattern = Path(self.file.format(tomogram="*", class_name="*"))
        return list(map(str, [pattern, *self.companions(pattern)[:-1]]))

    def heed(self, options: FormatOptions) -> dict[str, Any]:
        """Return the options on which the numbers in a file depend."""
        return {name: getattr(options, name) for name in self.heeded}


def frame_in(frames: Frames) -> TomogramFrame:
    """Return the frame of a file of one tomogram."""
    (frame,) = frames.values()
    return frame


def particles_in(items: Sequence[Item]) -> Particles:
    """Return the particles for a file of one tomogram."""
    ((particles, _),) = items
    return particles
