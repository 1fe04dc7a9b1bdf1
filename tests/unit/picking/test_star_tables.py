"""Which STAR files a tomogram's picks get."""

from etpicker_plugin.engine.kinds import FILAMENT, VESICLE
from etpicker_plugin.engine.picking.records import star_tables
from etpicker_plugin.engine.species import Species

RIBOSOME = Species("ribosome", 320.0, 140.0)
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
