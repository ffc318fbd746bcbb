"""The files of a bench: one JSON per run, and the tables derived from them."""
