"""Whether formats hold places in the images that are given: volumes, or planes."""

from collections.abc import Iterable

from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.formats.catalogue import CATALOGUE
from etpicker_plugin.engine.formats.format import Format
from etpicker_plugin.engine.geometry import TomogramFrame

IMAGES = {2: "micrographs", 3: "tomograms"}


def refuse_other_images(
    frames: Iterable[TomogramFrame], formats: Iterable[Format], *, mirror_z: bool
) -> None:
    """Refuse images in which one of the formats does not hold places.

    An image of one plane is a micrograph.

    Raises
    ------
    ConfigError
        Naming the image and the formats for such.
    """
    known = list(formats)
    for frame in frames:
        z, y, x = frame.shape_zyx
        number = 2 if z == 1 else 3
        size = f"{x} x {y}" if z == 1 else f"{x} x {y} x {z}"
        for format_ in known:
            if number not in format_.dimensions:
                others = [k.name for k in CATALOGUE if number in k.dimensions]
                raise ConfigError(
                    f"The format {format_.name} holds places in "
                    f"{IMAGES[format_.dimensions[0]]}, but {frame.tomogram_id} is one "
                    f"of the {IMAGES[number]} ({size}). Formats for {IMAGES[number]}: "
                    f"{', '.join(others)}."
                )
        if mirror_z and number == 2:
            raise ConfigError(
                f"--mirror-z: {frame.tomogram_id} is a micrograph ({size}), which has "
                "no z. Leave it out."
            )
