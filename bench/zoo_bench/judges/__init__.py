"""The networks and functions that map samples to features and modes, one class per file; weights in ``weights/``."""

PANEL = "panel"
"""``MetricSpec.judge`` of metrics under a task's own judge and all those beside it."""
