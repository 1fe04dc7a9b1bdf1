"""A producer of images for the streaming tests: a set that stays open and grows."""

from pyworkflow.object import Set
from pyworkflow.protocol import STATUS_FINISHED, STATUS_RUNNING, getProtocolFromDb


class Producer:
    """Plays a protocol whose output, imported before, grows image by image.

    What a running protocol does is done here: items appended and written, the set's
    state kept in its own file, in the run's database and in the project.
    """

    def __init__(self, project, protocol, output="Tomograms", *, empty=False):
        self._project, self._protocol, self._name = project, protocol, output
        self._set = getattr(protocol, output)
        self._first = self._set.getFirstItem().clone()
        self._set.load()
        if empty:
            self._set.clear()
        self._set_state(Set.STREAM_OPEN, STATUS_RUNNING)

    def send(self, names_and_files):
        """Append tomograms, masks or micrographs; what they share is the first's."""
        self._set.enableAppend()
        for name, path in names_and_files:
            item = self._first.clone()
            item.cleanObjId()
            set_name = getattr(item, "setTsId", None) or item.setMicName
            set_name(name)
            item.setFileName(str(path))
            self._set.append(item)
        self._write()

    def close(self):
        """Say that no more will come."""
        self._set.enableAppend()
        self._set_state(Set.STREAM_CLOSED, STATUS_FINISHED)

    def _set_state(self, state, status):
        self._set.setStreamState(state)
        self._protocol.setStatus(status)
        self._write()

    def _write(self):
        self._set.write()
        self._protocol._store(self._set)
        self._protocol._store(self._protocol.status)
        self._set.close()
        self._write_run()

    def _write_run(self):
        run = getProtocolFromDb(
            self._project.path, self._protocol.getDbPath(), self._protocol.getObjId()
        )
        output = getattr(run, self._name)
        output.setStreamState(self._set.getStreamState())
        run.setStatus(self._protocol.getStatus())
        run._store(output)
        run._store(run.status)
        run.closeMappers()
