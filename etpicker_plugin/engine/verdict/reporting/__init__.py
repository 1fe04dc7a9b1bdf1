"""The verdict as a record, in words, pictures and a page."""
