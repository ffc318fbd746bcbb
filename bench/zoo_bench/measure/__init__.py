"""Speeds: which arithmetic and how many threads are fastest, where time goes, every model alone."""
