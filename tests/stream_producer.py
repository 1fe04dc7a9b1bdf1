"""A producer of tomograms for the streaming tests: a set that stays open and grows."""

from pyworkflow.object import Set
from pyworkflow.protocol import STATUS_FINISHED, STATUS_RUNNING

from etpicker_plugin.tests.phantoms import VOXEL_SIZE


class Producer:
    """Plays a protocol whose output, imported before, grows tomogram by tomogram.

    What a running protocol does is done here: items appended and written, the set's
    state kept in its own file and in the project.
    """

    def __init__(self, project, protocol):
        self._project, self._protocol = project, protocol
        self.tomograms = protocol.Tomograms
        self._set_state(Set.STREAM_OPEN, STATUS_RUNNING)

    def send(self, names_and_files):
        """Append tomograms."""
        first = self.tomograms.getFirstItem().clone()
        self.tomograms.enableAppend()
        for name, path in names_and_files:
            item = first.clone()
            item.cleanObjId()
            item.setTsId(name)
            item.setFileName(str(path))
            item.setSamplingRate(VOXEL_SIZE)
            self.tomograms.append(item)
        self._write()

    def close(self):
        """Say that no more will come."""
        self._set_state(Set.STREAM_CLOSED, STATUS_FINISHED)

    def _set_state(self, state, status):
        self.tomograms.enableAppend()
        self.tomograms.setStreamState(state)
        self._protocol.setStatus(status)
        self._write()

    def _write(self):
        self.tomograms.write()
        self._protocol._store(self.tomograms)
        self._protocol._store(self._protocol.status)
        self.tomograms.close()
