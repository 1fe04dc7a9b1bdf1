"""Which Python runs the engine, and what is said where none can."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from etpicker_plugin import __version__, engine_environment
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine.installed import (
    Installed,
    describe,
    read_note,
    read_stamp,
    write_command,
    write_note,
    write_stamp,
)
from etpicker_plugin.engine_environment import (
    Engine,
    find_engine,
    find_own_fault,
    is_engine_here,
)


def make_installed(home, *, version=__version__, torch=True):
    """Leave what an installation leaves, with a Python that is this one."""
    libraries = home / "env/lib/python3.11/site-packages"
    (libraries / "torch").mkdir(parents=True)
    if torch:
        (libraries / "torch/__init__.py").touch()
    python = home / "env/bin/python"
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    write_stamp(home, Installed(version=version, python=str(python)))
    return str(python)


@pytest.fixture
def elsewhere(monkeypatch):
    """Let Scipion's own environment have nothing of the engine."""
    monkeypatch.setattr(engine_environment, "is_engine_here", lambda: False)


def find(home, *, python="", activation="default"):
    return find_engine(
        python=python,
        activation=activation,
        default_activation="default",
        home=str(home),
    )


def test_the_installed_engine(tmp_path, elsewhere):
    python = make_installed(tmp_path)
    assert find(tmp_path) == Engine(python)


def test_the_user_s_own_wins_and_its_python_most(tmp_path):
    make_installed(tmp_path)
    own = find(tmp_path, activation="conda activate mine")
    assert own == Engine("python", "conda activate mine", "ETPICKER_ENV_ACTIVATION")
    own = find(tmp_path, python="/p", activation="conda activate mine")
    assert own == Engine("/p", "", "ETPICKER_PYTHON")


def test_all_in_one_environment_needs_no_installation(tmp_path):
    assert is_engine_here()
    assert find(tmp_path) == Engine(sys.executable)


def test_an_installed_engine_goes_before_scipion_s_own_environment(tmp_path):
    assert find(tmp_path) == Engine(sys.executable)
    assert find(tmp_path / "more") == Engine(sys.executable)
    python = make_installed(tmp_path / "made")
    assert find(tmp_path / "made") == Engine(python)


def said_of(home):
    with pytest.raises(ConfigError) as caught:
        find(home)
    return str(caught.value)


def test_missing(tmp_path, elsewhere):
    home = tmp_path / "etpicker-0"
    expected = (
        f"etpicker's engine is not installed in {home}. "
        "Run 'scipion3 installb etpicker'."
    )
    assert said_of(home) == expected
    home.mkdir()
    assert said_of(home) == expected


def test_half_made(tmp_path, elsewhere):
    make_installed(tmp_path)
    (tmp_path / "engine.json").unlink()
    assert "has not come to its end. Run 'scipion3 installb" in said_of(tmp_path)
    (tmp_path / "engine.json").write_text('{"version": "0')
    assert "has not come to its end" in said_of(tmp_path)


def test_another_version(tmp_path, elsewhere):
    make_installed(tmp_path / "etpicker-0.0.9", version="0.0.9")
    said = f"of version 0.0.9, the plugin of {__version__}. Run 'scipion3 installb"
    assert said in said_of(tmp_path / "etpicker-0.0.9")
    assert said in said_of(tmp_path / f"etpicker-{__version__}")


def test_without_torch(tmp_path, elsewhere):
    make_installed(tmp_path, torch=False)
    assert "lost its torch" in said_of(tmp_path)
    assert f"Remove {tmp_path} and run" in said_of(tmp_path)


def find_in_plugin(home, package):
    return find_engine(
        python="",
        activation="default",
        default_activation="default",
        home=str(home),
        package=str(package),
    )


def test_the_engine_runs_scipion_s_package_or_says_that_it_does_not(
    tmp_path, elsewhere
):
    """After a wheel went in again its files are the engine's; a copy would stay."""
    home = tmp_path / "home"
    packages = [tmp_path / name / "etpicker_plugin" for name in ("old", "new")]
    for package in packages:
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
    old, new = packages
    python = make_installed(home)
    site = home / "env/lib/python3.11/site-packages/etpicker_plugin"
    told = f"does not run Scipion's etpicker, {new}, but another one. Remove {home}/"
    with pytest.raises(ConfigError, match="run 'scipion3 installb") as without:
        find_in_plugin(home, new)
    site.symlink_to(old)
    with pytest.raises(ConfigError) as linked_to_another:
        find_in_plugin(home, new)
    site.unlink()
    shutil.copytree(new, site)
    with pytest.raises(ConfigError) as copied:
        find_in_plugin(home, new)
    assert told in str(without.value)
    assert told in str(linked_to_another.value)
    assert told in str(copied.value)
    shutil.rmtree(site)
    site.symlink_to(new)
    assert find_in_plugin(home, new) == Engine(python)
    assert find_in_plugin(home, "") == Engine(python)


def test_python_gone(tmp_path, elsewhere):
    (python := tmp_path / "env/bin/python", make_installed(tmp_path))
    python.unlink()
    assert f"{python}, is gone. Remove {tmp_path}" in said_of(tmp_path)


# ------------------------- a Python that the user names -----------------------------
def make_python(folder, script):
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (f"echo {__version__} True", ""),
        (f"echo a greeting; echo {__version__} True", ""),
        (f"echo {__version__} False", "has no torch. Install etpicker"),
        ("echo 0.0.9 True", f"has etpicker 0.0.9, Scipion {__version__}. Install"),
        ("echo No module named x >&2; exit 1", "it says: No module named x. Install"),
        ("exit 1", "it says: nothing."),
    ],
)
def test_the_user_s_own_python_is_asked(tmp_path, script, said):
    python = make_python(tmp_path, script)
    fault = find_own_fault(Engine(python, variable="ETPICKER_PYTHON"), {})
    assert said in fault
    assert bool(said) == bool(fault)
    assert not said or fault.startswith(f"ETPICKER_PYTHON: '{python}'")


def test_the_user_s_own_environment_is_entered(tmp_path):
    make_python(tmp_path, '[ "$MINE" = yes ] && echo 0.0.9 True')
    enter = f"export MINE=yes PATH={tmp_path}:$PATH"
    engine = Engine("python", enter, variable="ETPICKER_ENV_ACTIVATION")
    environ = {"PATH": "/usr/bin:/bin"}
    assert "has etpicker 0.0.9" in find_own_fault(engine, environ)
    broken = Engine("python", "conda activate none", "ETPICKER_ENV_ACTIVATION")
    assert "has no etpicker; it says:" in find_own_fault(broken, environ)


def test_this_python_is_one():
    engine = Engine(sys.executable, variable="ETPICKER_PYTHON")
    assert find_own_fault(engine, {"PYTHONPATH": ":".join(sys.path)}) == ""


def test_no_program():
    engine = Engine("/nonexistent/python", variable="ETPICKER_PYTHON")
    assert "which is no program" in find_own_fault(engine, {})


# ------------------------- how it is started ----------------------------------------
def test_a_line_of_the_shell():
    assert Engine("/a b/python").line("-m x") == "'/a b/python' -m x"
    engine = Engine("python", "conda activate e")
    assert engine.line("-m x", setting="A=1") == "conda activate e && A=1 python -m x"


def test_a_process_of_its_own():
    code = "import os, sys; print(sys.argv[1], os.environ['A'])"
    engine = Engine(sys.executable, "export A=2")
    done = subprocess.run(engine.words("-c", code, "a b"), capture_output=True)
    assert done.stdout == b"a b 2\n"
    assert Engine("p").words("-m", "x") == ["p", "-m", "x"]


# ------------------------- the end of an installation -------------------------------
def test_what_an_installation_leaves(tmp_path):
    installed = Installed(version="0.0.9", python="/é/python")
    write_stamp(tmp_path, installed)
    assert read_stamp(tmp_path) == installed
    assert json.loads((tmp_path / "engine.json").read_text())["version"] == "0.0.9"
    (tmp_path / "engine.json").write_text('{"version": 1, "python": "p"}')
    assert read_stamp(tmp_path) is None


def test_an_environment_tells_its_installation(tmp_path, monkeypatch):
    assert read_note(tmp_path) == ""
    monkeypatch.chdir(tmp_path)
    write_note(tmp_path, ".")
    assert read_note(tmp_path) == str(tmp_path.resolve())


def test_a_line_says_what_works():
    said = describe()
    assert said.startswith(f"etpicker {__version__} works: Python 3.")
    assert "torch 2" in said


def test_the_command_beside_python(tmp_path):
    folder = tmp_path / "a b"
    folder.mkdir()
    python = folder / "python"
    make_python(folder, 'echo "$@"')
    write_command(python)
    done = subprocess.run([folder / "etpicker", "pick", "a b"], capture_output=True)
    assert done.stdout == b"-m etpicker_plugin.engine pick a b\n"


# ------------------------- the command, from Scipion's environment -------------------
ELSEWHERE = """
import sys
from etpicker_plugin import engine_environment
engine_environment.is_engine_here = lambda: False
from etpicker_plugin import command
from etpicker_plugin import Plugin
Plugin._defineVariables()
Plugin.hasConda = classmethod(lambda cls: False)
sys.exit(command.main())
"""


def run_elsewhere(home, *words):
    environ = {**os.environ, "ETPICKER_HOME": str(home), "ETPICKER_PYTHON": ""}
    return subprocess.run(
        [sys.executable, "-c", ELSEWHERE, *words],
        env=environ,
        capture_output=True,
        text=True,
    )


def test_the_command_runs_where_the_engine_is(tmp_path):
    python = tmp_path / "bin/python"
    python.parent.mkdir()
    make_python(python.parent, 'echo "$@"')
    (tmp_path / "lib/python3.11/site-packages/torch").mkdir(parents=True)
    (tmp_path / "lib/python3.11/site-packages/torch/__init__.py").touch()
    write_stamp(tmp_path, Installed(version=__version__, python=str(python)))
    done = run_elsewhere(tmp_path, "pick", "a b")
    assert done.stdout.splitlines()[-1] == "-m etpicker_plugin.engine pick a b"


def test_the_command_says_that_there_is_no_engine(tmp_path):
    done = run_elsewhere(tmp_path / "none", "pick")
    assert done.returncode == 2
    assert "Run 'scipion3 installb etpicker'." in done.stderr.splitlines()[-1]
