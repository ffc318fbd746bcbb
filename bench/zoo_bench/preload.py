"""What every run needs, imported once in the fork server so that starting a run costs milliseconds."""

import matplotlib.figure  # noqa: F401
import sklearn.datasets  # noqa: F401
import torch_fidelity  # noqa: F401
import torchvision.utils  # noqa: F401

import zoo_bench.run  # noqa: F401
