import torch

from zoo import signs
from zoo.evaluation import JUDGE_BATCH_SIZE, in_batches


def test_a_sign_reaches_whoever_listens_and_elsewhere_nothing_happens(monkeypatch):
    signs.alive("the work")
    heard = []
    monkeypatch.setattr(signs, "listeners", [heard.append])
    signs.alive("the work")
    signs.alive()
    assert heard == ["the work", ""]


def test_every_batch_of_a_judge_is_a_sign(monkeypatch):
    heard = []
    monkeypatch.setattr(signs, "listeners", [heard.append])
    assert in_batches(len, torch.zeros(2 * JUDGE_BATCH_SIZE + 1)) == [JUDGE_BATCH_SIZE, JUDGE_BATCH_SIZE, 1]
    assert heard == ["", "", ""]
