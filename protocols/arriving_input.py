"""An input set that another protocol still fills, as that protocol has left it."""

from pyworkflow.protocol import getUpdatedProtocol


def none_arrived(image):
    """Say that a set is empty, and closed; ``image`` is what it would hold."""
    return (
        f"No {image} arrived: the set of {image}s is empty, and closed. Look why the "
        "protocol that makes it made none, let it make some, then start or continue "
        "this one."
    )


def refresh_set(project, item):
    """Read a set's state and items again.

    The file of an empty set holds no state: whether something may still come is then
    asked of the protocol that makes it.
    """
    item.close()
    item.load()
    if item.getSize():
        item.loadAllProperties()
    elif item.isStreamOpen():
        item.setStreamState(_state_in_its_protocol(project, item))


def _state_in_its_protocol(project, item):
    maker = project.getProtocol(item.getObjParentId())
    name = maker.findAttributeName(item)
    return getattr(getUpdatedProtocol(maker), name).getStreamState()
