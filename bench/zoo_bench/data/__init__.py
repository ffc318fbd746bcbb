"""Data sets, users' own pictures, splits and batches."""
