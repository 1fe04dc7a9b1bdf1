from etpicker_plugin.viewers.average_viewers import (
    EtPickerAverageViewer,
    EtPickerExtractViewer,
)
from etpicker_plugin.viewers.folders import EtPickerExportViewer
from etpicker_plugin.viewers.model_viewers import (
    EtPickerModelViewer,
    EtPickerTrainViewer,
)
from etpicker_plugin.viewers.reports import EtPickerReportViewer
from etpicker_plugin.viewers.viewers import (
    EtPickerEvaluateViewer,
    EtPickerPicksViewer,
)

__all__ = [
    "EtPickerAverageViewer",
    "EtPickerEvaluateViewer",
    "EtPickerExportViewer",
    "EtPickerExtractViewer",
    "EtPickerModelViewer",
    "EtPickerPicksViewer",
    "EtPickerReportViewer",
    "EtPickerTrainViewer",
]
