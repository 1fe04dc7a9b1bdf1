"""Atoms of a PDB or mmCIF file, as a density map."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from etpicker_plugin.engine.errors import InputDataError, ResourceError

ATOM_FILES = (
    *(".pdb", ".ent", ".cif", ".mmcif"),
    *(".pdb.gz", ".ent.gz", ".cif.gz", ".mmcif.gz"),
)
GRID_ANG = 4.0
BLUR_ANG = 4.0
MARGIN_ANG = 24.0


def density_of_atoms(path: Path) -> tuple[NDArray[np.float32], float]:
    """Return a map of the atoms' nuclear charges, blurred, and its voxel size (Å).

    Finer than tomograms show, so that it is rescaled as any map. Hydrogens and
    waters, which few files hold, are left out.

    Raises
    ------
    InputDataError
        If the file cannot be read, or holds no atoms.
    ResourceError
        If the library that reads such files is not installed.
    """
    places, charges = _read_atoms(path)
    low = places.min(axis=0) - MARGIN_ANG
    shape = np.ceil((places.max(axis=0) + MARGIN_ANG - low) / GRID_ANG).astype(int)
    if np.prod(shape.astype(float)) > 1e9:
        raise InputDataError(
            f"Atoms {path}: they are spread over {shape[0] * GRID_ANG:.0f} x "
            f"{shape[1] * GRID_ANG:.0f} x {shape[2] * GRID_ANG:.0f} Å, too far for a "
            "particle. Give the file of one assembly."
        )
    edges = [np.arange(n + 1) * GRID_ANG for n in shape]
    counts, _ = np.histogramdd(places - low, bins=edges, weights=charges)
    blurred = ndimage.gaussian_filter(counts.astype(np.float32), BLUR_ANG / GRID_ANG)
    return np.ascontiguousarray(blurred.transpose(2, 1, 0)), GRID_ANG


def _read_atoms(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return positions ``(N, 3)`` xyz (Å) and nuclear charges of the first model."""
    try:
        import gemmi
    except ImportError as error:
        raise ResourceError(
            f"Atoms {path}: reading PDB and mmCIF files needs the library gemmi, which "
            "is not installed here. Install it ('pip install gemmi', in the engine's "
            "environment), or give a density map (MRC)."
        ) from error
    if not path.is_file():
        raise InputDataError(f"Atoms {path}: no such file. Check the path.")
    try:
        structure = gemmi.read_structure(str(path))
    except (RuntimeError, ValueError, OSError) as error:
        raise InputDataError(
            f"Atoms {path}: cannot be read as PDB or mmCIF ({error}). Give another "
            "file, or a density map (MRC)."
        ) from error
    structure.remove_waters()
    structure.remove_hydrogens()
    atoms = structure[0].all() if len(structure) else ()
    found = [(*one.atom.pos.tolist(), one.atom.element.atomic_number) for one in atoms]
    table = np.array(found, dtype=np.float64).reshape(-1, 4)
    if not len(table) or not np.isfinite(table).all():
        raise InputDataError(
            f"Atoms {path}: no atoms in it. Give a file with coordinates, or a density "
            "map (MRC)."
        )
    return table[:, :3], table[:, 3]
