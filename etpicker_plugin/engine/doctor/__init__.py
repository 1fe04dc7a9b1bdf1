"""Is everything here that etpicker needs? One line for each thing, or what to do."""
