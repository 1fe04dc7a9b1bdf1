"""Finding and running, with programs of a few lines in RELION's place."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from etpicker_plugin.engine.disk import is_disk_full
from etpicker_plugin.engine.errors import ExternalProgramError, ResourceError
from etpicker_plugin.engine.relion.find import find_relion, parse_version
from etpicker_plugin.engine.relion.plans import RelionCommand
from etpicker_plugin.engine.relion.run import (
    check_mpi,
    clean_lines,
    command_words,
    mpi_words,
    run_relion,
)


def program(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def install(home, version="3.1.3"):
    program(home / "bin" / "relion_refine", f'echo "RELION version: {version} "')
    return home


# finding --------------------------------------------------------------------------


def test_the_first_variable_wins_then_the_second_then_the_path(tmp_path):
    ours, scipion, path = (
        install(tmp_path / n, v)
        for n, v in (("a", "4.0.1"), ("b", "5.0.1-commit-12ab"), ("c", "3.1.3"))
    )
    every = {
        "ETPICKER_RELION_HOME": str(ours),
        "RELION_HOME": str(scipion),
        "PATH": f"{tmp_path}:{path / 'bin'}",
    }

    first = find_relion(every)
    del every["ETPICKER_RELION_HOME"]
    second = find_relion(every)
    every["RELION_HOME"] = " "
    third = find_relion(every)

    assert (first.folder, first.version) == (ours / "bin", "4.0.1")
    assert (second.folder, second.version) == (scipion / "bin", "5.0.1-commit-12ab")
    assert (third.folder, third.version) == (path / "bin", "3.1.3")


def test_the_folder_of_the_programs_itself_is_a_home_too(tmp_path):
    home = install(tmp_path / "a")

    assert find_relion({"RELION_HOME": str(home / "bin")}).folder == home / "bin"


def test_none_is_named(tmp_path):
    with pytest.raises(ExternalProgramError, match="no relion_refine on the PATH"):
        find_relion({"PATH": str(tmp_path)})


def test_a_home_without_relion_is_not_passed_over(tmp_path):
    install(tmp_path / "c")
    environment = {"RELION_HOME": "/nowhere", "PATH": str(tmp_path / "c" / "bin")}

    with pytest.raises(ExternalProgramError, match="RELION_HOME is /nowhere, but"):
        find_relion(environment)


def test_too_old_or_silent_is_refused(tmp_path):
    old = install(tmp_path / "old", "3.0.8")
    program(
        tmp_path / "dumb" / "relion_refine", "echo libmpi.so.40 not found; exit 127"
    )

    with pytest.raises(ExternalProgramError, match=r"version 3\.0\.8; expected 3\.1"):
        find_relion({"RELION_HOME": str(old)})
    with pytest.raises(ExternalProgramError, match=r"libmpi\.so\.40 not found.*127"):
        find_relion({"RELION_HOME": str(tmp_path / "dumb")})


def test_versions():
    assert parse_version("5.0.1-commit-90d239") == (5, 0, 1)
    assert parse_version("3.1-beta") == (3, 1)
    assert parse_version("beta") == (0,)


# running --------------------------------------------------------------------------

SHOUT = r"""
echo "begin $1 in $(pwd)"
printf '000/??? sec ~~(,_,">        [oo]\r   1/   1 sec ....~~(,_,">\n'
echo "in: /src/ml_optimiser.cpp, line 1087"
echo "ERROR:"
echo "no boxes"
echo "=== Backtrace  ==="
echo "/usr/bin/relion_refine(_ZN11RelionErrorC1ERK) [0x5565]"
echo "=================="
exit 1
"""


@pytest.fixture
def relion(tmp_path):
    return find_relion({"RELION_HOME": str(install(tmp_path / "home"))})


def command(**changes):
    values = {"program": "relion_make", "arguments": ("x",), "makes": "made.mrc"}
    return RelionCommand(**{**values, **changes})


def run(relion, tmp_path, **changes):
    folder = tmp_path / "work"
    folder.mkdir(exist_ok=True)
    log = tmp_path / "logs" / "make.log"
    run_relion(command(**changes), relion, folder=folder, log=log)
    return log


def test_output_is_logged_and_runs_in_the_folder(relion, tmp_path):
    program(relion.folder / "relion_make", 'echo "got $1"; touch made.mrc')

    log = run(relion, tmp_path)

    assert (tmp_path / "work" / "made.mrc").is_file()
    text = log.read_text()
    assert text.startswith(f"$ {relion.folder}/relion_make x\n")
    assert text.endswith("got x\n")


def test_a_second_command_is_logged_on_a_line_of_its_own(relion, tmp_path):
    program(relion.folder / "relion_make", "printf 'half a line'; touch made.mrc")

    run(relion, tmp_path)
    log = run(relion, tmp_path)

    first = f"$ {relion.folder}/relion_make x\nhalf a line\n"
    assert log.read_text() == first + first.removesuffix("\n")


def test_a_failure_shows_the_last_lines_and_names_the_log(relion, tmp_path):
    program(relion.folder / "relion_make", SHOUT)

    with pytest.raises(ExternalProgramError) as failure:
        run(relion, tmp_path)

    message = str(failure.value)
    assert "relion_make of RELION 3.1.3 failed with exit code 1" in message
    assert "ERROR:\nno boxes\n" in message
    assert f"The whole log: {tmp_path / 'logs' / 'make.log'}" in message
    assert "Backtrace" not in message
    assert "~~(" not in message
    assert "Backtrace" in (tmp_path / "logs" / "make.log").read_text()


def test_success_without_the_file_is_a_failure(relion, tmp_path):
    program(relion.folder / "relion_make", "echo all is well")

    with pytest.raises(ExternalProgramError, match=r"did not write .*work/made\.mrc"):
        run(relion, tmp_path)


def test_a_missing_program_is_named(relion, tmp_path):
    with pytest.raises(ExternalProgramError, match="has no program relion_make"):
        run(relion, tmp_path)


def test_an_error_while_waiting_ends_the_program(relion, tmp_path):
    program(relion.folder / "relion_make", "echo $$ > pid; exec sleep 60")
    pid = tmp_path / "pid"

    def stop():
        if pid.is_file() and pid.read_text().strip():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_relion(
            command(),
            relion,
            folder=tmp_path,
            log=tmp_path / "log",
            on_poll=stop,
        )

    assert not Path(f"/proc/{pid.read_text().strip()}").exists()


RUN_IT = """
import sys
from pathlib import Path
from etpicker_plugin.engine.relion.find import find_relion
from etpicker_plugin.engine.relion.plans import RelionCommand
from etpicker_plugin.engine.relion.run import run_relion
relion = find_relion({"RELION_HOME": sys.argv[1]})
command = RelionCommand(program="relion_make", arguments=(), makes="made")
run_relion(command, relion, folder=Path(sys.argv[2]), log=Path(sys.argv[2]) / "log")
"""


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_engine_takes_relion_with_it(relion, tmp_path, by):
    program(relion.folder / "relion_make", "echo $$ > pid; exec sleep 60")
    pid = tmp_path / "pid"
    words = [sys.executable, "-c", RUN_IT, str(relion.folder), str(tmp_path)]
    engine = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    while not (pid.is_file() and pid.read_text().strip()):
        assert engine.poll() is None
        time.sleep(0.05)

    engine.send_signal(by)

    assert engine.wait() != 0
    end = time.monotonic() + 10
    while Path(f"/proc/{pid.read_text().strip()}").exists():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_relion_that_ends_well_on_a_full_disk_is_not_believed(
    relion, tmp_path, monkeypatch
):
    program(relion.folder / "relion_make", ": > made.mrc")
    usage = shutil.disk_usage(tmp_path)._replace(free=60_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)

    with pytest.raises(
        ResourceError, match=r"No space left.*where 0\.06 MB"
    ) as failure:
        run(relion, tmp_path)

    assert is_disk_full(failure.value)


def test_lines_drawn_over_are_dropped():
    assert clean_lines("a\r\n1/2\r2/2\n\n  b  \n") == ["a", "2/2", "  b"]


# MPI ------------------------------------------------------------------------------


def test_ranks_go_to_the_mpi_program(relion):
    program(relion.folder / "relion_make_mpi", "")

    assert command_words(command(ranks=3), relion, mpi=["srun", "--mpi=pmix"]) == [
        *("srun", "--mpi=pmix", "-n", "3"),
        *(str(relion.folder / "relion_make_mpi"), "x"),
    ]


def test_mpi_that_is_absent_or_refuses_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin{os.pathsep}/usr/bin")
    program(
        tmp_path / "fewslots", "echo There are not enough slots available >&2; exit 1"
    )

    with pytest.raises(ResourceError, match="there is no nompirun on the PATH"):
        mpi_words("nompirun --verbose")
    assert mpi_words("fewslots --here") == ["fewslots", "--here"]
    with pytest.raises(
        ResourceError, match=r"(?s)not enough slots.*fewslots -n 4 true"
    ):
        check_mpi(["fewslots"], ranks=4)
    check_mpi([sys.executable, "-c", "pass"], ranks=2)


def test_open_mpi_gets_its_flags(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin{os.pathsep}/usr/bin")
    program(tmp_path / "mpirun", 'echo "mpirun (Open MPI) 4.1.4"')
    assert "--oversubscribe" in mpi_words()

    program(tmp_path / "mpirun", 'echo "HYDRA build details"')
    assert mpi_words() == ["mpirun"]
