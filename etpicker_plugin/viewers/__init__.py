from etpicker_plugin.viewers.reports import EtPickerReportViewer
from etpicker_plugin.viewers.viewers import (
    EtPickerEvaluateViewer,
    EtPickerModelViewer,
    EtPickerPicksViewer,
    EtPickerTrainViewer,
)

__all__ = [
    "EtPickerEvaluateViewer",
    "EtPickerModelViewer",
    "EtPickerPicksViewer",
    "EtPickerReportViewer",
    "EtPickerTrainViewer",
]
