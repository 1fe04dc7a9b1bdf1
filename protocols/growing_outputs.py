"""Outputs that grow while a protocol runs, and lose or repeat nothing after a kill.

A set's file is changed in one transaction for each call, so after a kill it holds all
of a tomogram or nothing: what it lacks is what is still to be added.
"""

from pyworkflow.object import Set


def grow_set(protocol, name, create, ts_ids, append, *, sources=()):
    """Add to an output what it lacks of these tomograms.

    ``create()`` makes the set when there is none yet, ``append(set, ts_id)`` adds one
    tomogram's items; ``sources`` are the pointers that the output comes from.
    """
    output = getattr(protocol, name, None)
    is_new = output is None
    if is_new:
        output, known = create(), set()
    else:
        known = reopen(output)
    for ts_id in ts_ids:
        if ts_id not in known:
            append(output, ts_id)
    output.setStreamState(Set.STREAM_OPEN)
    output.write()
    if is_new:
        protocol._defineOutputs(**{name: output})
        for source in sources:
            protocol._defineSourceRelation(source, output)
    protocol._store(output)
    output.close()


def reopen(output):
    """Make a set ready to append to; return the tsIds of which it holds an item."""
    output.load()
    if not output.getSize():
        # A kill may have left tables without a row, in which nothing can be appended.
        output.clear()
        return set()
    output.enableAppend()
    return set(output.getTSIds())


def empty_output(protocol, name):
    """Take every item out of an output, if there is one; it keeps its place."""
    output = getattr(protocol, name, None)
    if output is None:
        return
    output.load()
    output.clear()
    output.write()
    protocol._store(output)
    output.close()


def drop_outputs(protocol, names):
    """Remove outputs that are to be made anew."""
    for name in names:
        output = getattr(protocol, name, None)
        if output is not None:
            output.close()
            protocol.deleteOutput(output)
