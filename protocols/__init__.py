from etpicker_plugin.protocols.protocol_annotate import ProtEtPickerAnnotate
from etpicker_plugin.protocols.protocol_evaluate import ProtEtPickerEvaluate
from etpicker_plugin.protocols.protocol_export_coordinates import (
    ProtEtPickerExportCoordinates,
)
from etpicker_plugin.protocols.protocol_import_coordinates import (
    ProtEtPickerImportCoordinates,
)
from etpicker_plugin.protocols.protocol_import_model import ProtEtPickerImportModel
from etpicker_plugin.protocols.protocol_pick import ProtEtPickerPick
from etpicker_plugin.protocols.protocol_train import ProtEtPickerTrain
from etpicker_plugin.protocols.protocol_update import ProtEtPickerUpdate

__all__ = [
    "ProtEtPickerAnnotate",
    "ProtEtPickerEvaluate",
    "ProtEtPickerExportCoordinates",
    "ProtEtPickerImportCoordinates",
    "ProtEtPickerImportModel",
    "ProtEtPickerPick",
    "ProtEtPickerTrain",
    "ProtEtPickerUpdate",
]
