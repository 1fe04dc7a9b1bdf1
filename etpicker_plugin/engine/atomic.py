"""Writing files whole: under a temporary name first, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from etpicker_plugin.engine.errors import ResourceError


@contextmanager
def write_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; rename it to ``path`` at the end.

    A reader never sees a half-written file, and a failure leaves none behind. The
    temporary name keeps the extension, which some writers look at.

    Raises
    ------
    ResourceError
        If the file cannot be written.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise ResourceError(
            f"{path} cannot be written: {error}. Free some space or give another "
            "folder."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
