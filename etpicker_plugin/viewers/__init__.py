from etpicker_plugin.viewers.average_viewers import (
    EtPickerAverageViewer,
    EtPickerExtractViewer,
)
from etpicker_plugin.viewers.reports import EtPickerReportViewer
from etpicker_plugin.viewers.viewers import (
    EtPickerEvaluateViewer,
    EtPickerModelViewer,
    EtPickerPicksViewer,
    EtPickerTrainViewer,
)

__all__ = [
    "EtPickerAverageViewer",
    "EtPickerEvaluateViewer",
    "EtPickerExtractViewer",
    "EtPickerModelViewer",
    "EtPickerPicksViewer",
    "EtPickerReportViewer",
    "EtPickerTrainViewer",
]
