import contextlib
import copy
import hashlib
import json
import shutil
import struct

import pytest
import torch
from safetensors.torch import save_file

import zoo
from zoo.errors import UnknownNameError, ZooError
from zoo.loading import weights_sha256

CONFIGS = {"vae": {"z_dim": 3}, "gan": {"z_dim": 5, "batch_size": 16}}
DELETED = "deleted"


def save_run(root, model="vae", seed=0, *, shape=(1, 8, 8), task="digits", status="ok"):
    """Write a run's record and weights as a harness does, and return the record's path."""
    trained = zoo.create(model, shape=shape, **CONFIGS[model])
    config = trained.config.model_dump(mode="json")
    spec = {"model": model, "plugin": "genzoo", "plugin_version": "0.0.1", "config": config, "task": task, "seed": seed}
    path = root / "runs" / task / model / f"seed={seed}-01234567.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"spec": spec, "status": status}))
    save_file(trained.state_dict(), path.with_suffix(".safetensors"))
    return path


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A results folder of two models with two seeds each. Do not change it."""
    root = tmp_path_factory.mktemp("results")
    for model in CONFIGS:
        for seed in (0, 1):
            save_run(root, model, seed)
    (root / "environment.json").write_text("{}")
    return root


def test_a_file_gives_its_trained_model_in_eval_mode(results):
    path = results / "runs/digits/gan/seed=1-01234567.json"
    model = zoo.load(path)
    weights = zoo.loading.load_file(path.with_suffix(".safetensors"))
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert not model.training
    assert model.config.z_dim == 5
    assert model.device == torch.device("cpu")
    assert model.sample(4).shape == (4, 1, 8, 8)
    assert zoo.load(str(path)).config == model.config


@pytest.mark.parametrize("seed", [None, 0])
def test_samples_that_were_made_elsewhere_are_no_model(tmp_path, seed):
    spec = {"model": "theirs", "config": {}, "task": "digits", "seed": seed, "samples": "0123"}
    path = tmp_path / "outside-01234567.json"
    path.write_text(json.dumps({"spec": spec, "status": "ok"}))
    with pytest.raises(ZooError, match="holds samples that were made elsewhere, and no model"):
        zoo.load(path)


def test_a_folder_and_a_name_and_a_seed_give_the_model_of_that_run(results):
    path = results / "runs/digits/gan/seed=1-01234567.json"
    weights = zoo.load(path).state_dict()
    for loaded in (
        zoo.load(results, "gan", 1),
        zoo.load(results / "runs", model="gan", seed=1),
        zoo.load(results / "runs/digits/gan", seed=1),
    ):
        assert all(torch.equal(value, weights[name]) for name, value in loaded.state_dict().items())


def test_a_folder_with_one_run_needs_nothing_more(tmp_path):
    save_run(tmp_path)
    without = save_run(tmp_path, "gan")
    without.with_suffix(".safetensors").unlink()
    for folder in (tmp_path, tmp_path / "runs", tmp_path / "runs/digits", tmp_path / "runs/digits/vae"):
        assert zoo.load(folder).config.z_dim == 3


def test_several_runs_are_refused_with_some_of_them_and_how_to_choose(results):
    with pytest.raises(ZooError, match=r"has 4 runs: name one by model and seed, or by its file: .* and others$") as e:
        zoo.load(results)
    assert str(e.value).count("seed=") == 3
    with pytest.raises(ZooError, match=r"has 2 runs: .*seed=0-01234567.json', '.*seed=1-01234567.json'$"):
        zoo.load(results, "vae")


def test_a_model_or_a_seed_that_is_not_there_is_refused_with_those_that_are(results):
    with pytest.raises(UnknownNameError, match=r"unknown model in '.*' 'vea': did you mean 'vae'\?"):
        zoo.load(results, "vea")
    with pytest.raises(ZooError, match=r"no run in '.*' has the seed 7: known: 0, 1"):
        zoo.load(results, "vae", 7)
    with pytest.raises(UnknownNameError, match="'gan'"):
        zoo.load(results / "runs/digits/vae/seed=0-01234567.json", "gan")


def test_a_record_with_a_shape_needs_no_task(tmp_path):
    path = save_run(tmp_path, shape=(3, 12, 12), task="not-installed")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"shape": [3, 12, 12]}))
    with torch.no_grad():
        assert zoo.load(path).sample(2).shape == (2, 3, 12, 12)


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(ZooError, match="has no run with weights"):
        zoo.load(tmp_path)
    with pytest.raises(ZooError, match=r"absent.json' cannot be read: No such file"):
        zoo.load(tmp_path / "absent.json")


def test_absent_weights_are_refused_with_the_runs_status(tmp_path):
    path = save_run(tmp_path, status="diverged")
    path.with_suffix(".safetensors").unlink()
    with pytest.raises(ZooError, match=r"safetensors' is absent: the run ended with status 'diverged'"):
        zoo.load(path)


@pytest.mark.parametrize("content", [b"", b"not weights", b"\xff" * 100])
def test_damaged_weights_are_refused(tmp_path, content):
    path = save_run(tmp_path)
    path.with_suffix(".safetensors").write_bytes(content)
    with pytest.raises(ZooError, match=r"safetensors' is damaged"):
        zoo.load(path)


def test_weights_of_another_network_are_refused_with_both_versions(tmp_path):
    path, other = save_run(tmp_path), save_run(tmp_path, "gan")
    shutil.copy(other.with_suffix(".safetensors"), path.with_suffix(".safetensors"))
    with pytest.raises(ZooError, match=rf"was trained with genzoo 0.0.1 and does not fit genzoo {zoo.__version__}$"):
        zoo.load(path)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("model", "not-installed", "needs what is not installed: unknown model 'not-installed'"),
        ("task", "not-installed", "needs what is not installed: unknown task 'not-installed'"),
        ("config", {"no_such": 1}, "does not fit genzoo .*: unknown setting of vae 'no_such'"),
        ("config", {"z_dim": -1}, "does not fit genzoo .*: vae.z_dim: "),
    ],
)
def test_what_is_not_installed_here_is_named(tmp_path, field, value, sentence):
    path = save_run(tmp_path)
    record = json.loads(path.read_text())
    record["spec"][field] = value
    path.write_text(json.dumps(record))
    with pytest.raises(ZooError, match=sentence):
        zoo.load(path)


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", b'{"spec": 3}', b"\xff\xfe", b'{"spec": {"model": "vae"}}']
)
def test_what_is_no_record_is_refused(tmp_path, content):
    path = save_run(tmp_path)
    path.write_bytes(content)
    for place in (path, tmp_path):
        with pytest.raises(ZooError, match="is not a run record: "):
            zoo.load(place)


def test_a_folder_with_a_damaged_record_still_gives_the_others(tmp_path):
    save_run(tmp_path, "gan").write_text("{")
    save_run(tmp_path)
    assert zoo.load(tmp_path).config.z_dim == 3


def paths_of(value, path=()):
    """Yield where every value within a record is."""
    yield path
    for key in value if isinstance(value, dict) else ():
        yield from paths_of(value[key], (*path, key))


def changed(record, path, value):
    """Return a copy of a record with another value at a place, or with none."""
    record = copy.deepcopy(record)
    place = record
    for key in path[:-1]:
        place = place[key]
    if value is DELETED:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return record


UNEXPECTED = (
    DELETED, None, True, -1, 0, 1.5, 10**30, float("nan"), "", "vae", "[", [], [0], ["x"], [1, 8], [2, 2, 2, 2], {},
    {"": 0},
)  # fmt: skip


@pytest.mark.parametrize("value", UNEXPECTED, ids=repr)
def test_unexpected_content_is_a_sentence_or_harmless(tmp_path, value):
    path = save_run(tmp_path)
    original = json.loads(path.read_text()) | {"shape": [1, 8, 8]}
    for place in list(paths_of(original))[1:]:
        path.write_text(json.dumps(changed(original, place, value)))
        with contextlib.suppress(ZooError):
            zoo.load(path)


def export_of(path, **changes):
    """Write the one file that an export of a run is, and return its path."""
    weights, file = zoo.loading.load_file(path.with_suffix(".safetensors")), path.parent / "exported.safetensors"
    described = json.loads(path.read_text()) | {"weights_sha256": weights_sha256(weights)} | changes
    save_file(weights, file, {"genzoo": json.dumps(described)})
    return file


def test_an_exported_file_and_a_folder_of_the_hub_give_the_model_bit_for_bit(tmp_path):
    path = save_run(tmp_path / "results")
    folder = tmp_path / "hub"
    folder.mkdir()
    file = export_of(path).rename(folder / "model.safetensors")
    expected = zoo.load(path).state_dict()
    for place in (file, folder):
        loaded = zoo.load(place, "vae", 0)
        assert not loaded.training
        assert all(torch.equal(value, expected[name]) for name, value in loaded.state_dict().items())


def test_weights_that_differ_from_those_that_were_exported_are_refused(tmp_path):
    file = export_of(save_run(tmp_path))
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ZooError, match=r"exported.safetensors' differs from what was exported: its weights have"):
        zoo.load(file)


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        (None, "exported.safetensors' is no export: load it by the run's JSON"),
        ({"genzoo": "{"}, "exported.safetensors' is not a run record: "),
        ({"genzoo": "{}"}, "exported.safetensors' is not a run record: spec: "),
    ],
)
def test_a_file_that_is_no_export_is_refused(tmp_path, metadata, sentence):
    file = tmp_path / "exported.safetensors"
    save_file({"w": torch.zeros(2)}, file, metadata)
    with pytest.raises(ZooError, match=sentence):
        zoo.load(file)


def test_a_damaged_or_absent_export_is_refused(tmp_path):
    file = tmp_path / "exported.safetensors"
    with pytest.raises(ZooError, match=r"exported.safetensors' is no file"):
        zoo.load(file)
    file.write_bytes(b"\xff" * 100)
    with pytest.raises(ZooError, match=r"exported.safetensors' is damaged"):
        zoo.load(file)


def test_an_export_of_another_version_that_does_not_fit_names_both(tmp_path):
    path = save_run(tmp_path)
    spec = json.loads(path.read_text())["spec"]
    file = export_of(path, spec=spec | {"config": spec["config"] | {"z_dim": 4}})
    with pytest.raises(ZooError, match=rf"was trained with genzoo 0.0.1 and does not fit genzoo {zoo.__version__}$"):
        zoo.load(file)


def test_the_hash_of_weights_is_of_names_types_shapes_and_values():
    weights = {"a": torch.tensor([1.0, 2.0]), "b": torch.tensor(3)}
    first = weights_sha256(weights)
    expected = hashlib.sha256(b"a torch.float32 (2,)\n" + struct.pack("<2f", 1, 2) + b"b torch.int64 ()\n\3" + bytes(7))
    assert first == expected.hexdigest() == weights_sha256(dict(reversed(weights.items())))
    others = [
        weights | {"b": torch.tensor(4)},
        weights | {"b": torch.tensor(3, dtype=torch.int32)},
        weights | {"a": torch.tensor([[1.0, 2.0]])},
        {"a": weights["a"], "c": weights["b"]},
    ]
    assert len({first, *map(weights_sha256, others)}) == 5
