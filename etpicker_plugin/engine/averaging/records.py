"""What an averaging run leaves and needs, for all who wait for it."""

RECORD = "average.json"
ALIGNED = "aligned.star"

LEAST_BOXES = {"refine": 8, "classify": 2}
