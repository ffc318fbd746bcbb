import pytest
import torch

import zoo
from zoo.errors import PluginError
from zoo_bench.score.drawing import draw


class Constant(zoo.GenerativeModel):
    """Samples of one value; it writes down how it is asked."""

    def __init__(self, shape=(2,), value=0.5) -> None:
        super().__init__(shape, zoo.ModelConfig())
        self.value = value
        self.calls = []

    def sample(self, n):
        self.calls.append((n, self.training, torch.is_grad_enabled()))
        return torch.full((n, *self.shape), self.value)


def test_samples_are_drawn_in_eval_mode_in_batches_without_gradients():
    model = Constant()
    assert draw(model, 1201).shape == (1201, 2)
    assert model.calls == [(500, False, False), (500, False, False), (201, False, False)]


@pytest.mark.parametrize("training", [True, False])
def test_drawing_leaves_the_mode_as_it_was(training):
    model = Constant().train(training)
    draw(model, 3)
    assert model.training is training


@pytest.mark.parametrize("shape", [(1, 8, 7), (8, 8), (3, 8, 8)])
def test_samples_of_a_wrong_shape_are_an_error_that_names_both(shape):
    class Crooked(Constant):
        def sample(self, n):
            return torch.zeros(n, *shape)

    with pytest.raises(PluginError) as caught:
        draw(Crooked((1, 8, 8)), 5)
    assert str(caught.value) == f"Crooked.sample(5) returned {(5, *shape)}, not (5, 1, 8, 8)"


def test_samples_that_are_no_floats_are_an_error():
    class Whole(Constant):
        def sample(self, n):
            return torch.zeros(n, 2, dtype=torch.int64)

    with pytest.raises(PluginError, match=r"^Whole.sample\(5\) returned torch.int64, not floats$"):
        draw(Whole(), 5)


@pytest.mark.parametrize(("value", "stored"), [(-3.0, 0), (-1.0, 0), (0.0, 128), (1.0, 255), (3.0, 255)])
def test_images_are_stored_clipped_and_not_stretched(value, stored):
    images = draw(Constant((1, 4, 4), value), 3)
    assert images.dtype == torch.uint8
    assert set(images.flatten().tolist()) == {stored}


def test_points_are_stored_as_they_are():
    points = draw(Constant(value=3.25), 3)
    assert points.dtype == torch.float32
    assert points.tolist() == [[3.25, 3.25]] * 3


@pytest.mark.parametrize("shape", [(2,), (1, 4, 4)])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_samples_that_are_not_finite_are_none(shape, value):
    assert draw(Constant(shape, value), 3) is None
