"""What can go wrong for a user, and the exit code each kind ends with.

Every message says what is wrong, what was got, what was expected and what to do.
Anything that is not an ``EtPickerError`` is a bug: traceback and exit code 1.
"""


class EtPickerError(Exception):
    """A problem the user can mend; ``exit_code`` is the process's exit code."""

    exit_code = 1


class ConfigError(EtPickerError):
    """A parameter is missing, contradictory or out of range."""

    exit_code = 2


class InputDataError(EtPickerError):
    """A tomogram, mask or coordinate file cannot be used."""

    exit_code = 3


class CheckpointError(EtPickerError):
    """A model file is corrupt, foreign, newer than this code or unsuitable."""

    exit_code = 4


class ResourceError(EtPickerError):
    """Memory, disk or a device is missing or too small."""

    exit_code = 5


class ExternalProgramError(EtPickerError):
    """A program that we call failed."""

    exit_code = 6
