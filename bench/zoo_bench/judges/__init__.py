"""The networks and functions that look at samples: one class a file; weights in ``weights/``."""
