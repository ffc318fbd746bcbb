"""The first import of the fork server, before anything of ``zoo``: it takes over where its parent imports from."""

import json
import os
import sys

if text := os.environ.pop("ZOO_SERVER_PATH", ""):
    sys.path[:] = json.loads(text)
