"""What every run needs, imported and discovered once in the fork server so that starting a run takes milliseconds."""

import threading

import matplotlib.figure  # noqa: F401
import sklearn.cluster
import sklearn.datasets  # noqa: F401
import threadpoolctl  # noqa: F401
import torch_fidelity  # noqa: F401
import torchvision.utils  # noqa: F401
from tqdm import tqdm

import zoo_bench.run.execute  # noqa: F401
from zoo.registry import installed
from zoo_bench.core.environment import environment

installed()
environment()
tqdm.set_lock(threading.RLock())  # the default is a named semaphore, which a killed run would not remove
