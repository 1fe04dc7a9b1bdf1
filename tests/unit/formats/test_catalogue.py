"""The list of formats: complete, told of, and light to import."""

import subprocess
import sys
from pathlib import Path

import pytest

from etpicker_plugin.engine.config.convert import FORMATS
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.catalogue import CATALOGUE, format_named
from etpicker_plugin.engine.formats.format import FormatOptions

ROOT = Path(__file__).parents[3]
LOSSES = {
    "classes",
    "class names",
    "scores",
    "orientations",
    "fractions of a voxel",
}
SLOW = ("pandas", "starfile", "scipy", "mrcfile", "torch")
LIGHT = f"""
import sys
for name in ("pyworkflow", "pwem", "tomo", *{SLOW}):
    sys.modules[name] = None
from etpicker_plugin.engine.cli import build_parser
build_parser().parse_args(["convert", "--input-format", "relion5"])
"""


def test_the_formats_in_the_order_that_users_and_saved_forms_know():
    """A Scipion project stores the number of a choice: append, do not insert."""
    assert FORMATS == (
        *("csv", "txt", "relion3", "relion4", "relion5", "deepetpicker", "dynamo"),
        *("imod", "eman2", "copick", "portal", "warp", "warp-normalised", "artiax"),
        *("artiax-coords", "relion5-import", "imod-model"),
        *("relion5-spheres", "relion5-filaments"),
        *("relion-coordinates", "relion-micrographs", "relion-tubes", "eman-box"),
        *("eman2-micrographs", "xmipp", "epicker", "epicker-coord", "cryolo"),
        *("topaz", "cryosparc", "eman-helices"),
    )


def test_every_format_names_losses_and_options_that_there_are():
    for known in CATALOGUE:
        assert set(known.not_held) <= LOSSES
        assert known.heed(FormatOptions()).keys() == set(known.heeded)
        assert known.tomograms_in or not known.is_joint
        assert known.positions


@pytest.mark.parametrize("name", FORMATS)
def test_a_written_file_names_its_tomogram_and_would_be_found(tmp_path, name):
    known = format_named(name)
    path = known.path_of("TS_01", "ring")
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text("")

    assert list(tmp_path.glob(known.glob)) != []
    assert list(tmp_path.glob(known.written_globs()[0])) == [tmp_path / path]
    if not known.is_joint:
        class_name = "ring" if known.class_in_name else None
        assert known.owner_of(path, ["TS_01"]) == ("TS_01", class_name)


def test_an_unknown_format_is_named_with_those_that_there_are():
    with pytest.raises(ConfigError, match=r"no format 'spider'.*csv, txt, relion3"):
        format_named("spider")


def test_the_documentation_has_a_row_for_every_format_with_its_program():
    table = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")

    rows = {
        known.name: f"\n| `{known.name}` | {known.program} |" for known in CATALOGUE
    }
    assert [name for name, row in rows.items() if row not in table] == []


def test_people_are_shown_the_program_beside_the_word_that_is_kept():
    shown = {known.name: known.title for known in CATALOGUE}

    assert shown["imod"] == "imod: IMOD points (.pts); reads models (.mod) too"
    assert shown["warp"] == "warp: Warp and M particles (.star)"
    assert shown["warp-normalised"] == (
        "warp-normalised: Warp template matching (.star)"
    )
    assert len(set(shown.values())) == len({k.program for k in CATALOGUE})


def test_the_flags_are_made_without_slow_packages():
    done = subprocess.run(
        [sys.executable, "-c", LIGHT], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
