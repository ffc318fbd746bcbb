"""``python -m zoo``: the command line, with this very Python."""

from zoo.cli import entry

if __name__ == "__main__":
    entry()
