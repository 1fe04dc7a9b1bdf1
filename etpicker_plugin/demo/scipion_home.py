"""A Scipion of the demo's own, so that nothing of the user's is read or written."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

OPEN_SCRIPT = "open_project.sh"
ENVIRONMENT_SCRIPT = "scipion.sh"


class DemoError(Exception):
    """The demo could not go on; the message says why."""


def scipion_variables(home: Path) -> dict[str, str]:
    """Return the variables that point Scipion to that home."""
    return {
        "SCIPION_HOME": str(home),
        "SCIPION_USER_DATA": str(home / "data"),
        "SCIPION_LOCAL_CONFIG": str(home / "config" / "local.conf"),
        "SCIPION_HOSTS": str(home / "config" / "hosts.conf"),
        "SCIPION_DOMAIN": "pwem",
        "SCIPION_NOTIFY": "False",
        "SCIPION_PYTHON": sys.executable,
        "SCIPION_PRIORITY_PACKAGE_LIST": "pwem tomo etpicker_plugin",
    }


def project_folder(home: Path, name: str) -> Path:
    """Return where Scipion keeps a project."""
    return home / "data" / "projects" / name


def enter_scipion(home: Path, arguments: list[str]) -> None:
    """Start this program again in that Scipion, unless it is there already.

    pyworkflow reads its environment once, when it is first imported.
    """
    if os.environ.get("SCIPION_HOME") == str(home):
        return
    prepare_scipion(home)
    program = [sys.executable, "-m", "etpicker_plugin.demo", *arguments]
    os.execv(sys.executable, program)


def prepare_scipion(home: Path) -> None:
    """Set the variables and write the configuration.

    Raises
    ------
    DemoError
        If Scipion does not write it.
    """
    home.mkdir(parents=True, exist_ok=True)
    os.environ.update(scipion_variables(home))
    # Scipion starts its jobs as 'python3' from the PATH.
    os.environ["PATH"] = os.pathsep.join(
        (str(Path(sys.executable).parent), os.environ.get("PATH", ""))
    )
    configuration = home / "config" / "scipion.conf"
    if configuration.is_file() and (home / "config" / "hosts.conf").is_file():
        return
    done = subprocess.run(
        [sys.executable, "-m", "scipion", "config", "--unattended"],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if not configuration.is_file():
        raise DemoError(f"Scipion could not be configured in {home}.\n{done.stdout}")
    text = configuration.read_text(encoding="utf-8")
    text = text.replace("SCIPION_NOTIFY = True", "SCIPION_NOTIFY = False")
    configuration.write_text(text, encoding="utf-8")


def write_scripts(folder: Path, home: Path, project: str) -> Path:
    """Write the scripts that open a project's window; return the one to run."""
    exports = [
        f"export {name}={shlex.quote(value)}"
        for name, value in {
            **scipion_variables(home),
            "ETPICKER_DEMO_PROJECT": project,
        }.items()
    ]
    path = f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"
    environment = folder / ENVIRONMENT_SCRIPT
    environment.write_text("\n".join([*exports, path, ""]), encoding="utf-8")
    script = folder / OPEN_SCRIPT
    script.write_text(
        "#!/bin/bash\n# Open the demo's project in the Scipion window.\n"
        f". {shlex.quote(str(environment))}\n"
        f"exec {shlex.quote(sys.executable)} -m scipion project {project}\n",
        encoding="utf-8",
    )
    script.chmod(0o755)
    return script
