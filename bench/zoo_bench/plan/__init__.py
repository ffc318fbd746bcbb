"""Runs: their specs, their records, and the plan of the runs that a command asks for."""
