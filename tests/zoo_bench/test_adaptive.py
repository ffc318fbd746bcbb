"""``zoo bench --seeds auto``: which models get further seeds, and what tables make of them."""

from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest

import zoo_bench
from drawn_benches import scored
from zoo_bench.benchmark import prepare, run
from zoo_bench.executors import Finished, Looked, Started
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.record import Outcome, RunRecord
from zoo_bench.plan.resources import Resources
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.sequential import sequential_p
from zoo_bench.report.read.summary import summarise
from zoo_bench.store.tables import load_results

NOISE = np.exp(np.random.default_rng(0).normal(0, 0.1, (3, 30)))
FIDS = {"gan": 2.0 * NOISE[0], "dcgan": 2.1 * NOISE[1], "vae": 9.0 * NOISE[2]}


class Trained(list):
    """The runs that were executed, and how they end: an FID per model and seed, or a status."""

    def __init__(self):
        self.fids = {model: dict(enumerate(map(float, fids))) for model, fids in FIDS.items()}
        self.until = None

    def run(self, specs, options):
        for spec in specs:
            if self.until is not None and len(self) >= self.until:
                raise KeyboardInterrupt
            self.append(spec)
            yield Started(spec, Resources(1, False))
            yield Finished(spec, Outcome(self.record(spec, options)))

    def record(self, spec, options):
        end = self.fids[spec.model][spec.seed]
        status = end if isinstance(end, str) else "ok"
        scores = scored(spec, options.scoring) if status == "ok" else {}
        if status == "ok":
            scores["fid"].values = {} if end is None else {"fid": end}
        return RunRecord(
            run_id=spec.run_id, spec=spec, status=status, threads=1, contended=False, scores=scores,
            started_at=datetime(2025, 1, 2, tzinfo=UTC), train_seconds=1.0,
        )  # fmt: skip

    @property
    def seeds(self):
        """Number of runs that were executed, by model."""
        return dict(Counter(spec.model for spec in self))


@pytest.fixture
def trained(monkeypatch):
    made = Trained()
    monkeypatch.setattr("zoo_bench.executors.local.run", made.run)
    monkeypatch.setattr("zoo_bench.score.controls.score_controls", lambda root, plans, panel, timeout: None)
    return made


@pytest.fixture
def bench(tmp_path):
    """Run a bench; returns its frame and what was said at each look."""

    def benched(seeds="auto:8", models="gan,dcgan,vae", task="digits", **options):
        usual = {"budget": "640", "precision": "fp32", "metrics": "fid", "threads": 1, "out": tmp_path}
        prepared = prepare(BenchOptions(models=models, task=task, seeds=seeds, **{**usual, **options}))
        said = []
        frame = run(prepared, lambda event: said.append(event) if isinstance(event, Looked) else None)
        assert set(frame["run_id"]) == {spec.run_id for spec in prepared.plan.runs}
        return frame, said

    return benched


def seeds_of(frame):
    return {model: sorted(rows) for model, rows in frame.groupby("model")["seed"]}


def test_models_that_are_separable_get_four_seeds(trained, bench):
    frame, looked = bench(models="gan,vae")
    assert seeds_of(frame) == {"gan": [0, 1, 2, 3], "vae": [0, 1, 2, 3]}
    assert looked == [Looked(("digits, 4 seeds: every pair of 2 models is separable",))]


def test_only_models_in_a_pair_that_is_not_separable_get_further_seeds_up_to_the_limit(trained, bench, tmp_path):
    frame, looked = bench()
    assert seeds_of(frame) == {"gan": list(range(8)), "dcgan": list(range(8)), "vae": [0, 1, 2, 3]}
    assert looked == [
        Looked(("digits, 4 seeds: not separable: gan and dcgan; next, seeds 4-5 of 2 models",), 4, 4),
        Looked(("digits, 6 seeds: not separable: gan and dcgan; next, seeds 6-7 of 2 models",), 4, 4),
        Looked(("digits, 8 seeds: not separable: gan and dcgan; this is the limit",)),
    ]
    assert [(spec.model, spec.seed) for spec in trained[-4:]] == [("gan", 6), ("dcgan", 6), ("gan", 7), ("dcgan", 7)]
    assert 'seeds = "auto:8"\n' in (tmp_path / "bench.toml").read_text()


def test_the_same_command_trains_nothing_more_and_decides_the_same(trained, bench):
    first, looked = bench()
    executed = len(trained)
    again, looked_again = bench()
    assert len(trained) == executed
    assert first.equals(again)
    assert [event.sentences for event in looked] == [event.sentences for event in looked_again]
    assert [event.missing for event in looked_again] == [0, 0, 0]


@pytest.mark.parametrize("until", [0, 5, 12, 14])
def test_a_bench_that_was_interrupted_goes_on_to_the_same_end(trained, bench, until):
    trained.until = until
    with pytest.raises(KeyboardInterrupt):
        bench()
    trained.until = None
    frame, _ = bench()
    assert seeds_of(frame) == {"gan": list(range(8)), "dcgan": list(range(8)), "vae": [0, 1, 2, 3]}
    assert Counter(trained).most_common(1)[0][1] == 1


def test_a_limit_may_be_raised_later(trained, bench):
    bench("auto:6")
    frame, _ = bench("auto:12")
    assert {model: len(seeds) for model, seeds in seeds_of(frame).items()} == {"gan": 11, "dcgan": 11, "vae": 4}
    assert trained.seeds == {"gan": 11, "dcgan": 11, "vae": 4}


def test_force_trains_every_run_once(trained, bench):
    bench()
    executed = len(trained)
    bench(force=True)
    assert len(trained) == 2 * executed
    assert set(Counter(trained).values()) == {2}


def test_a_model_of_which_a_run_failed_gets_no_further_seeds_until_it_is_repaired(trained, bench):
    trained.fids["dcgan"][2] = "error"
    frame, looked = bench()
    assert {model: len(seeds) for model, seeds in seeds_of(frame).items()} == {"gan": 4, "dcgan": 4, "vae": 4}
    assert looked == [Looked(("digits, 4 seeds: every pair of 2 models is separable",))]
    trained.fids["dcgan"][2] = 2.0
    bench()
    assert trained.seeds["dcgan"] == 4
    frame, _ = bench(retry_failed=True)
    assert seeds_of(frame) == {"gan": list(range(8)), "dcgan": list(range(8)), "vae": [0, 1, 2, 3]}


def test_where_nothing_can_be_claimed_nothing_is_added(trained, bench):
    trained.fids["dcgan"][2] = trained.fids["vae"][0] = "diverged"
    _, looked = bench()
    assert looked == [Looked(("digits, 4 seeds: claims are made of fewer than two models",))]


def test_a_model_with_a_finished_run_without_a_value_gets_no_further_seeds(trained, bench):
    trained.fids["dcgan"][2] = None
    frame, _ = bench()
    assert {len(seeds) for seeds in seeds_of(frame).values()} == {4}


def test_every_task_is_looked_at_on_its_own(trained, bench):
    frame, looked = bench("auto:6", models="gan,vae", task="digits,ring8")
    assert {len(seeds) for seeds in seeds_of(frame).values()} == {8}
    trained.fids["vae"] = trained.fids["dcgan"]
    frame, looked = bench("auto:6", models="gan,vae", task="digits,ring8", budget="641")
    assert {len(seeds) for seeds in seeds_of(frame).values()} == {12}
    assert [sentence.partition(":")[0] for sentence in looked[0].sentences] == ["digits, 4 seeds", "ring8, 4 seeds"]


def test_variants_of_a_model_are_models_of_their_own(trained, bench):
    frame, _ = bench("auto:6", models="gan,gan[packing=2]")
    assert frame.groupby("config").size().to_list() == [6, 6]


def test_runs_with_fixed_seeds_take_part_and_are_marked(trained, bench, tmp_path):
    bench(3)
    assert load_results(tmp_path)["seed_plan"].isna().all()
    frame, _ = bench()
    assert trained.seeds == {"gan": 8, "dcgan": 8, "vae": 4}
    assert set(frame["seed_plan"]) == set(load_results(tmp_path)["seed_plan"]) == {"auto"}


def test_runs_of_which_looks_decided_stay_marked_when_they_are_run_again_with_fixed_seeds(trained, bench, tmp_path):
    bench("auto:6")
    bench(6, force=True)
    plans = load_results(tmp_path).set_index(["model", "seed"])["seed_plan"]
    assert set(plans.drop([("vae", 4), ("vae", 5)])) == {"auto"}
    assert plans[[("vae", 4), ("vae", 5)]].isna().all()


def test_runs_with_fixed_seeds_that_the_plan_does_not_reach_decide_nothing(trained, bench):
    trained.fids["vae"] = {seed: 2.0 + seed / 100 if seed > 3 else fid for seed, fid in trained.fids["vae"].items()}
    bench([8, 9, 10], models="vae")
    frame, _ = bench(models="gan,vae")
    assert seeds_of(frame) == {"gan": [0, 1, 2, 3], "vae": [0, 1, 2, 3]}


@pytest.mark.parametrize("source", ["", "results.csv", "results.parquet"])
def test_claims_of_tables_allow_for_the_looks_whatever_they_are_read_from(trained, bench, tmp_path, source):
    bench("auto:6", models="gan,dcgan")
    (group,) = groups(load([tmp_path / source]).frame)
    values = [dict(list(trained.fids[model].items())[:6]) for model in ("gan", "dcgan")]
    found = summarise(group).claims["fid"].p_values["gan", "dcgan"]
    assert group.adaptive
    assert found == pytest.approx(sequential_p(*values, log=True))


def test_python_takes_auto(trained, tmp_path, capsys):
    result = zoo_bench.bench(
        models="gan,dcgan,vae", budget="640", seeds="auto:6", precision="fp32", metrics="fid", out=tmp_path
    )
    assert len(result) == 16
    assert "would be needed" not in result.verdict
    assert "Welch's t, corrected for the looks of --seeds auto, Holm-corrected, 5 %" in " ".join(repr(result).split())
    lines = capsys.readouterr().err.splitlines()
    assert "--seeds auto: 4 seeds of every model, and up to 6 of those in a pair that is not separable" in lines
    assert "digits, 4 seeds: not separable: gan and dcgan; next, seeds 4-5 of 2 models" in lines
    assert lines[-2].startswith("[16/16] ")
