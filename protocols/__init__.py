from etpicker_plugin.protocols.protocol_annotate import ProtEtPickerAnnotate
from etpicker_plugin.protocols.protocol_average import ProtEtPickerAverage
from etpicker_plugin.protocols.protocol_compare import ProtEtPickerCompare
from etpicker_plugin.protocols.protocol_evaluate import ProtEtPickerEvaluate
from etpicker_plugin.protocols.protocol_export_coordinates import (
    ProtEtPickerExportCoordinates,
)
from etpicker_plugin.protocols.protocol_extract import ProtEtPickerExtract
from etpicker_plugin.protocols.protocol_import_coordinates import (
    ProtEtPickerImportCoordinates,
)
from etpicker_plugin.protocols.protocol_import_model import ProtEtPickerImportModel
from etpicker_plugin.protocols.protocol_pick import ProtEtPickerPick
from etpicker_plugin.protocols.protocol_pick_micrographs import (
    ProtEtPickerPickMicrographs,
)
from etpicker_plugin.protocols.protocol_train import ProtEtPickerTrain
from etpicker_plugin.protocols.protocol_update import ProtEtPickerUpdate
from etpicker_plugin.protocols.protocol_validate import ProtEtPickerValidate

__all__ = [
    "ProtEtPickerAnnotate",
    "ProtEtPickerAverage",
    "ProtEtPickerCompare",
    "ProtEtPickerEvaluate",
    "ProtEtPickerExportCoordinates",
    "ProtEtPickerExtract",
    "ProtEtPickerImportCoordinates",
    "ProtEtPickerImportModel",
    "ProtEtPickerPick",
    "ProtEtPickerPickMicrographs",
    "ProtEtPickerTrain",
    "ProtEtPickerUpdate",
    "ProtEtPickerValidate",
]
