"""The commands that make the engine's environment, as text; ``installb`` runs them.

Each is a pair of a command and the file that it leaves, from which Scipion knows that
it is done: what was interrupted goes on from there.
"""

from __future__ import annotations

import importlib.metadata
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence

from etpicker_plugin import __version__
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.installed import STAMP

DISTRIBUTION = "scipion-em-etpicker"
ENVIRONMENT = f"etpicker-{__version__}"
CONDA_PYTHON = "3.11"
NEWEST, OLDEST = 13, 10
"""The engine's Pythons are 3.10 to 3.13."""

TORCH = "torch>=2.4"
TORCH_BUILDS = "https://download.pytorch.org/whl"
CUDA_BUILDS = ((13, 0), (12, 8), (12, 6), (12, 4), (12, 1), (11, 8))
"""CUDA versions that torch is or was built for; a driver runs those up to its own."""

OF_PIP = "pip"
"""A value of ETPICKER_CUDA: the build that pip's own index has."""

# Nothing of Scipion's environment, nor of the user's own, gets into the engine's.
APART = "unset PYTHONPATH PYTHONHOME; export PYTHONNOUSERSITE=1; "
MADE, WITH_TORCH, WITH_NEEDS = "environment-made", "torch-installed", "needs-installed"
MODULE = "etpicker_plugin.engine"
SITE_PACKAGES = "import sysconfig; print(sysconfig.get_path('purelib'))"


def conda_start(hook: str) -> tuple[str, str]:
    """Return the command that makes a conda environment, and how its Python starts."""
    make = f"{hook} conda create -y -n {ENVIRONMENT} python={CONDA_PYTHON}"
    return make, f"{hook} conda activate {ENVIRONMENT} && python"


def venv_start(python: str) -> tuple[str, str]:
    """Return the command that makes an environment of a Python, and how its starts."""
    return f"{shlex.quote(python)} -m venv --clear env", "env/bin/python"


def install_commands(
    start: tuple[str, str],
    *,
    torch: Sequence[str],
    needs: Sequence[str],
    place: str,
) -> list[tuple[str, str]]:
    """Return the commands, run in the package's folder, and what each leaves there.

    Parameters
    ----------
    start
        Of ``conda_start`` or ``venv_start``.
    torch, needs
        What pip installs, as its words.
    place
        The command that puts this package into the folder ``$site``.
    """
    make, python = start
    pip = f"{python} -m pip install"
    site = f'site=$({python} -c "{SITE_PACKAGES}")'
    doctor = f"{python} -m {MODULE} doctor"
    return [
        (f"{APART}{make} && touch {MADE}", MADE),
        (f"{APART}{pip} {shlex.join(torch)} && touch {WITH_TORCH}", WITH_TORCH),
        (f"{APART}{pip} {shlex.join(needs)} && touch {WITH_NEEDS}", WITH_NEEDS),
        (
            f"{APART}{site} && {place} && {python} -m {MODULE}.installed . && "
            f"if {doctor} --help >/dev/null 2>&1; then {doctor}; fi; test -f {STAMP}",
            STAMP,
        ),
    ]


def place_package(package: str) -> str:
    """Return the command by which the engine finds the installed package itself.

    A copy would stay as it is when the same version is installed again.
    """
    link = f'ln -s {shlex.quote(package)} "$site/etpicker_plugin"'
    return f'rm -rf "$site/etpicker_plugin" && {link}'


def place_checkout(checkout: str) -> str:
    """Return the command by which the engine finds a checkout, and all that changes."""
    return f'echo {shlex.quote(checkout)} > "$site/etpicker_checkout.pth"'


def refuse_command(message: str) -> list[tuple[str, str]]:
    """Return a command that says why nothing can be installed."""
    return [(f"echo {shlex.quote(message)} >&2; false", STAMP)]


# ------------------------- what this machine has ------------------------------------
def find_python() -> str:
    """Return the newest Python that can be the engine's.

    Raises
    ------
    ConfigError
        If there is none.
    """
    named = [shutil.which(f"python3.{n}") for n in range(NEWEST, OLDEST - 1, -1)]
    own = [sys.executable] if (3, OLDEST) <= sys.version_info[:2] <= (3, NEWEST) else []
    for python in filter(None, [*named, *own]):
        asked = subprocess.run(
            [python, "-c", "import ensurepip, venv"], capture_output=True
        )
        if asked.returncode == 0:
            return python
    raise ConfigError(
        f"etpicker's engine needs a Python 3.{OLDEST} to 3.{NEWEST} that can make "
        "environments, or conda; none is on the PATH. On Debian and Ubuntu: apt-get "
        "install python3-venv. Then run 'scipion3 installb etpicker' again."
    )


def torch_words(cuda: str, driver: tuple[int, int] | None) -> list[str]:
    """Return what pip is told to install of torch.

    ``cuda`` is what the user wants: a version such as 12.6, ``cpu``, ``pip``, or
    nothing; ``driver`` is the newest CUDA version that a driver here runs.

    Raises
    ------
    ConfigError
        If ``cuda`` is none of these.
    """
    if cuda == OF_PIP:
        return [TORCH]
    return [TORCH, "--index-url", f"{TORCH_BUILDS}/{_build(cuda, driver)}"]


def _build(cuda: str, driver: tuple[int, int] | None) -> str:
    if cuda == "cpu":
        return cuda
    if cuda:
        wanted = re.fullmatch(r"(?:cu)?(\d\d)\.?(\d)", cuda)
        if wanted is None:
            raise ConfigError(
                f"ETPICKER_CUDA is '{cuda}'. Expected a CUDA version such as 12.6, "
                f"'cpu', or '{OF_PIP}' for the build in pip's own index."
            )
        return f"cu{wanted[1]}{wanted[2]}"
    able = [build for build in CUDA_BUILDS if driver is not None and build <= driver]
    return "cu{}{}".format(*able[0]) if able else "cpu"


def driver_cuda() -> tuple[int, int] | None:
    """Return the newest CUDA version that this machine's driver runs, if it has one."""
    try:
        asked = subprocess.run(
            ["nvidia-smi"], capture_output=True, encoding="utf-8", timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read_driver(asked.stdout)


def read_driver(said: str) -> tuple[int, int] | None:
    """Return the CUDA version in what nvidia-smi says."""
    found = re.search(r"CUDA(?: \w+)? Version\s*:\s*(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else None


def engine_needs() -> list[str]:
    """Return what the engine needs, of which setup.py keeps the list.

    Raises
    ------
    ConfigError
        If this package is not installed, but found by its folder.
    """
    try:
        listed = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise ConfigError(
            "What etpicker's engine needs is not known: this etpicker is a checkout "
            "that is not installed. Run 'scipion3 pip install -e CHECKOUT' first."
        ) from error
    parts = [need.partition(";") for need in listed]
    return [
        need.strip()
        for need, _, condition in parts
        if re.search(r"extra\s*==\s*[\"']engine[\"']", condition)
    ]
