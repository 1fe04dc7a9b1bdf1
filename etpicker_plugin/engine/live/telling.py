"""What is told to who started the process: one JSON object a line, on stdout."""

import json
import sys
from typing import Any


def tell(event: dict[str, Any]) -> None:
    """Send an event at once.

    Raises
    ------
    BrokenPipeError
        If nobody reads it.
    """
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()
