"""Several pickers' sets of coordinates as an input: names, files and checks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from etpicker_plugin.protocols import checks
from etpicker_plugin.protocols.form import split_words
from etpicker_plugin.protocols.protocol_base import set_label
from pyworkflow.protocol import params

from etpicker_plugin.convert import (
    link_tomogram,
    particles_by_tomogram,
    tomogram_link,
    tomograms_by_id,
)
from etpicker_plugin.convert_images import image_ids, images_of, sampling_rate_of
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.coordinates_csv import write_csv
from etpicker_plugin.engine.names import suggest
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.particles import make_particles

LETTERS = "ABCDEFGH"


def add_picker_sets(form, *, least, takes="SetOfCoordinates3D"):
    """Ask for the sets and what to call them; ``takes`` are Scipion's classes."""
    form.addParam(
        "inputSets",
        params.MultiPointerParam,
        pointerClass=takes,
        minNumObjects=least,
        maxNumObjects=5,
        important=True,
        label="Sets of picks",
        help="One set for each picker, of the same images and the same particle: from "
        "this plugin, another picker, template matching or a human. All coordinates of "
        "a set count, whatever their group ids; of filaments and vesicles these number "
        "them.",
    )
    form.addParam(
        "setNames",
        params.StringParam,
        default="",
        label="Names",
        help="What to call the sets, in their order, separated by spaces: letters, "
        "digits, '-' and '_'. Empty: the labels of the sets where they differ, else "
        "A, B, C ...",
    )


def picker_names(labels: Sequence[str], given: str | None) -> list[str]:
    """Return a name for each set.

    Raises
    ------
    ConfigError
        If names are given, but not one for each set.
    """
    names = split_words(given)
    if names and len(names) != len(labels):
        raise ConfigError(
            f"Names: got {len(names)} ({', '.join(names)}) for {len(labels)} set(s). "
            "Give one for each, or none."
        )
    if not names:
        names = [suggest(label) if label.strip() else "" for label in labels]
        if "" in names or len({name.lower() for name in names}) < len(names):
            names = list(LETTERS[: len(labels)])
    return names


class PickerSets:
    """Mixin of the protocols whose input are several pickers' sets."""

    def _names(self):
        labels = [set_label(pointer) for pointer in self.inputSets]
        return picker_names(labels, self.setNames.get())

    def _tomograms(self):
        """Return the tomograms of the first set by tsId."""
        return tomograms_by_id(images_of(self.inputSets[0].get()))

    def _rate(self):
        return sampling_rate_of(self.inputSets[0].get())

    def _sources(self):
        """Return the sets by name."""
        pairs = zip_strict(self._names(), self.inputSets)
        return {name: pointer.get() for name, pointer in pairs}

    def _folder(self, name):
        return self._getExtraPath("picks", name)

    def _tomogramLinks(self):
        return [
            self._getExtraPath("tomograms", tomogram_link(tomogram))
            for tomogram in self._tomograms().values()
        ]

    def _writeSet(self, coordinates, folder, class_name, *, kinds=None):
        """Write a CSV for every tomogram that the set's picker was given."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        source = (coordinates, lambda _group: class_name)
        found = particles_by_tomogram([source], kinds=kinds)
        for ts_id in image_ids(images_of(coordinates)):
            particles = found.get(ts_id, make_particles(ts_id, []))
            write_csv(particles, Path(folder) / f"{ts_id}.csv")

    def _writeSets(self, class_name, *, kinds=None):
        for name, coordinates in self._sources().items():
            self._writeSet(coordinates, self._folder(name), class_name, kinds=kinds)
        for tomogram in self._tomograms().values():
            link_tomogram(tomogram, self._getExtraPath("tomograms"))

    def _findSetErrors(self, sets):
        """Compare every set with the first one's tomograms."""
        first = self.inputSets[0].get()
        mixed = checks.check_one_kind(first, sets.items(), of="coordinates")
        if mixed:
            return mixed
        known = self._tomograms()
        errors = []
        for name, item in sets.items():
            rates = [(name, sampling_rate_of(item))]
            errors += checks.check_sampling_rates(self._rate(), rates, of="coordinates")
            names = image_ids(images_of(item))
            errors += checks.check_names(known, names, of=f"coordinates '{name}'")
        return [
            *errors,
            *checks.check_headers(known, trusted=self.trustVoxelSize.get()),
            *checks.check_writable(self),
        ]

    def _warnSets(self):
        known = set(self._tomograms())
        warnings = []
        for name, item in self._sources().items():
            others = set(image_ids(images_of(item)))
            if others != known:
                left_out = checks.shorten(sorted(known ^ others))
                warnings.append(
                    f"Left out, not in both the first and {name}: {left_out}."
                )
        return warnings
