"""What metrics see: standardised features and modes, each computed once."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from zoo.errors import ZooError
from zoo.evaluation import JUDGE_BATCH_SIZE, Evaluation, Reference, feature_scale
from zoo.task import Judgement, Split, Task


class CountingJudge:
    """Features are the point itself, scaled, and a constant; the mode is the sign of the first coordinate."""

    name, sha256 = "counting", "0"

    def __init__(self, scale: float = 1.0, knows_modes: bool = True) -> None:
        self.scale, self.knows_modes, self.seen = scale, knows_modes, Counter()

    def to(self, device):
        return self

    def features(self, data):
        self.seen["features"] += len(data)
        return torch.cat([data * self.scale, torch.full((len(data), 1), 0.1)], dim=1)

    def modes(self, data):
        self.seen["modes"] += len(data)
        return (data[:, 0] > 0).long() if self.knows_modes else None


def points(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed)) * torch.tensor([3.0, 0.5]) + 10


def evaluation(judge: CountingJudge, modes: torch.Tensor | None = None) -> Evaluation:
    real = points(50, 0)
    return Evaluation(Task(Split(real), Split(real), Split(real, modes), judge, 2, 40), points(40, 1))


def test_real_features_have_mean_zero_and_deviation_one():
    features = evaluation(CountingJudge()).features_real
    assert features.dtype == torch.float64
    torch.testing.assert_close(features.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(features.std(0)[:2], torch.ones(2, dtype=torch.float64))


def test_generated_features_are_in_the_units_of_the_real_ones():
    made = evaluation(CountingJudge())
    mean, std = made.real.double().mean(0), made.real.double().std(0)
    torch.testing.assert_close(made.features_generated[:, :2], (made.generated.double() - mean) / std)


@pytest.mark.parametrize("scale", [1e-3, 64.0])
def test_the_scale_of_a_judge_does_not_matter(scale):
    one, other = evaluation(CountingJudge()), evaluation(CountingJudge(scale))
    torch.testing.assert_close(one.features_generated, other.features_generated, atol=1e-4, rtol=1e-4)


def test_a_constant_real_feature_is_not_divided_by_zero():
    made = evaluation(CountingJudge())
    assert made.features_real[:, 2].eq(0).all()
    assert made.features_generated[:, 2].eq(0).all()


def test_a_generated_feature_keeps_its_difference_where_the_real_one_is_constant():
    real = points(50, 0)
    real[:, 0] = 10.0
    made = Evaluation(Task(Split(real), Split(real), Split(real), CountingJudge(), 2, 40), points(40, 1))
    unit = real[:, 1].double().std()
    torch.testing.assert_close(made.features_generated[:, 0], (made.generated[:, 0].double() - 10) / unit)


@pytest.mark.parametrize("deviation", [0.0, 1e-9, 1e-3, 0.09])
def test_a_nearly_constant_feature_is_measured_in_the_median_of_the_others(deviation):
    real = torch.randn(500, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    real = real / real.std(dim=0) * torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    real[:, 1] *= deviation / 2
    _, units = feature_scale(real)
    median = 3.5 if deviation < 1e-5 else 3.0  # what rounds to 0 is not in it
    assert units.tolist() == pytest.approx([1.0, median, 3.0, 4.0, 5.0])


@pytest.mark.parametrize("constant", [3, 20])
def test_features_that_vary_keep_their_deviation_however_many_do_not(constant):
    real = torch.randn(500, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    real = real * torch.tensor([0.3, 1.0, 2.0, 30.0])
    _, units = feature_scale(torch.cat([real, real.new_full((500, constant), 7.0)], dim=1))
    assert torch.equal(units[:4], real.std(dim=0))


def test_without_a_feature_that_varies_differences_are_as_they_are():
    assert feature_scale(torch.full((9, 3), 0.1, dtype=torch.float64))[1].tolist() == [1.0] * 3


def test_nearly_constant_features_are_named():
    real = points(50, 0)
    assert evaluation(CountingJudge()).reference.nearly_constant == [2]
    assert Reference(Task(*[Split(real)] * 3, CountingJudge(), 2, 40)).nearly_constant == [2]
    real[:, 0] = 10.0
    real[3, 0] += 0.001
    assert Reference(Task(*[Split(real)] * 3, CountingJudge(), 2, 40)).nearly_constant == [0, 2]


def test_features_and_modes_are_computed_once_however_many_metrics_ask():
    judge = CountingJudge()
    made = evaluation(judge)
    for _ in range(3):
        _ = made.features_generated, made.features_real, made.modes_generated
    assert judge.seen == {"features": 50 + 40, "modes": 40}


def test_items_of_several_batches_keep_their_order():
    real, generated = points(JUDGE_BATCH_SIZE + 3, 0), points(2 * JUDGE_BATCH_SIZE + 1, 1)
    made = Evaluation(Task(Split(real), Split(real), Split(real), CountingJudge(), 2, 40), generated)
    assert made.features_real.shape == (JUDGE_BATCH_SIZE + 3, 3)
    assert torch.equal(made.features_generated[:, 0].argsort(stable=True), generated[:, 0].argsort(stable=True))
    assert torch.equal(made.modes_generated, (generated[:, 0] > 0).long())


def test_modes_of_the_real_items_are_the_true_ones():
    modes = torch.arange(50)
    assert torch.equal(evaluation(CountingJudge(), modes).modes_real, modes)


def test_a_task_without_labels_says_so():
    with pytest.raises(ZooError, match="the task's test split has no labels"):
        _ = evaluation(CountingJudge()).modes_real


def test_a_judge_that_knows_no_modes_is_named():
    with pytest.raises(ZooError, match="judge 'counting' knows no modes"):
        _ = evaluation(CountingJudge(knows_modes=False)).modes_generated


class OnePassJudge(CountingJudge):
    """Says all at once, and how sure it is."""

    def judge(self, data):
        self.seen["judge"] += len(data)
        flat = data.flatten(1).float()
        return Judgement(flat[:, :3], (flat[:, 0] > 127).long(), flat[:, 1] / 255)


def images(n: int, seed: int, side: int = 8) -> torch.Tensor:
    return torch.randint(256, (n, 1, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def task_of(judge: CountingJudge, real: torch.Tensor) -> Task:
    return Task(Split(real), Split(real), Split(real), judge, 2, 40)


def test_a_judge_that_can_judges_once_for_features_modes_and_confidence():
    judge = OnePassJudge()
    made = Evaluation(task_of(judge, images(50, 0)), images(40, 1))
    _ = made.features_generated, made.modes_generated, made.judged.confidence, made.features_real
    assert judge.seen == {"judge": 50 + 40}
    assert torch.equal(made.modes_generated, (made.generated[:, 0, 0, 0] > 127).long())
    assert made.judged.confidence.tolist() == pytest.approx((made.generated[:, 0, 0, 1] / 255).tolist())


def test_a_judge_need_not_say_how_sure_it_is():
    assert evaluation(CountingJudge()).judged.confidence is None


def test_evaluations_of_one_reference_share_what_is_known_of_real_items():
    judge, calls = CountingJudge(), []
    task = task_of(judge, points(50, 0))
    reference = Reference(task)

    def width(reference, power):
        calls.append(power)
        return float(reference.features.std()) ** power

    made = [Evaluation(task, points(40, seed), reference) for seed in (1, 2, 3)]
    assert len({each.reference.once(width, power) for each in made for power in (1, 2)}) == 2
    assert calls == [1, 2]
    _ = [each.features_generated for each in made]
    assert judge.seen["features"] == 50 + 3 * 40


def test_metrics_share_what_is_known_of_generated_items():
    calls = []

    def width(evaluation, power):
        calls.append(power)
        return float(evaluation.features_generated.std()) ** power

    made = [evaluation(CountingJudge()) for _ in range(2)]
    found = [each.once(width, power) for each in made for power in (1, 2, 1)]
    assert found[0] == found[2] != found[1]
    assert calls == [1, 2] * len(made)


@pytest.mark.parametrize("kind", [CountingJudge, OnePassJudge])
def test_large_real_splits_are_judged_once_on_a_machine(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))

    def features(self, data):
        self.seen["judge"] += len(data)
        return data.flatten(1)[:, :3].float()

    monkeypatch.setattr(kind, "features", features)
    real = images(100, 0, side=208)

    def judged(data, sha256="0"):
        judge = kind()
        judge.sha256 = sha256
        found = Evaluation(task_of(judge, data), images(40, 1, side=208)).features_real
        return found, judge.seen["judge"] > 0

    first, computed = judged(real)
    again, computed_again = judged(real)
    assert computed
    assert not computed_again
    assert torch.equal(first, again)
    assert judged(real, "1")[1]
    changed = real.clone()
    changed[7, 0, 3, 3] ^= 1
    assert judged(changed)[1]
    assert not judged(real[:50])[0].equal(first)
    assert len(list(tmp_path.rglob("*.safetensors"))) == 3
