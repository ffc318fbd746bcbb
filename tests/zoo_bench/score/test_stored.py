import numpy as np
import pytest
import torch

from zoo.errors import ZooError
from zoo_bench.score.stored import load_run, unpacked


def test_the_weights_are_those_that_the_run_saved(finished_bench):
    from safetensors.torch import load_file

    (run,) = finished_bench.glob("runs/digits/vae/seed=0-*.json")
    model, weights = load_run(run), load_file(run.with_suffix(".safetensors"))
    state = model.state_dict()
    assert state.keys() == weights.keys()
    assert all(torch.equal(state[key], weights[key]) for key in weights)


class Exploit:
    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
def test_samples_that_are_pickled_are_never_loaded(tmp_path, suffix):
    array = np.array([Exploit()], dtype=object)
    path = tmp_path / "seed=0.samples.npz"
    with path.open("wb") as file:
        np.savez(file, samples=array) if suffix == ".npz" else np.save(file, array)
    with pytest.raises(ZooError, match="holds no samples"):
        unpacked(path)
