"""Say whether this Python can run etpicker and Scipion; if not, what to do.

Run with the Python in question. It must also be understood by Pythons that cannot.
"""

import importlib.util
import sys

OLDEST, NEWEST = (3, 11), (3, 12)
HOW = "Then name it: make {target} PYTHON=/path/to/python3.11\n"
PARTS = {
    "_tkinter": "Scipion needs it even without a window. Debian and Ubuntu: "
    "apt-get install python3-tk.",
    "ensurepip": "It fills the environment. Debian and Ubuntu: "
    "apt-get install python3-venv.",
}


def find_problem() -> str:
    """Return what is wrong with this Python and what to do; nothing if it will do."""
    version = ".".join(str(n) for n in sys.version_info[:3])
    this = f"Python {version} ({sys.executable})"
    if sys.version_info[:2] > NEWEST:
        return (
            f"{this} is too new for Scipion: the NumPy and SciPy that Scipion pins "
            "have no build for it. Install Python 3.11 (tested) or 3.12."
        )
    if sys.version_info[:2] < OLDEST:
        return f"{this} is too old. Install Python 3.11 (tested) or 3.12."
    for name, remedy in PARTS.items():
        if importlib.util.find_spec(name) is None:
            return f"{this} has no module '{name.lstrip('_')}'. {remedy}"
    return ""


if __name__ == "__main__":
    problem = find_problem()
    if problem:
        target = sys.argv[1] if len(sys.argv) > 1 else "demo"
        sys.stderr.write(f"{problem}\n{HOW.format(target=target)}")
        sys.exit(1)
