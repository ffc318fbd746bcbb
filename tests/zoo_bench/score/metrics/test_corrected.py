"""Class shares behind a judge's mistakes of known rates, and items that it is unsure of."""

import pytest
import torch

from zoo.evaluation import Evaluation
from zoo.task import Judgement, Split, Task
from zoo_bench.score.metrics.corrected import corrected_shares, junk, true_shares
from zoo_bench.score.metrics.modes import classes

CONFUSION = torch.tensor([[0.8, 0.1, 0.0], [0.15, 0.9, 0.3], [0.05, 0.0, 0.7]], dtype=torch.float64)


class GivenJudge:
    """Items are (feature, mode, confidence)."""

    name, sha256 = "given", "0"

    def to(self, device):
        return self

    def features(self, data):
        return data[:, :1]

    def modes(self, data):
        return data[:, 1].long()


class ConfidentGivenJudge(GivenJudge):
    def judge(self, data):
        return Judgement(self.features(data), self.modes(data), data[:, 2])


def called(modes, generator):
    """What a judge with CONFUSION calls items of the given modes."""
    return torch.multinomial(CONFUSION.T[modes], 1, generator=generator)[:, 0]


def items(modes, confidence):
    return torch.stack([torch.zeros(len(modes)), modes.float(), confidence.expand(len(modes))], dim=1)


def evaluate(judge, true, real, generated):
    split = Split(real, true)
    return Evaluation(Task(split, split, split, judge, modes=3, samples=len(generated)), generated)


@pytest.mark.parametrize("truth", [[0.2, 0.5, 0.3], [0.0, 1.0, 0.0], [0.6, 0.0, 0.4]])
def test_exact_confusion_is_undone_exactly(truth):
    truth = torch.tensor(truth, dtype=torch.float64)
    assert torch.allclose(true_shares(1e4 * CONFUSION @ truth, CONFUSION), truth, atol=1e-3)


def test_what_the_inverse_puts_below_zero_becomes_zero():
    found = torch.tensor([900.0, 50.0, 50.0], dtype=torch.float64)
    assert torch.linalg.solve(CONFUSION, found).min() < 0
    shares = true_shares(found, CONFUSION)
    assert shares.min() >= 0
    assert shares.sum() == pytest.approx(1)


def test_classes_that_are_called_nothing_more_often_are_not_underestimated():
    kept = CONFUSION * torch.tensor([1.0, 0.5, 0.9])
    truth = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    assert torch.allclose(true_shares(1e4 * kept @ truth, kept), truth, atol=1e-4)


@pytest.mark.parametrize("judge", [GivenJudge(), ConfidentGivenJudge()])
def test_label_noise_of_known_rates_is_corrected(judge):
    generator = torch.Generator().manual_seed(0)
    true = torch.arange(3).repeat(20_000)
    truth = torch.tensor([0.1, 0.3, 0.6])
    made = torch.multinomial(truth, 20_000, replacement=True, generator=generator)
    sure = torch.tensor(0.9)
    found = evaluate(judge, true, items(called(true, generator), sure), items(called(made, generator), sure))
    exact = 0.5 * float((truth - 1 / 3).abs().sum())
    assert corrected_shares(found)["mode_tv_corrected"] == pytest.approx(exact, abs=0.01)
    kl = float((truth * (truth * 3).log()).sum())
    assert corrected_shares(found)["mode_kl_corrected"] == pytest.approx(kl, abs=0.02)
    assert abs(classes(found)["mode_tv"] - exact) > 0.03


def test_real_data_have_no_error_left():
    from zoo_bench.data.sets.digits import digits

    task = digits()
    found = Evaluation(task, task.test.data)
    assert corrected_shares(found) == pytest.approx({"mode_kl_corrected": 0, "mode_tv_corrected": 0}, abs=1e-6)
    assert junk(found)["junk"] == pytest.approx(0.01, abs=0.003)


def test_junk_is_what_is_less_sure_or_further_off_than_real_items():
    true = torch.arange(4).repeat(100) % 3
    real = items(true, torch.tensor(0.9))
    real[:, 0] = torch.linspace(-1, 1, 401)[torch.arange(401) != 200]
    real[:, 2] += torch.linspace(0.09, 0, 400).roll(200)
    assert junk(evaluate(ConfidentGivenJudge(), true, real, real))["junk"] == pytest.approx(0.01)
    for column, value in ((2, 0.5), (0, 3.0), (0, -3.0)):
        generated = real.clone()
        generated[100:300, column] = value
        assert junk(evaluate(ConfidentGivenJudge(), true, real, generated))["junk"] == pytest.approx(0.5, abs=0.01)


def test_junk_does_not_count_in_corrected_shares():
    true = torch.arange(3).repeat(100)
    real = items(true, torch.tensor(0.9))
    unsure = items(torch.zeros(300, dtype=torch.int64), torch.tensor(0.2))
    found = evaluate(ConfidentGivenJudge(), true, real, torch.cat([real, unsure]))
    assert corrected_shares(found)["mode_tv_corrected"] == pytest.approx(0, abs=1e-9)
    assert classes(found)["mode_tv"] > 0.3
    assert corrected_shares(evaluate(ConfidentGivenJudge(), true, real, unsure)) == {}


def test_a_judge_that_does_not_say_how_sure_it_is_has_no_junk():
    true = torch.arange(3).repeat(100)
    real = items(true, torch.tensor(0.9))
    assert junk(evaluate(GivenJudge(), true, real, real)) == {}


def test_few_items_of_a_class_tell_nothing_of_its_confusion():
    true = torch.arange(3).repeat(19)
    real = items(true, torch.tensor(0.9))
    assert corrected_shares(evaluate(GivenJudge(), true, real, real)) == {}
