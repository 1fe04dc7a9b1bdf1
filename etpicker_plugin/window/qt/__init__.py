"""The window itself: widgets, gestures, views."""
