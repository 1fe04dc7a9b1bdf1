"""A Scipion of the tests' own: nothing of the user's is read or written."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent
HOSTS = """\
[localhost]
PARALLEL_COMMAND = mpirun -np %_(JOB_NODES)d %_(COMMAND)s
"""


def make_scipion_home() -> Path:
    """Return a fresh Scipion home with a hosts file, removed at the end."""
    home = Path(tempfile.mkdtemp(prefix="etpicker_scipion_"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    hosts = home / "config" / "hosts.conf"
    hosts.parent.mkdir()
    hosts.write_text(HOSTS, encoding="utf-8")
    return home


def link_relion(home: Path) -> Path:
    """Return a folder that its plugins take for RELION 5: they ask for the name alone.

    The tests run whichever RELION is installed; what they do is the same since 3.1.
    """
    folder = home / "relion-5.0"
    program = shutil.which("relion_refine")
    folder.mkdir()
    if program is not None:
        (folder / "bin").symlink_to(Path(program).parent)
    return folder


def set_scipion_environment(home: Path) -> None:
    """Point Scipion to that home; before the first import of pyworkflow."""
    relion = str(link_relion(home))
    os.environ.update(
        SCIPION_HOME=str(home),
        SCIPION_USER_DATA=str(home / "data"),
        SCIPION_HOSTS=str(home / "config" / "hosts.conf"),
        SCIPION_DOMAIN="pwem",
        SCIPION_NOTIFY="False",
        SCIPION_PYTHON=sys.executable,
        SCIPION_PRIORITY_PACKAGE_LIST="pwem tomo etpicker_plugin",
        SCIPION_TEST_NOSYNC="True",
        RELIONTOMO_HOME=relion,
        # Open MPI on a container's few cores, started by root.
        OMPI_ALLOW_RUN_AS_ROOT="1",
        OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
        OMPI_MCA_rmaps_base_oversubscribe="1",
        OMPI_MCA_btl="self,vader",
        OMPI_MCA_btl_vader_single_copy_mechanism="none",
        # The jobs that Scipion starts find the checkout, installed or not.
        PYTHONPATH=os.pathsep.join(
            p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p
        ),
    )
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))


set_scipion_environment(make_scipion_home())
