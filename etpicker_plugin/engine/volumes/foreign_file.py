"""Files that are given for MRC volumes and are not: told by their first bytes."""

import math
import struct

COMPRESSED = (
    (b"\x1f\x8b", "gzip", "gunzip --keep"),
    (b"BZh", "bzip2", "bunzip2 --keep"),
    (b"\xfd7zXZ\x00", "xz", "unxz --keep"),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "unzstd --keep"),
    (b"PK\x03\x04", "zip", "unzip"),
)
"""First bytes, name, and the command that unpacks."""

KINDS = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"II+\x00", "a TIFF image"),
    (b"MM\x00+", "a TIFF image"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x00\x00\x00\x03", "a Digital Micrograph file"),
    (b"\x00\x00\x00\x04", "a Digital Micrograph file"),
)

EM_HEADER_BYTES = 512
EM_VOXEL_BYTES = {1: 1, 2: 2, 4: 4, 5: 4, 8: 8, 9: 8}


def describe_foreign(raw: bytes, file_bytes: int, path: str) -> str:
    """Return what a file is and what to do with it; nothing where that is not known."""
    for magic, name, command in COMPRESSED:
        if raw.startswith(magic):
            return f"it is compressed with {name}. Unpack it first: {command} '{path}'"
    for magic, kind in KINDS:
        if raw.startswith(magic):
            return f"it is {kind}. Convert it to MRC first"
    if _is_em(raw, file_bytes):
        return "it is a volume in EM format. Convert it to MRC first"
    return ""


def _is_em(raw: bytes, file_bytes: int) -> bool:
    """Tell an EM file (of TOM, Dynamo, pytom) by its size, as MRC has no such word."""
    if len(raw) < EM_HEADER_BYTES or raw[3] not in EM_VOXEL_BYTES:
        return False
    sizes = (struct.unpack_from(f"{order}3i", raw, 4) for order in "<>")
    voxels = file_bytes - EM_HEADER_BYTES
    return any(
        min(size) > 0 and math.prod(size) * EM_VOXEL_BYTES[raw[3]] == voxels
        for size in sizes
    )
