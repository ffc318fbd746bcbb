"""The plugin contract, check by check."""

import torch
from zoo_plugin_sagan.model import SelfAttention

import zoo.testing


@zoo.testing.parametrize_with_checks(["sagan"])
def test_conforms(check: zoo.testing.Check) -> None:
    """Run one check."""
    check()


def test_attention_mixes_positions_by_their_likeness() -> None:
    """Against the formulas of section 3, written with plain products; and with gamma 0 it is the identity."""
    torch.manual_seed(0)
    layer, x = SelfAttention(16), torch.randn(2, 16, 3, 4)
    assert torch.equal(layer(x), x)
    layer.gamma.data.fill_(0.7)
    f, g, h = (part(x).flatten(2) for part in (layer.key, layer.query, layer.value))
    beta = torch.einsum("nci,ncj->nji", f, g).softmax(2)
    mixed = torch.einsum("nji,nci->ncj", beta, h).view(2, 8, 3, 4)
    torch.testing.assert_close(layer(x), x + 0.7 * layer.out(mixed))
