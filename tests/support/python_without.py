"""A Python in which packages are truly missing: another environment, made of links."""

import os
import sysconfig
import venv
from pathlib import Path


def python_without(folder: Path, *names: str) -> Path:
    """Return a Python that has every package of this one but those.

    It and the processes that it starts find this checkout by PYTHONPATH.
    """
    left_out = [name.casefold() for name in names]
    venv.create(folder / "python", with_pip=False, symlinks=True)
    links = folder / "packages"
    links.mkdir()
    for entry in os.scandir(sysconfig.get_path("purelib")):
        package = entry.name.casefold().split("-")[0]
        if package not in left_out and not entry.name.endswith(".pth"):
            (links / entry.name).symlink_to(entry.path)
    (site,) = (folder / "python" / "lib").glob("python*/site-packages")
    (site / "links.pth").write_text(f"{links}\n", encoding="utf-8")
    return folder / "python" / "bin" / "python"
