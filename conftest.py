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


def set_scipion_environment(home: Path) -> None:
    """Point Scipion to that home; before the first import of pyworkflow."""
    os.environ.update(
        SCIPION_HOME=str(home),
        SCIPION_USER_DATA=str(home / "data"),
        SCIPION_HOSTS=str(home / "config" / "hosts.conf"),
        SCIPION_DOMAIN="pwem",
        SCIPION_NOTIFY="False",
        SCIPION_PYTHON=sys.executable,
        SCIPION_PRIORITY_PACKAGE_LIST="pwem tomo etpicker_plugin",
        SCIPION_TEST_NOSYNC="True",
        # The jobs that Scipion starts find the checkout, installed or not.
        PYTHONPATH=os.pathsep.join(
            p for p in (str(ROOT), os.environ.get("PYTHONPATH")) if p
        ),
    )
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))


set_scipion_environment(make_scipion_home())
