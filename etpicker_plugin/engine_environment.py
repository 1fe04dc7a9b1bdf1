"""Which Python runs the engine, and what is wrong with it before a job starts."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from etpicker_plugin import __version__
from etpicker_plugin.constants import ETPICKER_ENV_ACTIVATION, ETPICKER_PYTHON
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.installed import INSTALL, STAMP, Installed, read_stamp

OLDEST = (3, 10)
ONLY_THE_ENGINES = ("torch", "starfile", "tqdm")
"""What an environment has that is the engine's, and Scipion's own has not."""

PROBE = (
    "import importlib.util as u, etpicker_plugin as e; "
    "print(e.__version__, u.find_spec('torch') is not None)"
)
PROBE_S = 60.0


@dataclass(frozen=True)
class Engine:
    """How the engine's Python starts: after ``activation``, a command, if there is one.

    ``variable`` is that of Scipion's configuration which names it, if the user did.
    """

    python: str
    activation: str = ""
    variable: str = ""

    def line(self, words: str, *, setting: str = "") -> str:
        """Return the shell's line that runs Python with ``words`` and a ``setting``."""
        before = f"{self.activation} && " if self.activation else ""
        setting = f"{setting} " if setting else ""
        return f"{before}{setting}{shlex.quote(self.python)} {words}"

    def words(self, *arguments: str) -> list[str]:
        """Return the words of a process that becomes Python."""
        if not self.activation:
            return [self.python, *arguments]
        line = f"{self.activation} && exec {self.python} {shlex.join(arguments)}"
        return ["bash", "-c", line]


def find_engine(
    *,
    python: str,
    activation: str,
    default_activation: str,
    home: str,
    package: str = "",
) -> Engine:
    """Return the engine's Python: the user's own, the one installed, or this one.

    Parameters
    ----------
    python, activation
        Values of Scipion's variables; ``python`` wins.
    default_activation
        Of the environment that ``installb`` makes, whose Python is known.
    home
        Where it makes it.
    package
        The folder of Scipion's etpicker, which the engine is to run; nothing where each
        job is told, as in a checkout.

    Raises
    ------
    ConfigError
        If none is installed, saying what to do.
    """
    if python:
        return Engine(python, variable=ETPICKER_PYTHON)
    if activation != default_activation:
        return Engine("python", activation, variable=ETPICKER_ENV_ACTIVATION)
    installed, fault = read_stamp(home), find_fault(Path(home), package)
    if installed is not None and not fault:
        return Engine(installed.python)
    if is_engine_here():
        return Engine(sys.executable)
    raise ConfigError(fault)


def is_engine_here() -> bool:
    """Return whether Scipion's own environment has all of the engine, as in tests."""
    return sys.version_info >= OLDEST and all(
        importlib.util.find_spec(name) for name in ONLY_THE_ENGINES
    )


def find_fault(home: Path, package: str = "") -> str:
    """Return what is wrong with what ``installb`` made, and what to do; or nothing.

    ``package`` is the folder of Scipion's etpicker, if the engine is to run that.
    """
    installed = read_stamp(home)
    if installed is None:
        return _fault_of_unfinished(home)
    if installed.version != __version__:
        return _of_another_version(home, installed.version)
    again = f"Remove {home} and run '{INSTALL}'."
    if not Path(installed.python).is_file():
        return f"The Python of etpicker's engine, {installed.python}, is gone. {again}"
    if find_in(installed, "torch") is None:
        return (
            f"etpicker's engine has lost its torch: {installed.python} has no such "
            f"package. {again}"
        )
    if package and not _runs(installed, package):
        return (
            f"etpicker's engine in {home} does not run Scipion's etpicker, {package}, "
            f"but another one. Remove {home / STAMP} and run '{INSTALL}'."
        )
    return ""


def _fault_of_unfinished(home: Path) -> str:
    if home.is_dir() and any(home.iterdir()):
        return (
            f"The installation of etpicker's engine in {home} has not come to its end. "
            f"Run '{INSTALL}' again: it goes on from there, and says what fails."
        )
    others = sorted(path.parent for path in home.parent.glob(f"etpicker-*/{STAMP}"))
    versions = [found.version for found in map(read_stamp, others) if found is not None]
    if versions:
        return _of_another_version(home.parent, " and ".join(versions))
    return f"etpicker's engine is not installed in {home}. Run '{INSTALL}'."


def _of_another_version(folder: Path, versions: str) -> str:
    return (
        f"etpicker's engine in {folder} is of version {versions}, the plugin of "
        f"{__version__}. Run '{INSTALL}'."
    )


def find_in(installed: Installed, package: str) -> Path | None:
    """Return a package's folder in an environment, without starting its Python."""
    libraries = Path(installed.python).parent.parent / "lib"
    found = libraries.glob(f"python3*/site-packages/{package}/__init__.py")
    return next((path.parent for path in found), None)


def _runs(installed: Installed, package: str) -> bool:
    found = find_in(installed, "etpicker_plugin")
    return found is not None and found.resolve() == Path(package).resolve()


def find_own_fault(engine: Engine, environ: Mapping[str, str]) -> str:
    """Return what is wrong with a Python that the user has named; it is asked."""
    if not engine.activation and shutil.which(engine.python) is None:
        return (
            f"{engine.variable} is {engine.python}, which is no program. Set it in "
            "Scipion's configuration to a Python with etpicker_plugin and torch, or "
            "remove it."
        )
    named = f"{engine.variable}: '{engine.activation or engine.python}'"
    remedy = (
        f"Install etpicker {__version__} and torch there, or remove {engine.variable} "
        f"from Scipion's configuration and run '{INSTALL}'."
    )
    try:
        asked = subprocess.run(
            engine.words("-c", PROBE),
            env=dict(environ),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PROBE_S,
        )
    except subprocess.TimeoutExpired:
        return f"{named} gave no answer for {PROBE_S:.0f} s. {remedy}"
    version, _, torch = asked.stdout.strip().rpartition("\n")[2].partition(" ")
    if asked.returncode != 0:
        said = (asked.stderr.strip() or "nothing").splitlines()[-1]
        return f"{named} has no etpicker; it says: {said}. {remedy}"
    if version != __version__:
        return f"{named} has etpicker {version}, Scipion {__version__}. {remedy}"
    return "" if torch == "True" else f"{named} has no torch. {remedy}"
