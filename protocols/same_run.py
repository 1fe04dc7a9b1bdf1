"""What 'Continue' would do when the form has changed since a run began."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from etpicker_plugin.protocols.form import form_parameter

from etpicker_plugin.engine.run_folder import changed_parameters


def warn_discarded(folder: Path, config: Any) -> list[str]:
    """Return what has changed since the training in a folder began, as a warning.

    ``config`` is of the form as it is now.
    """
    said = [
        f"'{form_parameter(type(config), name).label}' was {was}, is {now}"
        for name, (was, now) in changed_parameters(folder, config).items()
    ]
    return [
        f"{'; '.join(said) or 'The inputs are others'}. That is another training: "
        "'Continue' discards the present one and begins anew. To keep it, copy the "
        "protocol. (With a new time limit alone it goes on where it was.)"
    ]
