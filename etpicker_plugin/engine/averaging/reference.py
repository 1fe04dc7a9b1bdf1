"""A first reference from the boxes alone: a blob, then a few rounds of alignment."""

import logging
from dataclasses import replace

from scipy.spatial.transform import Rotation

from etpicker_plugin.engine.averaging.inputs import Boxes
from etpicker_plugin.engine.averaging.job import Job, iteration_file, latest_optimiser
from etpicker_plugin.engine.formats.relion_priors import PRIORS
from etpicker_plugin.engine.orientation import to_relion_angles
from etpicker_plugin.engine.relion.plans import Search, class3d, reconstruct
from etpicker_plugin.engine.relion.poses import ANGLES
from etpicker_plugin.engine.subtomograms.star import write_tables

logger = logging.getLogger(__name__)

ROUNDS = 10
TAU2_FUDGE = 4.0


def make_reference(boxes: Boxes, job: Job, *, search: Search) -> str:
    """Average the boxes in random orientations, then let them find each other.

    Where tilt and psi are known, along a filament or on a membrane, they are taken
    and the turn about these alone is random: the average is round about z, a tube or
    a sheet, and serves as it is.

    Otherwise the blob's shape is broken by the noise in it: with few or faint boxes
    the result can stay one. Its grey scale is the boxes'.

    Returns
    -------
    str
        The map, from the job's folder.

    Raises
    ------
    ExternalProgramError
        If RELION fails.
    """
    logger.warning(
        "No reference was given: one is made from the boxes. Look at it before you "
        "trust what follows; a map of a related particle is surer."
    )
    folder = job.folder / "reference"
    folder.mkdir(exist_ok=True)
    turned = boxes.particles.copy()
    random = Rotation.random(len(turned), random_state=search.seed)
    turned[list(ANGLES)] = to_relion_angles(random.as_matrix())
    if search.priors is not None and search.priors.sigma_deg:
        turned[list(ANGLES[1:])] = boxes.particles[list(PRIORS)]
    write_tables({"optics": boxes.optics, "particles": turned}, folder / "random.star")
    blob = reconstruct(
        "reference/random.star",
        "reference/blob.mrc",
        voxel_size=boxes.voxel_size,
        highest_ang=search.initial_lowpass_ang,
    )
    job.run("blob", blob)
    if search.priors is not None and search.priors.sigma_deg:
        return "reference/blob.mrc"
    search = replace(search, correct_greyscale=True, ranks=1)
    plan = class3d(
        "input.star",
        "reference/run",
        reference="reference/blob.mrc",
        search=search,
        iterations=ROUNDS,
        tau2_fudge=TAU2_FUDGE,
    )
    job.run_iterations(
        "reference", plan, root="reference/run", search=search, total=ROUNDS
    )
    last = latest_optimiser(job.folder, "reference/run")
    if last is None:
        return "reference/blob.mrc"
    return str(iteration_file(last, "class001.mrc").relative_to(job.folder))
