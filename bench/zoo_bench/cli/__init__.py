"""The commands of the harness, one file per command."""
