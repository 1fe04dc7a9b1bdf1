"""STAR files of each RELION version, with the two particles made by hand."""

RELION3 = """
data_optics

loop_
_rlnOpticsGroup #1
_rlnOpticsGroupName #2
_rlnMicrographPixelSize #3
1 opticsGroup1 10.0

data_particles

loop_
_rlnMicrographName #1
_rlnCoordinateX #2
_rlnCoordinateY #3
_rlnCoordinateZ #4
_rlnOpticsGroup #5
_rlnAutopickFigureOfMerit #6
_rlnClassNumber #7
Tomograms/TS_01.mrc 12.25 50.0 7.0 1 0.75 1
Tomograms/TS_01.mrc 30.0 3.0 20.0 1 0.5 2
"""


TOMO = """
data_optics

loop_
_rlnOpticsGroup #1
_rlnOpticsGroupName #2
_rlnTomoTiltSeriesPixelSize #3
1 opticsGroup1 {pixel_size}

data_particles

loop_
_rlnTomoName #1
_{x} #2
_{y} #3
_{z} #4
_rlnOpticsGroup #5
_rlnAutopickFigureOfMerit #6
_etpickerClassName #7
TS_01 {a} 1 0.75 ribosome
TS_01 {b} 1 0.5 ring
"""


BY_BINNING = {
    1: ("12.25 50.0 7.0", "30.0 3.0 20.0"),
    2: ("24.5 100.0 14.0", "60.0 6.0 40.0"),
    4: ("49.0 200.0 28.0", "120.0 12.0 80.0"),
}


BY_CENTRE = {
    ("half", 1): ("-82.5 215.0 -95.0", "95.0 -255.0 35.0"),
    ("half", 4): ("-82.5 215.0 -95.0", "95.0 -255.0 35.0"),
    ("half-minus-one", 1): ("-72.5 225.0 -85.0", "105.0 -245.0 45.0"),
    ("half-minus-one", 4): ("-80.0 217.5 -92.5", "97.5 -252.5 37.5"),
}


def relion4_text(binning):
    a, b = BY_BINNING[binning]
    x, y, z = (f"rlnCoordinate{axis}" for axis in "XYZ")
    return TOMO.format(pixel_size=10.0 / binning, x=x, y=y, z=z, a=a, b=b)


def relion5_text(centre, binning):
    a, b = BY_CENTRE[centre, binning]
    x, y, z = (f"rlnCenteredCoordinate{axis}Angst" for axis in "XYZ")
    return TOMO.format(pixel_size=10.0 / binning, x=x, y=y, z=z, a=a, b=b)
