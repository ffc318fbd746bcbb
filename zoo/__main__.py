"""``python -m zoo``: the command line, run by this Python."""

from zoo.cli import entry

if __name__ == "__main__":
    entry()
