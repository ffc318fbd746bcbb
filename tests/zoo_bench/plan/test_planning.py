import os

import pytest
import torch

import zoo
from zoo.catalogue import Entry, Plugin
from zoo.errors import PluginError, UnknownNameError, ZooError
from zoo_bench.plan.options import BenchOptions
from zoo_bench.plan.planning import parse_settings, plan, read_settings, resolve_device, resolve_precision


def planned(models: str = "vae", tasks: str = "digits", budget: str = "640", seeds: int = 1, registry=None, **options):
    return plan(BenchOptions(models=models, task=tasks, budget=budget, seeds=seeds, **options), registry)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], {}),
        (["dcgan.lr=1e-4"], {"dcgan": {"lr": 1e-4}}),
        (["dcgan.width=16", "dcgan.lr=2", "vae.z_dim=3"], {"dcgan": {"width": 16, "lr": 2}, "vae": {"z_dim": 3}}),
        (["sngan.loss=hinge"], {"sngan": {"loss": "hinge"}}),
        (['sngan.loss="hinge"'], {"sngan": {"loss": "hinge"}}),
        (["gan.betas=[0.5, 0.9]"], {"gan": {"betas": [0.5, 0.9]}}),
        (["beta-vae.capacity=null"], {"beta-vae": {"capacity": None}}),
        (["a.b=c=d"], {"a": {"b": "c=d"}}),
        (["a.lr=1", "a.lr=2"], {"a": {"lr": 2}}),
    ],
)
def test_settings_are_read(texts, expected):
    assert parse_settings(texts) == expected


@pytest.mark.parametrize("text", ["", "lr=1", "dcgan.lr", "dcgan=1", ".lr=1", "dcgan.=1", "=", "dcgan lr 1"])
def test_settings_of_another_form_are_refused(text):
    with pytest.raises(ZooError, match=r"must have the form MODEL\.SETTING=VALUE"):
        parse_settings([text])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {}),
        ({"dcgan.lr": 1e-4, "vae.z_dim": 3}, {"dcgan": {"lr": 1e-4}, "vae": {"z_dim": 3}}),
        ({"dcgan": {"lr": 1e-4}, "dcgan.width": 16}, {"dcgan": {"lr": 1e-4, "width": 16}}),
        ({"gan.betas": (0.5, 0.9)}, {"gan": {"betas": (0.5, 0.9)}}),
        ({"gan": {}}, {"gan": {}}),
        (["dcgan.lr=1e-4"], {"dcgan": {"lr": 1e-4}}),
        (("dcgan.lr=1e-4",), {"dcgan": {"lr": 1e-4}}),
        ("dcgan.lr=1e-4", {"dcgan": {"lr": 1e-4}}),
    ],
)  # fmt: skip
def test_settings_from_python_are_read_in_every_form(settings, expected):
    assert read_settings(settings) == expected


@pytest.mark.parametrize(
    "settings", [{"lr": 1}, {"": {}}, {".lr": 1}, {"dcgan.": 1}, {"dcgan": 3}, {None: 1}, {3: 1}, [3]]
)
def test_settings_from_python_of_another_form_are_refused(settings):
    with pytest.raises(ZooError, match=r"must have the form"):
        read_settings(settings)


@pytest.mark.parametrize("settings", [{"vae.lrr": 1}, {"vae": {3: 1}}, {"vea.lr": 1}])
def test_settings_from_python_that_do_not_exist_are_refused_by_name(settings):
    with pytest.raises(UnknownNameError, match="unknown"):
        planned(settings=read_settings(settings))


def test_a_plan_has_every_model_and_task_seed_by_seed():
    runs = planned("vae,gan", "digits,ring8", seeds=2).runs
    assert [(r.seed, r.task, r.model) for r in runs] == [
        (0, "digits", "vae"), (0, "digits", "gan"), (0, "ring8", "vae"), (0, "ring8", "gan"),
        (1, "digits", "vae"), (1, "digits", "gan"), (1, "ring8", "vae"), (1, "ring8", "gan"),
    ]  # fmt: skip
    assert len({r.run_id for r in runs}) == 8


def test_all_means_every_installed_model():
    assert {run.model for run in planned("all").runs} == set(zoo.models())


def test_a_run_records_what_it_depends_on():
    (run,) = planned("vae", settings={"vae": {"lr": 0.5}}).runs
    entry = zoo.installed().models.get("vae")
    assert (run.plugin, run.plugin_version) == (entry.plugin.distribution, entry.plugin.version)
    assert run.config["lr"] == 0.5
    assert run.config.keys() == entry.spec.load().Config.model_fields.keys() - {"conditional", "classes"}
    assert run.task_version == zoo.installed().tasks.get("digits").spec.version
    assert (run.budget, run.precision_mode, run.device, run.threads) == ("640", "fp32", "cpu", 1)
    assert (run.seed, run.seeds, run.samples) == (0, {}, "")


@pytest.mark.parametrize(
    ("options", "threads"),
    [
        ({}, 1), ({"threads": 3}, 3), ({"workers": 1}, 4), ({"workers": 2}, 2), ({"budget": "90s"}, 4),
        ({"executor": "ray"}, 1), ({"executor": "ray", "threads": 2}, 2), ({"executor": "ray", "budget": "90s"}, 1),
    ],
)  # fmt: skip
def test_threads_are_part_of_a_run_on_the_cpu(monkeypatch, options, threads):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 3}, raising=False)
    assert {run.threads for run in planned("vae,gan", seeds=2, **{"device": "cpu", **options}).runs} == {threads}


def test_threads_are_no_part_of_a_run_on_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert {run.threads for run in planned(device="cuda", precision="fp32", threads=2).runs} == {None}


def test_presets_of_the_shape_are_part_of_the_run():
    batch = {run.task: run.config["batch_size"] for run in planned("vae", "digits,ring8").runs}
    assert batch == {"digits": 128, "ring8": 256}


def test_two_ways_to_write_one_budget_are_one_run():
    ids = {planned(budget=budget).runs[0].run_id for budget in ("2M", "2000k", "2000000")}
    assert len(ids) == 1


def test_metrics_apply_where_the_task_offers_what_they_need():
    metrics = {task: set(scores.wanted) for task, scores in planned("vae", "digits,ring8").scores.items()}
    assert metrics["digits"] & {"fid", "class-modes", "mixture-modes"} == {"fid", "class-modes"}
    assert metrics["ring8"] & {"fid", "class-modes", "mixture-modes"} == {"fid", "mixture-modes"}


def test_metrics_on_request_are_planned_where_they_are_named():
    of_all, more = (set(planned(metrics=names).scores["digits"].wanted) for names in ("all", "all,fid-inception"))
    assert more - of_all == {"fid-inception"}


def test_metrics_make_no_other_run():
    plans = [planned(metrics=names) for names in ("fid,class-modes", "class-modes,fid", "fid")]
    assert len({found.runs[0].run_id for found in plans}) == 1
    assert [found.scores["digits"].wanted for found in plans] == [("class-modes", "fid")] * 2 + [("fid",)]


def test_a_plan_has_the_judge_and_the_version_of_every_score(digits_task):
    scores = planned(metrics="fid").scores["digits"]
    judge = f"{digits_task.judge.name}@{digits_task.judge.sha256[:8]}"
    entry = zoo.installed().metrics.get("fid")
    assert (scores.task_version, scores.judge) == (zoo.installed().tasks.get("digits").spec.version, judge)
    fid = scores.keys["fid"]
    assert (fid.plugin, fid.version, fid.judge) == (
        entry.plugin.distribution,
        entry.spec.version or entry.plugin.version,
        judge,
    )
    assert fid.values == {}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"models": "dcgn"}, "unknown model 'dcgn': did you mean 'dcgan'"),
        ({"models": "vae,wgan-pg"}, "unknown model 'wgan-pg': did you mean 'wgan-gp'"),
        ({"models": "zzz*"}, "unknown model 'zzz*'"),
        ({"models": ""}, "no model named"),
        ({"tasks": "digit"}, "unknown task 'digit': did you mean 'digits'"),
        ({"metrics": "fidd"}, "unknown metric 'fidd': did you mean 'fid'"),
        ({"budget": "0"}, "budget '0' must be greater than zero"),
        ({"budget": "lots"}, "budget 'lots' is not understood"),
        ({"seeds": 0}, "--seeds must be at least 1, got 0"),
        ({"seeds": -3}, "--seeds must be at least 1, got -3"),
        ({"precision": "fp23"}, "unknown precision 'fp23': did you mean 'fp32'"),
        ({"device": "gpuu"}, "unknown device 'gpuu'"),
        ({"device": "cdua"}, "unknown device 'cdua': did you mean 'cuda'"),
        ({"settings": {"vea": {"lr": 1}}}, "unknown model 'vea': did you mean 'vae'"),
        ({"settings": {"gan": {"lr": 1}}}, "--set has a setting of 'gan', which --models does not name"),
        ({"settings": {"vae": {"lrr": 1}}}, "unknown setting of vae 'lrr': did you mean 'lr'"),
        ({"settings": {"vae": {"lr": "high"}}}, "vae.lr: input should be a valid number"),
        ({"settings": {"vae": {"lr": float("inf")}}}, "vae.lr: input should be a finite number"),
        ({"settings": {"vae": {"lr": -1}}}, "vae.lr: input should be greater than 0, got -1"),
        ({"settings": {"vae": {"z_dim": 1.5}}}, "vae.z_dim: input should be a valid integer"),
        ({"settings": {"vae": {"likelihood": "cauchy"}}}, "vae.likelihood: input should be 'bernoulli' or 'gaussian'"),
        ({"models": "dcgan", "tasks": "ring8"}, "model 'dcgan' does not apply to points"),
        ({"models": "*,dcgan", "tasks": "ring8"}, "model 'dcgan' does not apply to points"),
    ],
)  # fmt: skip
def test_an_unusable_argument_is_refused_in_one_sentence(options, sentence):
    with pytest.raises(ZooError) as caught:
        planned(**options)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("models", ["all", "*gan*"])
def test_a_model_that_does_not_apply_and_was_not_named_is_left_out_with_the_reason(models):
    found = planned(models, "ring8")
    assert "dcgan" not in {run.model for run in found.runs}
    assert found.runs
    assert found.left_out == [
        "model 'dcgan' does not apply to points of shape (2,): it models images (task 'ring8')"
    ]  # fmt: skip


def test_a_model_that_cannot_be_imported_stops_only_those_who_named_it(fake_registry):
    registry = fake_registry(vae=zoo.installed().models.get("vae").spec.load())
    spec = zoo.ModelSpec(
        name="absent", target="no_such_module:Model", summary="A fake.", family="fake", data=("images",)
    )
    registry.models.add(Entry(spec, Plugin("a", "b", "1", "c")))
    found = planned("all", registry=registry)
    assert {run.model for run in found.runs} == {"vae"}
    [sentence] = found.left_out
    assert "'absent' of b 1 cannot be imported: ModuleNotFoundError" in sentence
    with pytest.raises(ZooError, match="'absent' of b 1 cannot be imported"):
        planned("absent", registry=registry)


def test_a_target_that_exits_at_import_cannot_be_imported(fake_registry, tmp_path, monkeypatch):
    (tmp_path / "leaves_at_import.py").write_text("raise SystemExit(0)")
    monkeypatch.syspath_prepend(tmp_path)
    registry = fake_registry()
    spec = zoo.ModelSpec(name="gone", target="leaves_at_import:M", summary="A fake.", family="fake", data=("images",))
    registry.models.add(Entry(spec, Plugin("a", "b", "1", "c")))
    with pytest.raises(PluginError, match="cannot be imported: SystemExit: 0"):
        planned("gone", registry=registry)


@pytest.mark.parametrize(("asked", "found"), [("auto", "fp32"), ("fp32", "fp32"), ("bf16", "bf16")])
def test_precision_is_resolved(asked, found):
    assert resolve_precision(asked) == found


@pytest.mark.parametrize(("cuda", "mps", "found"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")])
def test_the_device_is_the_fastest_there_is(monkeypatch, cuda, mps, found):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto") == found
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused(monkeypatch, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ZooError, match=f"--device {device}: this machine has no {device.upper()} device"):
        resolve_device(device)


def test_unknown_names_are_an_error_of_their_own():
    with pytest.raises(UnknownNameError):
        planned("dcgn")


class Unresolvable(zoo.GenerativeModel):
    class Config(zoo.ModelConfig):
        @classmethod
        def shape_defaults(cls, shape):
            raise RuntimeError("no preset")


class Outdated(zoo.GenerativeModel):
    def figures(self, real):
        return {}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (
            Outdated,
            "model 'odd' of fake-distribution 1.2: Outdated defines figures(), which is now called diagnostics()",
        ),
        (Unresolvable, "settings of model 'odd' of fake-distribution 1.2 cannot be resolved: RuntimeError: no preset"),
        (int, "target 'fake_plugin:target_odd' of fake-distribution 1.2 must be a zoo.GenerativeModel subclass"),
    ],
)
def test_a_broken_model_stops_a_bench_only_if_it_was_named(fake_registry, broken, reason):
    registry = fake_registry(odd=broken, sound=zoo.GenerativeModel)
    found = planned("all", "digits", registry=registry)
    assert {run.model for run in found.runs} == {"sound"}
    assert found.left_out == [f"{reason} (task 'digits')"]
    with pytest.raises(PluginError) as caught:
        planned("odd", "digits", registry=registry)
    assert str(caught.value) == reason


def test_a_wrong_setting_is_refused_however_the_model_was_chosen(fake_registry):
    with pytest.raises(ZooError, match="batch_size: input should be greater"):
        planned(
            "all", "digits", registry=fake_registry(sound=zoo.GenerativeModel), settings={"sound": {"batch_size": 0}}
        )


def test_labels_are_given_with_the_tasks_number_of_classes():
    (run,) = planned("dcgan[conditional=true]").runs
    assert run.conditional
    assert run.config["classes"] == 10
    assert run.label == "dcgan[conditional=true]"
    assert not planned("dcgan").runs[0].conditional


def test_a_task_without_labels_cannot_give_them(monkeypatch, digits_task):
    from dataclasses import replace

    bare = replace(digits_task, train=zoo.Split(digits_task.train.data))
    monkeypatch.setattr("zoo_bench.plan.planning.load_task", lambda entry: bare)
    with pytest.raises(ZooError, match="conditional=true needs labels, and task 'digits' has none"):
        planned("dcgan[conditional=true]")
