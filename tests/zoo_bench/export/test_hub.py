import json
import shutil

import numpy as np
import pytest
import scipy.stats

import zoo
from zoo.errors import ZooError
from zoo.registry import installed
from zoo_bench.export.hub import _card, hub_files
from zoo_bench.export.weights import described
from zoo_bench.store.records import read_record


def export(path, licence="mit"):
    record = read_record(path)
    description = json.dumps(described(path, record))
    return hub_files(path, record, installed().models.get(record.spec.model), description, licence)


def front_matter(card):
    """Read the head of a card, each line of which is a key and JSON."""
    head = card.split("---\n")[1]
    return {key: json.loads(value) for key, _, value in (line.partition(": ") for line in head.splitlines())}


@pytest.fixture(scope="module")
def runs(finished_bench):
    return sorted(finished_bench.glob("runs/digits/vae/seed=?-????????.json"))


@pytest.fixture(scope="module")
def files(runs):
    return export(runs[0])


def test_the_folder_gives_the_model_back(files, runs, tmp_path):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    expected = zoo.load(runs[0]).state_dict()
    assert all((value == expected[name]).all() for name, value in zoo.load(tmp_path).state_dict().items())
    assert json.loads(files["config.json"])["run_id"] == read_record(runs[0]).run_id
    assert files["samples.png"] == runs[0].with_suffix(".png").read_bytes()


def test_the_card_has_the_scores_of_these_weights_and_the_interval_over_seeds(files, runs):
    data = front_matter(files["README.md"].decode())
    assert (data["license"], data["library_name"], data["datasets"]) == ("mit", "genzoo", ["digits"])
    assert data["tags"] == ["genzoo", "vae"]
    [result] = data["model-index"][0]["results"]
    fid = next(metric for metric in result["metrics"] if metric["type"] == "fid")
    values = [read_record(run).metrics["fid"] for run in runs]
    mean, error = np.mean(np.log(values)), scipy.stats.sem(np.log(values))
    low, high = scipy.stats.t.interval(0.95, len(values) - 1, mean, error)
    assert fid["value"] == values[0]
    assert (fid["args"]["mean"], fid["args"]["low"], fid["args"]["high"]) == pytest.approx(
        (np.exp(mean), np.exp(low), np.exp(high))
    )
    assert fid["args"]["n"] == len(values) == 2
    assert fid["args"]["floor"] == pytest.approx(np.mean([read_record(run).metrics["fid_floor"] for run in runs]))


def test_the_card_says_how_to_load_and_to_train_it_again(files):
    card = files["README.md"].decode()
    assert "![Samples](samples.png)" in card
    assert "zoo bench --task 'digits' --models 'vae' --budget '640' --seeds 2" in card
    assert 'zoo.load("PATH/OF/THIS/FOLDER")' in card
    assert "| mean of 2 seeds (95 % interval) | real data |" in card


def test_the_command_has_the_settings_that_are_not_the_defaults(runs):
    record = read_record(runs[0])
    config = record.spec.config | {"conditional": True, "classes": 10}
    conditional = record.model_copy(update={"spec": record.spec.with_changes(config=config)})
    entry = installed().models.get("vae")
    card = _card(conditional, entry, (), [], "mit", has_sheet=False)
    assert "--models 'vae[conditional=true]'" in card
    assert "model.sample(64, labels)" in card


def test_a_run_without_scores_or_a_sheet_has_a_card_that_says_so(bench_copy):
    path = next(bench_copy.glob("runs/digits/vae/seed=0-????????.json"))
    record = json.loads(path.read_text()) | {"status": "diverged", "scores": {}, "diagnostics": {}}
    path.write_text(json.dumps(record))
    path.with_suffix(".png").unlink()
    files = export(path)
    card = files["README.md"].decode()
    assert "samples.png" not in card
    assert "samples.png" not in files
    assert "It has no score." in card
    assert "The run ended with status diverged." in card
    assert front_matter(card)["model-index"][0]["results"] == []


def test_a_run_outside_a_folder_of_results_is_refused(runs, tmp_path):
    for suffix in (".json", ".safetensors"):
        shutil.copy(runs[0].with_suffix(suffix), tmp_path)
    with pytest.raises(ZooError, match="is in no folder of results, whose other seeds the card needs"):
        export(tmp_path / runs[0].name)


@pytest.mark.extra
def test_the_hub_reads_the_card(files, tmp_path):
    hub = pytest.importorskip("huggingface_hub", reason="needs the extra hf")
    (tmp_path / "README.md").write_bytes(files["README.md"])
    data = hub.ModelCard.load(tmp_path / "README.md").data
    assert data.license == "mit"
    assert data.pipeline_tag == "unconditional-image-generation"
    assert {result.metric_type for result in data.eval_results} >= {"fid", "modes_captured"}
    fid = next(result for result in data.eval_results if result.metric_type == "fid")
    assert (fid.dataset_name, fid.dataset_split) == ("digits", "test")
