import re

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from zoo.cli import main
from zoo_bench.executors import Rescored
from zoo_bench.plan.record import LEARNING_CURVE
from zoo_bench.store.records import Store, read_record


@pytest.fixture
def images(digits_task, tmp_path):
    """Real digits, as many as a model generates, in a file."""
    data = digits_task.train.data
    path = tmp_path / "Some Digits.npz"
    np.savez(path, data.repeat(2, 1, 1, 1)[: digits_task.samples].numpy())
    return path


def table(folder):
    return pd.read_csv(folder / "results.csv").set_index("run_id").sort_index()


def changed(path, **fields):
    record = read_record(path).model_copy(update=fields)
    path.write_text(record.model_dump_json())


def test_missing_scores_of_stored_runs_are_computed_and_all_others_stay(bench_copy, capfd):
    before = table(bench_copy)
    (run,) = bench_copy.glob("runs/digits/vae/seed=1-*.json")
    scores = read_record(run).scores
    changed(run, scores={name: score for name, score in scores.items() if name != "kid"})
    assert main(["score", str(bench_copy)]) == 0
    out, err = capfd.readouterr()
    assert err.splitlines()[0] == "vae on digits, seed 1: scored kid"
    assert "vae" in out
    pd.testing.assert_frame_equal(table(bench_copy), before, check_exact=True)
    assert main(["score", str(bench_copy)]) == 0
    assert "every score is there" in capfd.readouterr().err


def test_everything_is_computed_again_by_force_and_is_the_same(bench_copy, capfd):
    before = table(bench_copy)
    assert main(["score", str(bench_copy), "--force", "--metrics", "fid"]) == 0
    assert f"gan on digits, seed 0: scored fid, {LEARNING_CURVE}" in capfd.readouterr().err
    assert "fid_auc" in before
    pd.testing.assert_frame_equal(table(bench_copy), before, check_exact=True)


def test_a_run_that_cannot_be_scored_is_named_and_keeps_its_scores(bench_copy, capfd):
    (run,) = bench_copy.glob("runs/digits/vae/seed=1-*.json")
    run.with_suffix(".safetensors").write_bytes(b"nothing")
    before = run.read_bytes()
    assert main(["score", str(bench_copy), "--force"]) == 1
    assert f"vae on digits, seed 1: not scored again: {str(run.with_suffix('.safetensors'))!r} is damaged" in (
        capfd.readouterr().err
    )
    assert run.read_bytes() == before


def test_a_run_whose_weights_are_gone_is_named(bench_copy, capfd):
    (run,) = bench_copy.glob("runs/digits/vae/seed=1-*.json")
    run.with_suffix(".safetensors").unlink()
    assert main(["score", str(bench_copy), "--force"]) == 1
    assert "vae on digits, seed 1 cannot be scored again, as neither weights nor samples" in capfd.readouterr().err


def test_not_every_score_is_said_to_be_there_where_weights_are_gone(bench_copy, capfd):
    for run in bench_copy.glob("runs/digits/*/*.json"):
        changed(run, scores={})
        run.with_suffix(".safetensors").unlink()
    assert main(["score", str(bench_copy)]) == 1
    err = capfd.readouterr().err
    assert "and 3 more runs cannot be scored again" in err
    assert "every score is there" not in err


def test_samples_made_elsewhere_are_a_row_beside_the_models_that_takes_part_in_no_claim(bench_copy, images, capfd):
    assert main(["score", str(images), "--task", "digits", "--out", str(bench_copy)]) == 0
    out, err = capfd.readouterr()
    row = table(bench_copy).set_index("model").loc["some-digits"]
    assert row["fid"] < 1
    for column in ("plugin", "seed", "budget", "threads", "contended", "train_seconds", "params", "device"):
        assert pd.isna(row[column]), column
    assert "some-digits" in out
    assert "no claim is about them" in " ".join(out.split())
    verdict = next(line for line in out.splitlines() if "has the lowest FID" in line)
    assert not verdict.startswith("some-digits")
    assert "some-digits on digits: scored" in err

    assert main(["report", str(bench_copy)]) == 0
    assert "some-digits (outside)" in (bench_copy / "report.html").read_text()
    assert "0 runs to do" in bench(bench_copy, capfd)
    assert main(["score", str(bench_copy), "--force", "--metrics", "fid"]) == 0
    assert table(bench_copy).set_index("model").loc["some-digits", "fid"] == row["fid"]


def bench(folder, capfd):
    arguments = ["--models", "vae,gan", "--seeds", "2", "--budget", "640", "--threads", "1", "--out", str(folder)]
    assert main(["bench", *arguments, "--no-throughput"]) == 0
    return capfd.readouterr().err


def test_other_metrics_of_the_same_samples_are_added_to_those_that_are_there(images, tmp_path):
    arguments = ["score", str(images), "--task", "digits", "--out", str(tmp_path / "out"), "--metrics"]
    assert main([*arguments, "fid"]) == 0
    fid = table(tmp_path / "out")["fid"].item()
    assert main([*arguments, "kid"]) == 0
    row = table(tmp_path / "out")
    assert row["fid"].item() == fid
    assert row["kid"].notna().all()


def test_results_are_not_written_into_a_folder_of_samples(tmp_path, capsys):
    (tmp_path / "images").mkdir()
    arguments = ["score", str(tmp_path / "images"), "--task", "digits", "--out"]
    for out in (tmp_path / "images", tmp_path / "images" / "results"):
        assert main([*arguments, str(out)]) == 2
        assert "is in the folder of samples" in capsys.readouterr().err


def test_runs_that_failed_stay_in_one_table_with_those_that_a_new_judge_scores(bench_copy, capfd):
    for path in bench_copy.glob("runs/digits/*/*.json"):
        record = read_record(path)
        old = {name: score.model_copy(update={"judge": "old"}) for name, score in record.scores.items()}
        changed(path, judge="old", curve_judge="old", scores=old)
    (run,) = bench_copy.glob("runs/digits/gan/seed=1-*.json")
    failed = read_record(run)
    changed(run, status="diverged", error="loss is NaN", scores={})
    (bench_copy / "lost").mkdir()
    (weights,) = bench_copy.glob("runs/digits/vae/seed=1-*[0-9a-f].safetensors")
    weights.rename(bench_copy / "lost" / weights.name)
    assert main(["score", str(bench_copy)]) == 1
    assert read_record(run).judge == "old"  # beside the run that cannot be scored again
    (bench_copy / "lost" / weights.name).rename(weights)
    assert main(["score", str(bench_copy)]) == 0
    assert set(table(bench_copy)["judge"]) == {read_record(weights.with_suffix(".json")).judge}
    assert read_record(run).history == failed.history
    assert "1/2" in capfd.readouterr().out


def test_several_files_are_training_seeds_of_one_row(images, digits_task, tmp_path, capfd):
    out = tmp_path / "out"
    generator = torch.Generator().manual_seed(0)
    for seed in (0, 1, 2):
        data = digits_task.train.data.repeat(2, 1, 1, 1)[: digits_task.samples]
        noise = torch.randint(0, 30, data.shape, generator=generator)
        np.save(tmp_path / "noisy.npy", (data.int() + noise).clamp(0, 255).byte().numpy())
        arguments = ["--task", "digits", "--run-seed", str(seed), "--metrics", "fid", "--out", str(out)]
        assert main(["score", str(tmp_path / "noisy.npy"), *arguments]) == 0
    printed = capfd.readouterr().out
    assert re.search(r"noisy \(outside\) +3/3", printed)
    assert set(table(out)["seed"]) == {0, 1, 2}
    assert "so this ranks nothing" in printed


def test_the_same_images_as_files_and_floats_have_the_same_score(images, tmp_path):
    data = np.load(images)["arr_0"]
    folder = tmp_path / "files"
    folder.mkdir()
    for i, image in enumerate(data):
        Image.fromarray(image[0]).save(folder / f"{i:05}.png")
    np.save(tmp_path / "floats.npy", (data.transpose(0, 2, 3, 1) / 255).astype(np.float32))
    for name, extra in {"files": [], "floats.npy": ["--range", "0,1"], images.name: []}.items():
        arguments = ["--task", "digits", "--metrics", "fid", "--out", str(tmp_path / "out"), *extra]
        assert main(["score", str(tmp_path / name), *arguments]) == 0
    assert table(tmp_path / "out")["fid"].nunique() == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "has no runs/, so it is read as samples that were made elsewhere: these need --task, and --out"),
        (["--task", "digits"], "these need --task, and --out"),
        (["--task", "digit", "--out", "OUT"], "unknown task 'digit': did you mean 'digits'"),
        (["--task", "digits", "--out", "OUT", "--name", "gan"], "'gan' is the name of an installed model"),
        (["--task", "digits", "--out", "OUT", "--name", "My GAN"], "--name 'My GAN' must be lower-case letters"),
        (["--task", "digits", "--out", "OUT", "--metrics", "fids"], "unknown metric 'fids'"),
        (["--task", "digits", "--out", "OUT", "--range", "0,1"], "--range"),
        (["--task", "mnist", "--out", "OUT"], "has an array of shape"),
        (["--task", "digits", "--out", "OUT", "--run-seed", "-1"], "--run-seed"),
        (["--task", "digits", "--out", "OUT", "--run-seed", str(2**63)], "--run-seed"),
    ],
)
def test_what_is_unusable_is_refused_in_a_sentence_and_nothing_is_written(
    images, tmp_path, arguments, sentence, capsys, request
):
    if "mnist" in arguments:
        request.getfixturevalue("mnist_task")
    out = tmp_path / "out"
    assert main(["score", str(images), *[str(out) if a == "OUT" else a for a in arguments]]) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


@pytest.mark.parametrize("option", ["--task", "--name", "--range", "--out", "--run-seed"])
def test_options_of_samples_are_refused_for_a_folder_of_results(finished_bench, option, capsys):
    assert main(["score", str(finished_bench), option, "0"]) == 2
    assert f"{option} is for samples that were made elsewhere" in capsys.readouterr().err


def test_a_folder_without_finished_runs_is_refused(tmp_path, capsys):
    (tmp_path / "runs").mkdir()
    assert main(["score", str(tmp_path)]) == 2
    assert "no finished run in" in capsys.readouterr().err


def test_tables_have_what_was_scored_before_an_interruption(bench_copy, monkeypatch, capsys):
    for run in bench_copy.glob("runs/digits/vae/*.json"):
        changed(run, scores={name: s for name, s in read_record(run).scores.items() if name != "kid"})
    sentence = Rescored.sentence

    def interrupted(event):
        raise KeyboardInterrupt(sentence(event))

    monkeypatch.setattr(Rescored, "sentence", interrupted)
    assert main(["score", str(bench_copy), "--metrics", "all", "--workers", "1"]) == 130
    assert capsys.readouterr().err.endswith("runs that were scored are stored; the same command does the rest\n")
    assert table(bench_copy).set_index("model").loc["vae", "kid"].notna().sum() == 1


def test_a_bench_scores_by_itself_what_its_metrics_lack(bench_copy, capfd):
    before = table(bench_copy)
    (run,) = bench_copy.glob("runs/digits/gan/seed=1-*.json")
    scores = read_record(run).scores
    changed(run, scores={**scores, "kid": scores["kid"].model_copy(update={"version": "0", "values": {"kid": 1e9}})})
    said = bench(bench_copy, capfd)
    assert "0 runs to do, 4 stored already, 1 of them to score" in said
    assert "gan on digits, seed 1: scored kid" in said
    after = table(bench_copy)
    pd.testing.assert_frame_equal(after, before, check_exact=True)
    assert len(Store(bench_copy).records()) == 4
