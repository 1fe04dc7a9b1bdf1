"""From a tomogram to particle centres."""
