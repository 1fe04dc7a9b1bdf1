"""``etpicker convert``: files of one format to files of another."""
