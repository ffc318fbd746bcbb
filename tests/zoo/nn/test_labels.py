import pytest
import torch
from torch import nn

from zoo.errors import ZooError
from zoo.nn import append_labels, project

LABELS = torch.tensor([0, 2, 1, 2])


def test_a_linear_layer_on_appended_labels_adds_an_embedding_of_the_class():
    x, layer = torch.randn(4, 5), nn.Linear(5 + 3, 7)
    embedding = 3**0.5 * layer.weight[:, 5:].T
    expected = x @ layer.weight[:, :5].T + layer.bias + embedding[LABELS]
    torch.testing.assert_close(layer(append_labels(x, LABELS, 3)), expected)


def test_labels_have_the_mean_square_of_a_normal_latent():
    seen = append_labels(torch.randn(30, 5), torch.arange(3).repeat(10), 3)
    torch.testing.assert_close(seen[:, 5:].square().mean(0), torch.ones(3))


def test_images_get_a_plane_for_each_class_of_which_one_is_set():
    x = torch.randn(4, 2, 3, 3)
    seen = append_labels(x, LABELS, 3)
    assert seen.shape == (4, 5, 3, 3)
    assert torch.equal(seen[:, :2], x)
    torch.testing.assert_close(seen[:, 2:].mean((2, 3)), 3**0.5 * torch.eye(3)[LABELS])


def test_without_classes_nothing_is_appended_and_with_them_labels_are_needed():
    x = torch.randn(4, 5)
    assert append_labels(x, None, 0) is x
    with pytest.raises(ZooError, match="pass them, \\(N,\\) int64 of 0 to 2"):
        append_labels(x, None, 3)


def test_a_projection_is_psi_of_the_features_and_their_product_with_the_embedding():
    """Equation 3 of Miyato & Koyama 2018, with the embedding and psi written out."""
    features, last = torch.randn(4, 6), nn.Linear(6, 1 + 3, bias=False)
    psi, embedding = last.weight[0], last.weight[1:]
    expected = features @ psi + (embedding[LABELS] * features).sum(1)
    torch.testing.assert_close(project(last(features), LABELS), expected)
    logits = torch.randn(4)
    assert project(logits, None) is logits
