"""What others reached, with where it is stated. Nothing here was measured by us."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One method on CZII's challenge.

    Attributes
    ----------
    total
        The weighted F4 of all classes.
    classes
        F4 of those classes that are stated.
    judged_on
        Tomograms that the number is of; only those of one set can be compared.
    """

    method: str
    total: float
    judged_on: str
    source: str
    classes: dict[str, float]


PRIVATE = "the challenge's hidden ones"
PORTAL = "cryoetdataportal.czscience.com/competition"
TOPCUP = "topcup 1.2.2 (PyPI), its README"

CZII = (
    Row("1st place", 0.78759, PRIVATE, PORTAL, {}),
    Row("2nd place", 0.78381, PRIVATE, PORTAL, {}),
    Row("3rd place", 0.78351, PRIVATE, PORTAL, {}),
    Row(
        "TopCUP, ensemble",
        0.7740,
        "its authors' tomograms",
        TOPCUP,
        {
            "apo-ferritin": 0.917,
            "beta-amylase": 0.473,
            "beta-galactosidase": 0.666,
            "ribosome": 0.923,
            "thyroglobulin": 0.654,
            "virus-like-particle": 0.938,
        },
    ),
    Row("TopCUP, 6 training tomograms", 0.7416, "its authors' tomograms", TOPCUP, {}),
    Row("TopCUP, 12", 0.7505, "its authors' tomograms", TOPCUP, {}),
    Row("TopCUP, 24", 0.7269, "its authors' tomograms", TOPCUP, {}),
)

SHREC_2021 = (
    "Seven methods and template matching, in these columns: tables of Gubins et al., "
    "SHREC 2021: Classification in cryo-electron tomograms, doi:10.2312/3dor.20211307, "
    "arXiv 2203.10035. Their test tomogram is model_9."
)
