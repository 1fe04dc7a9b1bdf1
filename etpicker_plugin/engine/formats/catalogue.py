"""Every coordinate format, in the order in which users see them."""

from __future__ import annotations

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.artiax_list import ARTIAX
from etpicker_plugin.engine.formats.coordinates_csv import CSV
from etpicker_plugin.engine.formats.coordinates_txt import ARTIAX_COORDS, TXT
from etpicker_plugin.engine.formats.copick_json import COPICK
from etpicker_plugin.engine.formats.cryolo_cbox import CRYOLO
from etpicker_plugin.engine.formats.cryosparc_cs import CRYOSPARC
from etpicker_plugin.engine.formats.deepetpicker_coords import DEEPETPICKER
from etpicker_plugin.engine.formats.dynamo_table import DYNAMO
from etpicker_plugin.engine.formats.eman2_json import EMAN2
from etpicker_plugin.engine.formats.eman_boxes import (
    EMAN2_MICROGRAPHS,
    EMAN_BOX,
    EMAN_HELICES,
)
from etpicker_plugin.engine.formats.epicker_thi import EPICKER, EPICKER_COORD
from etpicker_plugin.engine.formats.format import Format
from etpicker_plugin.engine.formats.imod_model_write import IMOD_MODEL
from etpicker_plugin.engine.formats.imod_points import IMOD
from etpicker_plugin.engine.formats.portal_ndjson import PORTAL
from etpicker_plugin.engine.formats.relion_annotations import (
    RELION5_FILAMENTS,
    RELION5_SPHERES,
)
from etpicker_plugin.engine.formats.relion_formats import RELION3, RELION4, RELION5
from etpicker_plugin.engine.formats.relion_import import RELION5_IMPORT
from etpicker_plugin.engine.formats.relion_micrographs import (
    RELION_COORDINATES,
    RELION_MICROGRAPHS,
)
from etpicker_plugin.engine.formats.relion_tubes import RELION_TUBES
from etpicker_plugin.engine.formats.topaz_txt import TOPAZ
from etpicker_plugin.engine.formats.warp_star import WARP, WARP_NORMALISED
from etpicker_plugin.engine.formats.xmipp_pos import XMIPP

IN_TOMOGRAMS: tuple[Format, ...] = (
    CSV,
    TXT,
    RELION3,
    RELION4,
    RELION5,
    DEEPETPICKER,
    DYNAMO,
    IMOD,
    EMAN2,
    COPICK,
    PORTAL,
    WARP,
    WARP_NORMALISED,
    ARTIAX,
    ARTIAX_COORDS,
    RELION5_IMPORT,
    IMOD_MODEL,
    RELION5_SPHERES,
    RELION5_FILAMENTS,
)
IN_MICROGRAPHS: tuple[Format, ...] = (
    RELION_COORDINATES,
    RELION_MICROGRAPHS,
    RELION_TUBES,
    EMAN_BOX,
    EMAN2_MICROGRAPHS,
    XMIPP,
    EPICKER,
    EPICKER_COORD,
    CRYOLO,
    TOPAZ,
    CRYOSPARC,
    EMAN_HELICES,
)
CATALOGUE: tuple[Format, ...] = (*IN_TOMOGRAMS, *IN_MICROGRAPHS)
"""Those of tomograms come first: Scipion's forms offer them alone, by their number."""


def format_named(name: str) -> Format:
    """Return a format by its name.

    Raises
    ------
    ConfigError
        If there is none.
    """
    for known in CATALOGUE:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in CATALOGUE)
    raise ConfigError(f"There is no format '{name}'. Give one of: {names}.")
