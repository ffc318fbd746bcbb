"""Data sets, people's own pictures, splits and batches."""
