"""Handing subtomograms over to scipion-em-reliontomo, where that is installed.

Its classification and refinement take pseudo-subtomograms, which mostly come from
tilt series. Boxes with a wedge each serve as well: to RELION both are 3D images with
a weight for every Fourier component.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
from emtable import Table
from pwem.objects import Transform
from pyworkflow.object import String
from tomo.constants import BOTTOM_LEFT_CORNER
from tomo.objects import SetOfSubTomograms

from etpicker_plugin.convert import engine_rotations, frame_of, tomograms_by_id
from etpicker_plugin.convert_kinds import told_kind
from etpicker_plugin.convert_subtomograms import WEDGE, WITH_PRIORS
from etpicker_plugin.engine.geometry import to_centred_ang_xyz
from etpicker_plugin.engine.orientation import to_relion_angles

UNKNOWN = -1
TOMOGRAM_COLUMNS = (
    "rlnTomoName",
    "rlnVoltage",
    "rlnSphericalAberration",
    "rlnAmplitudeContrast",
    "rlnMicrographOriginalPixelSize",
    "rlnTomoHand",
    "rlnOpticsGroupName",
    "rlnTomoTiltSeriesPixelSize",
    "rlnTomoTiltSeriesStarFile",
    "rlnTomoTomogramBinning",
    "rlnTomoSizeX",
    "rlnTomoSizeY",
    "rlnTomoSizeZ",
)


def is_installed() -> bool:
    """Tell whether reliontomo, and the Scipion that it imports, are there."""
    names = ("reliontomo", "relion", "scipion")
    return all(importlib.util.find_spec(name) is not None for name in names)


def make_pseudo_subtomograms(
    folder: str,
    subtomograms: SetOfSubTomograms,
    *,
    star: Path,
    tomograms_star: Path,
):
    """Return a ``RelionSetOfPseudoSubtomograms`` of the same boxes.

    Parameters
    ----------
    star
        The engine's table of the boxes, for its optics.
    tomograms_star
        Where a table of the tomograms is written; their tilt series are not known.
    """
    from relion.convert import OpticsGroups
    from reliontomo import Plugin
    from reliontomo.objects import RelionSetOfPseudoSubtomograms

    rate = subtomograms.getSamplingRate()
    made = RelionSetOfPseudoSubtomograms.create(
        folder, template="relionPSubtomograms%s.sqlite"
    )
    made.setSamplingRate(rate)
    made.setTsSamplingRate(rate)
    made.setRelionBinning(1)
    made.setBoxSize(subtomograms.getFirstItem().getDim()[0])
    made.setAre2dStacks(False)
    made.setAreRe5Particles(Plugin.isRe50())
    acquisition = subtomograms.getAcquisition().clone()
    optics = OpticsGroups(Table(fileName=str(star), tableName="optics"))
    acquisition.opticsGroupInfo = String(optics.toString())
    made.setAcquisition(acquisition)
    made.setCoordinates3D(subtomograms.getCoordinates3D(asPointer=True))
    write_tomograms_star(subtomograms, tomograms_star)
    made.setTomogramsStar(str(tomograms_star))
    for number, item in enumerate(subtomograms.iterSubtomos()):
        made.append(_pseudo_subtomogram(item, number, rate))
    made.setNReParticles(len(subtomograms))
    made.write()
    return made


def write_tomograms_star(subtomograms: SetOfSubTomograms, path: Path) -> None:
    """Write the table of tomograms that reliontomo's protocols pass on."""
    acquisition = subtomograms.getAcquisition()
    table = Table(columns=list(TOMOGRAM_COLUMNS))
    precedents = subtomograms.getCoordinates3D().getPrecedents()
    for ts_id, tomogram in tomograms_by_id(precedents).items():
        rate = tomogram.getSamplingRate()
        table.addRow(
            ts_id,
            acquisition.getVoltage(),
            acquisition.getSphericalAberration(),
            acquisition.getAmplitudeContrast(),
            rate,
            -1,
            "opticsGroup1",
            rate,
            "none.star",
            1,
            *tomogram.getDim(),
        )
    with path.open("w", encoding="utf-8") as stream:
        table.writeStar(stream, tableName="global")


def _pseudo_subtomogram(item, number: int, rate: float):
    from reliontomo.objects import RelionPSubtomogram

    coordinate = item.getCoordinate3D()
    tomogram = coordinate.getVolume()
    ts_id = tomogram.getTsId()
    x, y, z = coordinate.getPosition(BOTTOM_LEFT_CORNER)
    ((x_ang, y_ang, z_ang),) = to_centred_ang_xyz([[z, y, x]], frame_of(tomogram))
    made = RelionPSubtomogram(
        fileName=item.getFileName(),
        samplingRate=rate,
        ctfFile=getattr(item, WEDGE).get(),
        tsId=ts_id,
        classId=1,
        **dict.fromkeys(("x", "y", "z"), 0),
        xInImg=x_ang,
        yInImg=y_ang,
        zInImg=z_ang,
        rdnSubset=number % 2 + 1,
        relionParticleName=f"{ts_id}/{number + 1}",
        visibleFrames="[1]",
        opticsGroupId=1,
        logLikeliCont=UNKNOWN,
        maxValProbDist=UNKNOWN,
        noSignifSamples=UNKNOWN,
        **_angles(item),
        groupId=1,
        normCorrection=1,
        **dict.fromkeys(("coordX", "coordY", "coordZ"), 0),
    )
    made.setTransform(Transform(np.eye(4)))
    made.setCoordinate3D(coordinate)
    return made


def _angles(item) -> dict[str, float]:
    """Return angles and priors: of boxes along filaments and on membranes."""
    rotations = None
    if told_kind(item) in WITH_PRIORS:
        matrix = np.array(item.getCoordinate3D().getMatrix(), dtype=np.float64)
        rotations = engine_rotations([matrix])
    if rotations is None:
        return dict.fromkeys(("rot", "tilt", "psi", "tiltPrior", "psiPrior"), 0)
    rot, tilt, psi = (float(a) for a in to_relion_angles(rotations)[0])
    return {"rot": rot, "tilt": tilt, "psi": psi, "tiltPrior": tilt, "psiPrior": psi}
