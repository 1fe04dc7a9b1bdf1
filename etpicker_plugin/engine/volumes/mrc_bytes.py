"""Are the bytes of mode 0 signed? Programs disagree, and a wrong guess makes noise.

MRC2014 says signed; before, they were unsigned, and some programs still write so.
IMOD says it by a flag beside its stamp. The lowest and highest value in the header
often tell too. Where these disagree, or none is there, the voxels decide: read the
wrong way, what lies on either side of the middle value is torn apart by 256. Where the
header is of one mind it is believed, and a doubt of the voxels is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import FileIO
from typing import Tuple

import numpy as np
from numpy.typing import NDArray

from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.volumes.mrc_fields import Fields
from etpicker_plugin.engine.volumes.mrc_header import MrcHeader
from etpicker_plugin.engine.volumes.watched_file import read_at

IMOD_STAMP = 1146047817
SIGNED_FLAG = 1
MRC2014 = (20140, 20141)
SAMPLED_PLANES = 8
CLEARLY = 1.5
"""So many times rougher is one reading than the other where the voxels decide."""

Claim = Tuple[str, bool]
"""Evidence in words, and whether it says unsigned; the weightiest stands first."""


def are_unsigned(header: MrcHeader, stream: FileIO) -> tuple[bool, str]:
    """Return whether mode 0 holds 0 to 255, and a remark where that is in doubt."""
    claims = header_claims(header.fields)
    told = unsigned_by_roughness(_sample(header, stream))
    verdicts = {unsigned for _, unsigned in claims}
    if len(verdicts) == 1:
        (unsigned,) = verdicts
        if told in (None, unsigned):
            return unsigned, ""
        return unsigned, _remark(claims, unsigned, "though the voxels look otherwise")
    if told is not None:
        remark = _remark(claims, told, "as the voxels tell") if claims or told else ""
        return told, remark
    if not claims:
        return False, ""
    unsigned = claims[0][1]
    return unsigned, _remark(claims, unsigned, "as the first says")


def _remark(claims: list[Claim], unsigned: bool, by: str) -> str:
    found = ", but ".join(words for words, _ in claims) or "its header does not tell"
    range_ = "unsigned, 0 to 255" if unsigned else "signed, -128 to 127"
    return f"signed or unsigned bytes? {found}; read as {range_}, {by}"


def header_claims(fields: Fields) -> list[Claim]:
    """Return what in a header tells signed from unsigned bytes."""
    claims = []
    has_imod_stamp = fields.imod_stamp == IMOD_STAMP
    if has_imod_stamp:
        unsigned = not fields.imod_flags & SIGNED_FLAG
        words = f"IMOD's flag says {'un' if unsigned else ''}signed"
        claims.append((words, unsigned))
    low, high = fields.lowest, fields.highest
    if -128 <= low <= high <= 255 and low == int(low) and high == int(high):
        words = f"its header's values go from {low:g} to {high:g}"
        if low < 0 and high <= 127:
            claims.append((words, False))
        if low >= 0 and high > 127:
            claims.append((words, True))
    if not has_imod_stamp and fields.version in MRC2014:
        claims.append(("MRC2014 has signed bytes", False))
    return claims


def unsigned_by_roughness(sample: NDArray[np.uint8]) -> bool | None:
    """Return which reading makes the smoother image; None where neither clearly does.

    Two values alone, a mask's, say nothing: 0 and 255 are as near as 0 and -1.

    Parameters
    ----------
    sample
        ``(N, columns)`` rows of bytes.
    """
    if np.count_nonzero(np.bincount(sample.ravel(), minlength=256)) <= 2:
        return None
    as_unsigned, as_signed = map(_roughness, (sample, sample.view(np.int8)))
    if as_signed > CLEARLY * as_unsigned:
        return True
    return False if as_unsigned > CLEARLY * as_signed else None


def _roughness(rows: NDArray[np.generic]) -> float:
    """Return the mean step from a voxel to the next."""
    return float(np.abs(np.diff(rows.astype(np.int16), axis=-1)).mean())


def _sample(header: MrcHeader, stream: FileIO) -> NDArray[np.uint8]:
    """Return rows of planes that are spread evenly through the file."""
    sections, rows, columns = header.stored_shape
    number = min(SAMPLED_PLANES, sections)
    sample = np.empty((number, rows, columns), np.uint8)
    for plane, section in zip_strict(sample, _middles(sections, number)):
        read_at(stream, header.offset + section * rows * columns, plane)
    return sample.reshape(-1, columns)


def _middles(length: int, number: int) -> Sequence[int]:
    return [(2 * i + 1) * length // (2 * number) for i in range(number)]
