"""Packaging: the top-level folders become parts of one Scipion plugin package.

``protocols/``, ``templates/`` and ``tests/`` stand beside ``etpicker_plugin/`` in the
repository and are installed inside it, which is where Scipion looks for them.
"""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
BESIDE = ("protocols", "templates", "tests")

# What Scipion's own environment needs beside what Scipion brings, whose pins stay.
SCIPION_SIDE = [
    "scipion-em>=3.11.1",
    "scipion-em-tomo>=3.12.4",
    "numpy",
    "scipy",
    "mrcfile",
    "matplotlib",
    "emtable>=0.0.14",
    "pandas>=1.5",
    "safetensors>=0.4",
]

# All that the engine needs, which has an environment of its own: 'scipion3 installb
# etpicker' installs this list there. Scipion's own needs none of it.
ENGINE = [
    "torch>=2.4",
    "numpy>=1.26",
    "scipy>=1.10",
    "mrcfile>=1.4",
    "matplotlib>=3.8",
    "pandas>=2",
    "starfile>=0.5.8",
    "safetensors>=0.4",
    "tifffile>=2023.2",
    "tqdm>=4.60",
    "PyQt5>=5.15",
    "pyqtgraph>=0.13",
]

# What reads atoms (PDB, mmCIF) for 'etpicker train --map'; density maps need nothing.
MAPS = ["gemmi>=0.6"]


def read_version() -> str:
    """Return the version that ``etpicker_plugin/__init__.py`` states."""
    text = (HERE / "etpicker_plugin" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE).group(1)


def read_long_description() -> str:
    """Return the README, or nothing where it is not part of the archive."""
    readme = HERE / "README.md"
    return readme.read_text(encoding="utf-8") if readme.is_file() else ""


def list_packages() -> list[str]:
    """Return every package, those beside ``etpicker_plugin/`` under its name."""
    inside = find_packages(include=["etpicker_plugin", "etpicker_plugin.*"])
    beside = [f"etpicker_plugin.{name}" for name in (*BESIDE, "tests.support")]
    linked = tuple(f"{name}." for name in beside)
    return sorted({p for p in inside if not p.startswith(linked)} | set(beside))


setup(
    name="scipion-em-etpicker",
    version=read_version(),
    description="Learning particle picker for cryo-electron tomograms, in Scipion",
    long_description=read_long_description(),
    long_description_content_type="text/markdown",
    license="GPL-3.0-or-later",
    python_requires=">=3.8",
    packages=list_packages(),
    package_dir={
        "etpicker_plugin": "etpicker_plugin",
        **{f"etpicker_plugin.{name}": name for name in BESIDE},
    },
    package_data={
        "etpicker_plugin": ["*.conf", "*.png"],
        "etpicker_plugin.engine.model": ["pretrained_weights/*.safetensors"],
        "etpicker_plugin.templates": ["*.json.template"],
    },
    include_package_data=False,
    install_requires=SCIPION_SIDE,
    extras_require={"engine": ENGINE, "maps": MAPS},
    entry_points={
        "console_scripts": ["etpicker = etpicker_plugin.command:main"],
        "pyworkflow.plugin": ["etpicker_plugin = etpicker_plugin"],
    },
    classifiers=[
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Bio-Informatics",
    ],
)
