"""Speeds: the fastest arithmetic and number of threads, where time goes, and the throughput of each model."""
