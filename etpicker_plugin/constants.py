"""Names of the environment variables, files and references of the plugin."""

ETPICKER_HOME = "ETPICKER_HOME"
"""Variable: the folder in which the engine's environment is installed."""

ETPICKER_ENV_ACTIVATION = "ETPICKER_ENV_ACTIVATION"
"""Variable: the command that enters the engine's environment."""

ETPICKER_PYTHON = "ETPICKER_PYTHON"
"""Variable: a Python that runs the engine instead."""

ETPICKER_CUDA = "ETPICKER_CUDA"
"""Variable: the CUDA version of torch when the engine is installed."""

ETPICKER_RELION_HOME = "ETPICKER_RELION_HOME"
"""Variable: the folder of the RELION that averages; else its plugin's, else PATH."""

MODEL_FILE = "model.safetensors"
STATE_FILE = "training_state.safetensors"
SLICE_FILE = "validation_slice.npz"
METRICS_FILE = "metrics.json"
REPORT_FILE = "report.html"
COMPARE_FILE = "compare.json"
VERDICT_FILE = "verdict.json"
FORGETTING_FILE = "forgetting.json"

METRICS = {
    "precision": "precision",
    "recall": "recall",
    "precision_length": "precision by length",
    "recall_length": "recall by length",
    "f1": "F1",
    "filament_f1": "F1 of filaments",
    "average_precision": "average precision",
}
"""Of what is in METRICS_FILE of a class: the shares that tell most, in words."""

DEEPETPICKER = "Liu2024"
EPICKER = "Zhang2022"
RELION = "Bharat2016"
