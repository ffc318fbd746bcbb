"""What every run needs, imported and discovered once in the fork server so that starting a run takes milliseconds."""

import importlib
import pkgutil
import signal
import threading

import matplotlib.backends.backend_agg
import matplotlib.figure  # noqa: F401
import PIL.Image
import sklearn.cluster
import sklearn.datasets  # noqa: F401
import threadpoolctl  # noqa: F401
import torch_fidelity  # noqa: F401
import torchvision.utils  # noqa: F401
from tqdm import tqdm

import zoo_bench.run.execute
import zoo_bench.score.metrics
from zoo.catalogue import HOST
from zoo.registry import installed
from zoo_bench.core.environment import environment
from zoo_bench.run.watch import ORIGINALS, harness_functions

for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # they go to all processes of a terminal; the server ends with its clients
    if hasattr(signal, name):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
for module in pkgutil.iter_modules(zoo_bench.score.metrics.__path__, "zoo_bench.score.metrics."):
    importlib.import_module(module.name)
ORIGINALS |= harness_functions()
for entry in (*installed().models, *installed().tasks):
    if entry.plugin.distribution == HOST:  # others may do at import what their own run alone should bear
        entry.load()
environment()
PIL.Image.preinit()
tqdm.set_lock(threading.RLock())  # the default is a named semaphore, which a killed run would not remove
