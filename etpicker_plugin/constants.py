"""Names of the environment variables, files and references of the plugin."""

ETPICKER_PYTHON = "ETPICKER_PYTHON"
"""Variable: the Python that runs the engine; by default Scipion's own."""

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

DEEPETPICKER = "Liu2024"
EPICKER = "Zhang2022"
RELION = "Bharat2016"
