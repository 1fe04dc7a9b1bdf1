"""RELION: finding it, planning its commands, running them, reading what they left."""
