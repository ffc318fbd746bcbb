"""The command that makes a table again."""

import shlex

import pytest

from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.show.reproduce import command


@pytest.mark.parametrize(("seeds", "written"), [((0, 1, 2), "3"), ((0, 3, 4, 5), "0,3-5"), ((7,), "7-7")])
def test_a_command_has_exactly_the_seeds_of_the_table(seeds, written, make, tmp_path):
    make.write(tmp_path, [make.drawn(make.spec(seed=seed), 2.0) for seed in seeds], pictures=False)
    (group,) = groups(load([tmp_path]).frame)
    words = shlex.split(command(group))
    assert words[words.index("--seeds") + 1] == written


def test_a_command_adds_seeds_up_to_those_of_the_table(make, tmp_path):
    specs = [make.spec(model=model, seed=seed) for model, n in (("gan", 4), ("vae", 8)) for seed in range(n)]
    make.write(tmp_path, [make.drawn(spec, 2.0, seed_plan="auto") for spec in specs], pictures=False)
    (group,) = groups(load([tmp_path]).frame)
    assert "--seeds auto:8" in command(group)
