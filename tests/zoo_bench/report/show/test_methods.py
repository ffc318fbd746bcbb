"""What a paper is told of a group of runs."""

from pathlib import Path

import pytest
import yaml

from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.show.methods import SOFTWARE, bibtex, methods

CITATION = Path(__file__).parents[4] / "CITATION.cff"


def told(root):
    results = load([root])
    (group,) = groups(results.frame)
    return methods(summarise(group, results.controls), results.environments)


def test_a_paragraph_has_the_facts_of_the_records(bench):
    text = told(bench)
    for fact in (
        "The models dcgan, ", "trained on digits (version 1) with a budget of 200k training images per run and 3 seeds",
        "fp32 on cpu (A processor, ", "1 thread)", "genzoo==0.1.0", "under the judge digits-cnn@", "FID (genzoo 1)",
        "Student’s 95 % intervals", "Welch’s t-test over seeds (Holm-corrected, 5 %)",
        "As many fresh real items as samples have a FID of 0.25",
    ):  # fmt: skip
        assert fact in text
    assert "did not finish" not in text


@pytest.mark.parametrize(("budget", "words"), [("2M", "2M training images"), ("90s", "90s"), ("3rounds", "3rounds")])
def test_a_budget_has_its_unit(make, tmp_path, budget, words):
    assert f"a budget of {words} per run" in told(make.write(tmp_path, [make.drawn(make.spec(budget=budget), 1.0)]))


def test_what_one_seed_and_failed_runs_do_not_say_is_said(make, tmp_path):
    failed = make.record(make.spec(model="vae"), status="error", error="it broke")
    text = told(make.write(tmp_path, [make.drawn(make.spec(), 1.0), failed]))
    assert "one seed, which tells no spread" in text
    assert "Welch" not in text
    assert "Of 2 runs, 1 did not finish" in text


def test_seeds_that_were_added_and_other_machines_are_told_of(make, tmp_path):
    records = [
        make.drawn(make.spec(model=m, seed=s), 1.0, seed_plan="auto", environment={"python": "3.11", "torch": f"2.{s}"})
        for m in "ab"
        for s in range(4)
    ]
    text = told(make.write(tmp_path, records))
    assert "4 seeds per model, added until models were separable" in text
    assert "corrected for the looks of --seeds auto" in text
    assert "Python 3.11" in text
    assert "PyTorch" not in text


def test_nothing_is_said_of_samples_that_were_made_elsewhere(make, tmp_path):
    assert told(make.write(tmp_path, [make.outside("stylegan", 2.0)])) == ""


def test_entries_are_those_of_the_citation_file_and_of_the_papers(bench):
    cited = yaml.safe_load(CITATION.read_text())
    (author,) = cited["authors"]
    assert {
        "author": f"{{{author['name']}}}",
        "title": f"{{{cited['title']}}}",
        "year": f"{cited['date-released']:%Y}",
        "url": cited["repository-code"],
    } == SOFTWARE
    (group,) = groups(load([bench]).frame)
    entries = bibtex(group)
    assert "  version = {0.1.0},\n" in entries
    assert "@misc{dcgan,\n  note = {{Radford" in entries
