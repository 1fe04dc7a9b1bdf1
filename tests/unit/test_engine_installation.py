"""The commands that make the engine's environment, and which torch they choose."""

import shutil
import subprocess
import sys

import pytest

from etpicker_plugin import __version__, engine_installation
from etpicker_plugin.engine.errors import ConfigError
from etpicker_plugin.engine_installation import (
    conda_start,
    engine_needs,
    find_python,
    install_commands,
    place_checkout,
    place_package,
    read_driver,
    refuse_command,
    torch_words,
    venv_start,
)

HOOK = 'eval "$(conda shell.bash hook)"&&'
ENTER = f"{HOOK} conda activate etpicker-{__version__} && python"
APART = "unset PYTHONPATH PYTHONHOME; export PYTHONNOUSERSITE=1; "
SITE = "import sysconfig; print(sysconfig.get_path('purelib'))"


def test_conda_commands():
    commands = install_commands(
        conda_start(HOOK),
        torch=["torch>=2.4", "--index-url", "https://download.pytorch.org/whl/cu126"],
        needs=["numpy>=1.26", "tqdm>=4.60"],
        place=place_package("/a b/etpicker_plugin"),
    )
    assert commands == [
        (
            f"{APART}{HOOK} conda create -y -n etpicker-{__version__} python=3.11 && "
            "touch environment-made",
            "environment-made",
        ),
        (
            f"{APART}{ENTER} -m pip install 'torch>=2.4' --index-url "
            "https://download.pytorch.org/whl/cu126 && touch torch-installed",
            "torch-installed",
        ),
        (
            f"{APART}{ENTER} -m pip install 'numpy>=1.26' 'tqdm>=4.60' && "
            "touch needs-installed",
            "needs-installed",
        ),
        (
            f'{APART}site=$({ENTER} -c "{SITE}") && rm -rf "$site/etpicker_plugin" && '
            "ln -s '/a b/etpicker_plugin' \"$site/etpicker_plugin\" && "
            f"{ENTER} -m etpicker_plugin.engine.installed . && "
            f"if {ENTER} -m etpicker_plugin.engine doctor --help >/dev/null 2>&1; then "
            f"{ENTER} -m etpicker_plugin.engine doctor; fi; test -f engine.json",
            "engine.json",
        ),
    ]


def run_in(folder, command):
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True
    )


def fake_python(folder):
    """Make ``env/bin/python``, which notes its words and whose packages lie in site."""
    (folder / "env/bin").mkdir(parents=True)
    (folder / "site").mkdir()
    python = folder / "env/bin/python"
    python.write_text(
        '#!/bin/sh\necho "$@" "[$PYTHONPATH]" >> words\n'
        f'[ "$1" = -c ] && echo "{folder}/site"\n'
        'case "$2" in *installed) touch engine.json;; esac\n'
        'case "$3" in doctor) exit 1;; esac\nexit 0\n'
    )
    python.chmod(0o755)


@pytest.fixture
def commands():
    """Return the commands of an environment that is there already."""
    return install_commands(
        ("true", "env/bin/python"),
        torch=["torch>=2.4"],
        needs=["tqdm"],
        place=place_package("/nowhere"),
    )


def test_the_commands_run_apart_from_scipion_and_leave_what_they_say(
    tmp_path, monkeypatch
):
    fake_python(tmp_path)
    package = tmp_path / "a b"
    (package / "engine").mkdir(parents=True)
    (tmp_path / "site/etpicker_plugin/old").mkdir(parents=True)
    monkeypatch.setenv("PYTHONPATH", "/scipion")
    for command, left in install_commands(
        ("true", "env/bin/python"),
        torch=["torch>=2.4", "--index-url", "u"],
        needs=["a>=1", "b"],
        place=place_package(str(package)),
    ):
        done = run_in(tmp_path, command)
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / left).is_file()
    placed = tmp_path / "site/etpicker_plugin"
    assert placed.resolve() == package.resolve()
    assert [p.name for p in placed.iterdir()] == ["engine"]
    words = (tmp_path / "words").read_text().splitlines()
    assert words[0] == "-m pip install torch>=2.4 --index-url u []"
    assert words[1] == "-m pip install a>=1 b []"
    assert words[3] == "-m etpicker_plugin.engine.installed . []"


def test_a_package_that_is_installed_again_is_the_engine_s_at_once(tmp_path):
    package, site = tmp_path / "scipion", tmp_path / "site"
    site.mkdir()
    for text in ("old", "new"):
        package.mkdir()
        (package / "file").write_text(text)
        command = f"site={site} && {place_package(str(package))}"
        assert run_in(tmp_path, command).returncode == 0
        assert (site / "etpicker_plugin/file").read_text() == text
        shutil.rmtree(package)
        package.mkdir()
        (package / "file").write_text("in between")
        assert (site / "etpicker_plugin/file").read_text() == "in between"
        shutil.rmtree(package)


def test_what_fails_leaves_nothing(tmp_path, commands):
    fake_python(tmp_path)
    (tmp_path / "env/bin/python").write_text("#!/bin/sh\nexit 1\n")
    for command, left in commands[1:]:
        assert run_in(tmp_path, command).returncode != 0
        assert not (tmp_path / left).exists()


def test_a_checkout_is_found_where_it_lies(tmp_path):
    command = f"site={tmp_path} && {place_checkout('/my code')}"
    assert run_in(tmp_path, command).returncode == 0
    assert (tmp_path / "etpicker_checkout.pth").read_text() == "/my code\n"


def test_why_nothing_can_be_installed_is_said(tmp_path):
    ((command, _),) = refuse_command("There's no Python.")
    done = run_in(tmp_path, command)
    assert (done.returncode, done.stderr) == (1, "There's no Python.\n")


@pytest.mark.parametrize(
    ("cuda", "driver", "build"),
    [
        ("", None, "cpu"),
        ("", (10, 2), "cpu"),
        ("", (11, 8), "cu118"),
        ("", (12, 5), "cu124"),
        ("", (12, 6), "cu126"),
        ("", (13, 2), "cu130"),
        ("12.1", (13, 2), "cu121"),
        ("cu128", None, "cu128"),
        ("cpu", (13, 0), "cpu"),
    ],
)
def test_torch_follows_the_driver_or_the_user(cuda, driver, build):
    index = f"https://download.pytorch.org/whl/{build}"
    assert torch_words(cuda, driver) == ["torch>=2.4", "--index-url", index]


def test_torch_of_pip_s_own_index():
    assert torch_words("pip", (12, 4)) == ["torch>=2.4"]


@pytest.mark.parametrize("cuda", ["12", "gpu", "cuda 12.4", "12.4; rm -r x"])
def test_no_cuda_version(cuda):
    with pytest.raises(ConfigError, match="ETPICKER_CUDA is"):
        torch_words(cuda, None)


@pytest.mark.parametrize(
    ("said", "driver"),
    [
        ("| Driver Version: 550.54.15      CUDA Version: 12.4     |", (12, 4)),
        ("| Driver Version: 580.95.05  CUDA UMD Version: 13.0     |", (13, 0)),
        ("NVIDIA-SMI has failed because it couldn't communicate", None),
    ],
)
def test_the_driver_s_cuda(said, driver):
    assert read_driver(said) == driver


def make_python(folder, name, *, able=True):
    path = folder / name
    path.write_text(f"#!/bin/sh\nexit {0 if able else 1}\n")
    path.chmod(0o755)
    return str(path)


def test_the_newest_python_that_can_make_environments(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("python3.9", "python3.10", "python3.14"):
        make_python(tmp_path, name)
    expected = make_python(tmp_path, "python3.11")
    make_python(tmp_path, "python3.12", able=False)
    assert find_python() == expected
    assert venv_start("/a b/python")[0] == "'/a b/python' -m venv --clear env"


def test_no_python(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", make_python(tmp_path, "own", able=False))
    with pytest.raises(ConfigError, match=r"3\.10 to 3\.13"):
        find_python()


METADATA = [
    "scipion-em>=3.11.1",
    'torch>=2.4; extra == "engine"',
    "tqdm>=4.60 ; extra == 'engine'",
    'copick; extra == "readers"',
    'tomli; python_version < "3.11"',
]


def test_the_needs_are_the_extra_s(monkeypatch):
    monkeypatch.setattr("importlib.metadata.requires", lambda name: METADATA)
    assert engine_needs() == ["torch>=2.4", "tqdm>=4.60"]


def test_the_needs_of_a_checkout_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(engine_installation, "DISTRIBUTION", "scipion-em-none")
    with pytest.raises(ConfigError, match="is a checkout that is not installed"):
        engine_needs()
