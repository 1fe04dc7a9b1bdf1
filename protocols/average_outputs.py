"""What averaging hands to Scipion: maps, curves, aligned subtomograms."""

from enum import Enum
from pathlib import Path

from pwem.objects import SetOfFSCs, Volume, VolumeMask
from pyworkflow.object import Float
from tomo.objects import (
    AverageSubTomogram,
    SetOfAverageSubTomograms,
    SetOfSubTomograms,
)

from etpicker_plugin.convert_subtomograms import (
    align_subtomograms,
    make_average,
    make_fsc,
)
from etpicker_plugin.engine.averaging.records import ALIGNED
from etpicker_plugin.engine.relion.read import read_particles

FSC_CURVES = ("corrected", "unmasked", "masked", "randomised")


class AverageOutputs(Enum):
    Average = AverageSubTomogram
    SubTomograms = SetOfSubTomograms
    FSCs = SetOfFSCs
    Mask = VolumeMask
    LocalResolution = Volume
    Averages = SetOfAverageSubTomograms


def make_refined(protocol, record):
    """Return a refinement's outputs by name, but for the subtomograms."""
    rate = record["voxel_size_ang"]
    outputs = {
        AverageOutputs.Average.name: make_average(
            protocol.getOutFile(record["average"]),
            voxel_size=rate,
            halves=[protocol.getOutFile(name) for name in record["halves"]],
        ),
        AverageOutputs.FSCs.name: read_curves(protocol),
    }
    if protocol.inputMask.get() is None:
        mask = VolumeMask(location=protocol.getOutFile("mask.mrc"))
        mask.setSamplingRate(rate)
        outputs[AverageOutputs.Mask.name] = mask
    if protocol.localResolution.get():
        local = Volume(location=protocol.getOutFile("local_resolution.mrc"))
        local.setSamplingRate(rate)
        outputs[AverageOutputs.LocalResolution.name] = local
    return outputs


def make_classes(protocol, record):
    """Return a classification's averages, by name."""
    rate = record["voxel_size_ang"]
    averages = SetOfAverageSubTomograms.create(
        protocol._getPath(), template="averages%s.sqlite"
    )
    averages.setSamplingRate(rate)
    for item in record["classes"]:
        average = make_average(protocol.getOutFile(item["file"]), voxel_size=rate)
        average.setClassId(item["number"])
        average._share = Float(item["share"])
        averages.append(average)
    averages.write()
    return {AverageOutputs.Averages.name: averages}


def make_aligned(protocol):
    """Return the input's subtomograms with poses, classes and scores."""
    subtomograms = protocol.inputSubTomograms.get()
    aligned = SetOfSubTomograms.create(
        protocol._getPath(), template="subtomograms%s.sqlite"
    )
    aligned.copyInfo(subtomograms)
    aligned.setAlignment3D()
    table, _ = read_particles(Path(protocol.getOutFile(ALIGNED)))
    align_subtomograms(aligned, subtomograms, table)
    aligned.write()
    return aligned


def read_curves(protocol):
    """Return the FSC's curves as a set."""
    curve = protocol.getFsc()["curve"]
    curves = SetOfFSCs.create(protocol._getPath(), template="fscs%s.sqlite")
    for name in FSC_CURVES:
        values = [value or 0.0 for value in curve[name]]
        curves.append(make_fsc(name, curve["frequency_per_ang"], values))
    curves.write()
    return curves
