import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from zoo_bench.train.flops import CountFlops

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
