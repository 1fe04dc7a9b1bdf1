"""The scripts of ``benchmarks/public/`` import each other by their plain names."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3] / "benchmarks" / "public"))
