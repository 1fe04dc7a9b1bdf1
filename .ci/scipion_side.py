"""Print the files that are imported in Scipion's Python, which may be 3.8.

The list stands in pyproject.toml, where ruff reads it too.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BRACES = re.compile(r"\{(.*)\}")


def list_files() -> list[Path]:
    """Return the files, refusing an entry of which there is none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    files: set[Path] = set()
    targets = project["tool"]["ruff"]["per-file-target-version"]
    for entry in (entry for entry, target in targets.items() if target == "py38"):
        for pattern in spell_out(entry):
            found = [path for path in ROOT.glob(pattern) if path.suffix == ".py"]
            if not found:
                raise SystemExit(f"pyproject.toml: there is no {pattern}")
            files.update(found)
    return sorted(files)


def spell_out(pattern: str) -> list[str]:
    """Return a pattern once for each word in its braces."""
    found = BRACES.search(pattern)
    words = found[1].split(",") if found else [""]
    return [BRACES.sub(word, pattern) for word in words]


if __name__ == "__main__":
    sys.stdout.write("".join(f"{path.relative_to(ROOT)}\n" for path in list_files()))
