"""The figure of augmentation: a line of real images, two of each model, intervals that stay within 0 and 100 %."""

from xml.etree import ElementTree

import pytest

from zoo_bench.report.read.augmentation import Measured, gains
from zoo_bench.report.show.augmentation import augmentation
from zoo_bench.report.show.figures import file

RUNS = [
    Measured(model, fraction, seed, 0.7 + 0.2 * fraction + 0.05 * seed * fraction, 0.6, 0.8 + 0.01 * seed)
    for model in ("vae", "dcgan")
    for fraction in (0.01, 0.1, 0.9)
    for seed in range(3)
]


def test_it_has_all_means_at_their_fractions_and_names_every_line():
    figure = augmentation(gains(RUNS), "digits")
    [axes] = figure.axes
    lines = {text: bars.lines[0] for bars, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    assert list(lines) == ["real images", "real and dcgan", "dcgan alone", "real and vae", "vae alone"]
    assert list(lines["real images"].get_xdata()) == [0.01, 0.1, 0.9]
    assert lines["vae alone"].get_xdata() == pytest.approx([0.01, 0.1, 0.9], rel=0.15)
    assert lines["real and vae"].get_ydata() == pytest.approx([81, 81, 81])
    assert max(line.get_ydata().max() for bars in axes.containers for line in bars.lines[1]) <= 100


def test_one_seed_has_no_intervals_and_files_are_the_same_tomorrow():
    figure = augmentation(gains(RUNS[::3]), "digits")
    svg = file(figure, ".svg")
    assert svg == file(augmentation(gains(RUNS[::3]), "digits"), ".svg")
    assert "share of the real training images of digits" in "".join(ElementTree.fromstring(svg).itertext())
    assert file(figure, ".png").startswith(b"\x89PNG")
