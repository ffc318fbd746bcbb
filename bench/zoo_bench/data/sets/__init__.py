"""The data sets that come with the harness, one family per file."""
