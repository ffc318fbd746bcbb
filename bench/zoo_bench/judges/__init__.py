"""The networks and functions that map samples to features and modes, one class per file; weights in ``weights/``."""
