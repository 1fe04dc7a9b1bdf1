"""Outputs that grow while a protocol runs, and lose or repeat nothing after a kill.

A set's file is changed in one transaction for each call, so after a kill it holds all
of an image or nothing: what it lacks is what is still to be added.
"""

from pyworkflow.object import Set


def names_of_tomograms(output):
    """Return the tsIds of which a set holds an item."""
    return set(output.getTSIds())


def grow_set(
    protocol, name, create, images, append, *, sources=(), held=names_of_tomograms
):
    """Add to an output what it lacks of these images, which are names.

    ``create()`` makes the set when there is none yet, ``append(set, image)`` adds one
    image's items; ``sources`` are the pointers that the output comes from, and
    ``held(set)`` gives the names of those that a set holds something of.
    """
    output = getattr(protocol, name, None)
    is_new = output is None
    if is_new:
        output, known = create(), set()
    else:
        known = reopen(output, held)
    for image in images:
        if image not in known:
            append(output, image)
    output.setStreamState(Set.STREAM_OPEN)
    output.write()
    if is_new:
        protocol._defineOutputs(**{name: output})
        for source in sources:
            protocol._defineSourceRelation(source, output)
    protocol._store(output)
    output.close()


def reopen(output, held=names_of_tomograms):
    """Make a set ready to append to; return the names it holds an item of."""
    output.load()
    if not output.getSize():
        # A kill may have left tables without a row, in which nothing can be appended.
        output.clear()
        return set()
    output.enableAppend()
    return held(output)


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
        if output is None:
            continue
        if isinstance(output, Set):
            output.close()
        protocol.deleteOutput(output)
