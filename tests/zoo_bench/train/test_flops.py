import random

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from zoo_bench.train.flops import COUNTS_IN_A_ROW, RECOUNTED_SHARE, Cost, CountFlops

BATCH = 5


def test_a_linear_layer_costs_one_product_forward_and_one_backward():
    layer = nn.Linear(7, 3)
    with CountFlops() as counter:
        loss = layer(torch.randn(BATCH, 7)).sum()
    assert counter.total == 2 * BATCH * 7 * 3
    with CountFlops() as counter:
        loss.backward()
    assert counter.total == 2 * BATCH * 7 * 3


def test_a_gradient_for_the_input_costs_one_product_more():
    with CountFlops() as counter:
        nn.Linear(7, 3)(torch.randn(BATCH, 7, requires_grad=True)).sum().backward()
    assert counter.total == 3 * 2 * BATCH * 7 * 3


def test_a_convolution_costs_a_kernel_per_output_value():
    forward = 2 * BATCH * (4 * 8 * 8) * (3 * 3 * 3)
    layer = nn.Conv2d(3, 4, 3, padding=1)
    with CountFlops() as counter:
        loss = layer(torch.randn(BATCH, 3, 8, 8)).sum()
    assert counter.total == forward
    with CountFlops() as counter:
        loss.backward()
    assert counter.total == forward


def test_a_gradient_penalty_with_a_leaf_input_is_counted():
    critic = nn.Linear(7, 1)
    with CountFlops() as counter:
        x = torch.randn(BATCH, 7, requires_grad=True)
        (gradient,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        (gradient.norm(dim=1) - 1).square().mean().backward()
    # The output, its gradient for x, and that gradient's for the weights: one product each.
    assert counter.total == 3 * 2 * BATCH * 7


def test_what_is_neither_product_nor_convolution_is_free():
    with CountFlops() as counter:
        nn.BatchNorm1d(7)(torch.randn(BATCH, 7)).relu().sum().backward()
    assert counter.total == 0


@pytest.mark.parametrize("frozen", [False, True])
def test_counts_agree_with_torch_on_a_plain_network(frozen):
    network = nn.Sequential(
        nn.Conv2d(1, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.ConvTranspose2d(4, 2, 4, 2, 1),
        nn.Flatten(), nn.Linear(128, 6), nn.LeakyReLU(), nn.Linear(6, 1),
    )  # fmt: skip
    network[0].requires_grad_(not frozen)
    x = torch.randn(BATCH, 1, 8, 8)
    with CountFlops() as counter:
        network(x).mean().backward()
    with FlopCounterMode(display=False) as torch_counter:
        network(x).mean().backward()
    assert counter.total == torch_counter.get_total_flops() > 0


def test_counting_changes_no_result():
    torch.manual_seed(0)
    layer, x = nn.Linear(7, 3), torch.randn(BATCH, 7)
    with CountFlops():
        counted = layer(x)
    assert torch.equal(counted, layer(x))


def charged(counts, cost):
    """Charge work whose operations are known, counting it only while it is due, and return the sum."""
    return sum(cost.count(flops) if cost.due else cost.mean for flops in counts)


def test_work_that_is_always_the_same_is_counted_at_its_start_alone():
    cost, counts = Cost(), []
    for _ in range(100):
        counts.append(bool(cost.due))
        assert (cost.count(7) if cost.due else cost.mean) == 7
    assert counts == [True] * COUNTS_IN_A_ROW + [False] * (100 - COUNTS_IN_A_ROW)


def test_work_in_every_sixteenth_round_is_charged_exactly():
    for first in range(16):
        work = [900 if n % 16 == first else 100 for n in range(1600)]
        assert charged(work, Cost()) == pytest.approx(sum(work), rel=0.01)


def test_work_that_comes_on_top_is_charged_from_the_count_that_sees_it():
    cost = Cost()
    assert charged([100] * 50, cost) == 5000
    assert cost.count(3100) == 3100
    assert charged([3100] * 50, cost) == 50 * 3100


def test_work_that_becomes_less_is_charged_so_after_some_looks():
    cost = Cost()
    charged([3100] * 50, cost)
    for _ in range(2 * COUNTS_IN_A_ROW):
        cost.count(100)
    assert cost.mean == 100


def test_work_of_random_size_is_seldom_out_of_range():
    cost, sizes = Cost(), random.Random(0)
    counted = 0
    for _ in range(3000):
        looked_at = cost.due or sizes.random() < RECOUNTED_SHARE
        counted += bool(looked_at)
        if looked_at:
            cost.count(sizes.randrange(10**9))
    assert counted < 500
