"""Which STAR files the picks of a tomogram or micrograph get, and what is in them."""

from dataclasses import replace

import emtable
import pytest

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.geometry import TomogramFrame
from etpicker_plugin.engine.kinds import FILAMENT, VESICLE
from etpicker_plugin.engine.model.card import ModelCard
from etpicker_plugin.engine.particles import make_particles
from etpicker_plugin.engine.picking.star_tables import (
    check_tables,
    coordinate_tables,
    star_tables,
    write_table,
)
from etpicker_plugin.engine.species import Species

RIBOSOME = Species("ribosome", 320.0, 140.0)
FERRITIN = Species("ferritin", 130.0, 60.0)
TUBE = Species("tube", 250.0, 110.0, kind=FILAMENT)
ACTIN = Species("actin", 70.0, 50.0, kind=FILAMENT)
SACK = Species("sack", 700.0, 50.0, kind=VESICLE)


def test_one_class_has_the_tomograms_name():
    assert star_tables("T", [RIBOSOME]) == {"T.star": ["ribosome"]}
    assert star_tables("T", [TUBE]) == {"T.star": ["tube"]}


def test_filaments_and_vesicles_beside_others_have_tables_of_their_own():
    assert star_tables("T", [RIBOSOME, TUBE, SACK, ACTIN]) == {
        "T.star": ["ribosome"],
        "T_tube.star": ["tube"],
        "T_sack.star": ["sack"],
        "T_actin.star": ["actin"],
    }
    assert star_tables("T", [TUBE, ACTIN]) == {
        "T_tube.star": ["tube"],
        "T_actin.star": ["actin"],
    }


def test_each_class_of_a_micrograph_has_a_file_of_its_own():
    assert coordinate_tables("m", [RIBOSOME]) == {"m_autopick.star": ["ribosome"]}
    assert coordinate_tables("m", [RIBOSOME, FERRITIN]) == {
        "m_ribosome_autopick.star": ["ribosome"],
        "m_ferritin_autopick.star": ["ferritin"],
    }


def card_of(*species, network="fast-2d"):
    return ModelCard(
        network=network,
        classes=species,
        working_voxel_size=7.0,
        annotation="complete",
        tomograms=(),
        training={},
        code_version="0",
    )


def test_two_micrographs_do_not_share_a_file():
    """Class x_1 of m is written where class 1 of m_x is."""
    other = [replace(RIBOSOME, name="x_1"), replace(FERRITIN, name="1")]

    with pytest.raises(ConfigError, match=r"m_x_1_autopick.star would hold picks of m"):
        check_tables(["m", "m_x"], card_of(*other))

    check_tables(["m", "m_x"], card_of(RIBOSOME, FERRITIN))
    check_tables(["m", "m_x"], card_of(RIBOSOME))


def test_a_micrographs_file_holds_its_class_under_the_models_number(tmp_path):
    picks = make_particles(
        "m",
        [[0, 20.25, 61.5], [0, 7.0, 8.0]],
        class_names=["ferritin", "ribosome"],
        scores=[0.75, 0.5],
    )
    frame = TomogramFrame(tomogram_id="m", shape_zyx=(1, 40, 90), voxel_size=1.5)

    write_table(
        picks,
        frame,
        tmp_path / "m.star",
        classes=["ferritin"],
        card=card_of(RIBOSOME, FERRITIN),
    )

    (row,) = emtable.Table.iterRows(str(tmp_path / "m.star"))
    assert (row.rlnCoordinateX, row.rlnCoordinateY) == (61.5, 20.25)
    assert row.rlnAutopickFigureOfMerit == 0.75
    assert (row.rlnClassNumber, row.etpickerClassName) == (2, "ferritin")


def test_a_tomograms_table_is_of_subtomograms(tmp_path):
    picks = make_particles("T", [[3, 20.0, 61.0]], class_names="ribosome", scores=[0.5])
    frame = TomogramFrame(tomogram_id="T", shape_zyx=(10, 40, 90), voxel_size=10.0)

    write_table(
        picks,
        frame,
        tmp_path / "T.star",
        classes=["ribosome"],
        card=card_of(RIBOSOME, network="fast"),
    )

    (row,) = emtable.Table.iterRows(f"particles@{tmp_path / 'T.star'}")
    assert (row.rlnCenteredCoordinateXAngst, row.rlnTomoName) == (160.0, "T")
