import json

import torch
from safetensors import safe_open
from safetensors.torch import load_file

import zoo
from zoo.loading import METADATA, weights_sha256
from zoo_bench.export.weights import described, weights_file
from zoo_bench.store.records import read_record


def test_one_file_has_the_weights_and_all_that_a_run_is_a_function_of(finished_bench, tmp_path):
    path = next(finished_bench.glob("runs/digits/gan/seed=1-*.json"))
    record, out = read_record(path), tmp_path / "gan.safetensors"
    out.write_bytes(weights_file(path, json.dumps(described(path, record))))
    with safe_open(out, "pt") as opened:
        told = json.loads(opened.metadata()[METADATA])
    assert told["spec"] == record.spec.model_dump(mode="json")
    assert (told["run_id"], tuple(told["shape"])) == (record.run_id, (1, 8, 8))
    assert told["weights_sha256"] == weights_sha256(load_file(path.with_suffix(".safetensors")))
    loaded, original = zoo.load(out), zoo.load(path)
    assert loaded.config == original.config
    torch.manual_seed(0)
    samples = loaded.sample(16)
    torch.manual_seed(0)
    assert torch.equal(samples, original.sample(16))
