"""Does at import what no model should."""

import torch
from broken_models import Good  # noqa: F401

import zoo_bench  # noqa: F401

torch.set_default_dtype(torch.float64)
print("loading")
