"""Is it the same run? One answer, for every command that can go on or is finished.

A run is told from another by the parameters that its result depends on (declared so
with ``option``) and by what its input files hold; where they lie does not count. The
folder of a run keeps both in a note, so that a refusal can say what differs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from etpicker_plugin.engine.atomic import write_whole
from etpicker_plugin.engine.config.options import counting, option_of
from etpicker_plugin.engine.errors import ConfigError, InputDataError
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.json_checks import (
    JsonFault,
    anything,
    list_of,
    map_of,
    record,
    text,
)
from etpicker_plugin.engine.newer_python import zip_strict
from etpicker_plugin.engine.result_files import read_record

NOTE = ".run.json"
MOST_NAMED = 4
RUN = record({"parameters": map_of(anything), "inputs": list_of(list_of(text, 2))})
UNKNOWN = "what it was made from is not noted there"


@dataclass(frozen=True)
class Run:
    """What two runs must have alike to be the same.

    Attributes
    ----------
    parameters
        Those that the result depends on, as plain JSON values; no paths.
    inputs
        Each input in words (``coordinates of TS_01``) with the SHA-256 of what it
        holds, in the order given.
    """

    parameters: dict[str, Any]
    inputs: tuple[tuple[str, str], ...]

    @property
    def digest(self) -> str:
        """Return a short name of the run."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def sha256(self, what: str) -> str:
        """Return the hash of an input, so that nobody needs to read it again."""
        return dict(self.inputs)[what]


def digest_run(config: Any) -> Run:
    """Return the run of a command whose inputs are the files that it names.

    Raises
    ------
    InputDataError
        If one cannot be read.
    """
    return describe_run(config, hash_files(named_inputs(config)))


def describe_run(config: Any, inputs: Iterable[tuple[str, str]]) -> Run:
    """Return the run of a command with inputs that are hashed already."""
    parameters = json.loads(json.dumps(counting(config, "value")))
    return Run(parameters=parameters, inputs=tuple(inputs))


def named_inputs(config: Any) -> Iterator[tuple[str, str]]:
    """Yield the input files of a command, each in words and with its path.

    A tomogram, or another file in a list, has its name: what is made of it carries
    that. A file that belongs to one has the other's.
    """
    for field, value in counting(config, "content").items():
        what = field.replace("_", " ")
        if isinstance(value, str):
            yield what, value
        elif isinstance(value, dict):
            for name, path in value.items():
                yield f"{what} of {name}", path
        elif value:
            owners = option_of(config, field)
            words = f"{what} of" if owners else what
            named_after = getattr(config, owners or field)
            for path, owner in zip_strict(value, named_after):
                yield f"{words} {Path(owner).stem}", path


def hash_files(inputs: Iterable[tuple[str, Path | str]]) -> list[tuple[str, str]]:
    """Return the SHA-256 of each input, in its order.

    Raises
    ------
    InputDataError
        If one cannot be read.
    """
    hashed = []
    for what, path in inputs:
        try:
            hashed.append((what, file_sha256(path)))
        except OSError as error:
            reason = error.strerror or error
            raise InputDataError(
                f"{what[0].upper()}{what[1:]}: {path} cannot be read: {reason}. Check "
                "the path."
            ) from error
    return hashed


def claim_folder(
    out_dir: Path, run: Run, *, result: str, begun: tuple[str, ...] = ()
) -> bool:
    """Claim a folder for a run, or go on with the same one; tell if it is finished.

    Parameters
    ----------
    result
        File in the folder that is written last.
    begun
        Files or folders there that an unfinished run leaves.

    Raises
    ------
    ConfigError
        If the folder holds another run, or what is left of it; it says what differs.
    """
    before = _read_note(out_dir / NOTE)
    finished = (out_dir / result).exists()
    if before == run:
        return finished
    if finished or any((out_dir / name).exists() for name in begun):
        held = result if finished else "an unfinished run"
        raise ConfigError(refusal(f"{out_dir} holds {held}", before, run))
    with write_whole(out_dir / NOTE) as temporary:
        temporary.write_text(json.dumps(asdict(run), indent=1), encoding="utf-8")
    return False


def refusal(what: str, before: Run | None, now: Run) -> str:
    """Return why what stands there is not taken, and what to do."""
    found = [UNKNOWN] if before is None else differences(before, now)
    named = "; ".join(found[:MOST_NAMED])
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return (
        f"{what} of other inputs or parameters ({named}{more}). Results are never "
        "overwritten: give another --out."
    )


def differences(before: Run, now: Run) -> list[str]:
    """Return in words what two runs have not alike; nothing if they are the same."""
    parameters = [
        f"--{name.replace('_', '-')} was {was}, is {now_is}"
        for name, (was, now_is) in _changed(before.parameters, now.parameters).items()
    ]
    old, new = dict(before.inputs), dict(now.inputs)
    both = [what for what in old if what in new]
    inputs = [
        *(f"{what} has changed" for what in both if new[what] != old[what]),
        *(f"{what} is new" for what in new if what not in old),
        *(f"{what} is not given now" for what in old if what not in new),
    ]
    if not inputs and before.inputs != now.inputs:
        inputs = ["the inputs are given in another order"]
    return inputs + parameters


def changed_parameters(out_dir: Path, config: Any) -> dict[str, tuple[str, str]]:
    """Return the parameters that a folder's run had otherwise: its value and the new.

    Those alone that a result depends on; nothing where no run is noted.
    """
    before = _read_note(out_dir / NOTE)
    if before is None:
        return {}
    return _changed(before.parameters, describe_run(config, ()).parameters)


def run_values(run: Run) -> dict[str, Any]:
    """Return a run as JSON values, for a result's own record."""
    return asdict(run)


def run_from_values(values: Any) -> Run | None:
    """Return the run of ``run_values``; nothing where it cannot be read."""
    try:
        return Run(**RUN(values, "run"))
    except JsonFault:
        return None


def _changed(
    before: Mapping[str, Any], now: Mapping[str, Any]
) -> dict[str, tuple[str, str]]:
    return {
        name: (_shown(before.get(name)), _shown(now.get(name)))
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    }


def _read_note(path: Path) -> Run | None:
    return run_from_values(read_record(path))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        value = [f"{name}={item}" for name, item in value.items()]
    if isinstance(value, list):
        return " ".join(map(str, value)) or "not given"
    return "not given" if value in (None, "") else str(value)
