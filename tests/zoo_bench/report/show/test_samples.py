"""Real items beside samples of every model."""

import io

import numpy as np
import pytest
from PIL import Image

from zoo.errors import UnknownNameError
from zoo_bench.report.read.groups import groups
from zoo_bench.report.read.results import load
from zoo_bench.report.read.summary import summarise
from zoo_bench.report.show.figures import PAPER
from zoo_bench.report.show.samples import samples
from zoo_bench.score.sheets import image_grid, real_sheet, sheet


def summary_of(root):
    (group,) = groups(load([root]).frame)
    return summarise(group)


@pytest.fixture
def folder(tmp_path, make, digits_task):
    """Two models with two seeds, whose sheets are of digits; the first seed of "vae" kept none."""
    records = [make.drawn(make.spec(model=model, seed=seed), 2.0) for model in ("gan", "vae") for seed in (0, 1)]
    root = make.write(tmp_path, records)
    for i, file in enumerate(sorted(root.glob("runs/*/*/*[0-9a-f].png"))):
        file.write_bytes(image_grid(digits_task.train.data[64 * i : 64 * (i + 1)]))
    next(root.glob("runs/*/vae/seed=0-*.png")).write_bytes(b"no picture")
    return root


def shown(figure):
    return {axes.get_title(): np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images}


def first_images(png):
    """The first five by five images of a sheet of 64 digits of 8 pixels, each enlarged seven times."""
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))[: 7 * 46, : 7 * 46]


def test_every_panel_has_the_first_images_of_a_sheet_at_one_size(folder, digits_task):
    panels = shown(samples(summary_of(folder), PAPER))
    assert next(iter(panels)) == "real"
    assert sorted(panels) == ["gan", "real", "vae"]
    expected = {
        "real": real_sheet(digits_task),
        "gan": image_grid(digits_task.train.data[:64]),
        "vae": image_grid(digits_task.train.data[64 * 3 : 64 * 4]),
    }
    for name, png in expected.items():
        assert np.array_equal(panels[name], first_images(png)), name


def test_real_items_that_the_folder_keeps_come_first(folder, digits_task):
    kept = image_grid(digits_task.validation.data[:64])
    (folder / "controls").mkdir()
    (folder / "controls" / "digits.png").write_bytes(kept)
    assert np.array_equal(shown(samples(summary_of(folder)))["real"], first_images(kept))


def test_a_task_that_is_not_installed_is_needed_for_real_items_only(tmp_path, make, digits_task):
    root = make.write(tmp_path, [make.drawn(make.spec(model="gan", task="gone"), 2.0, shape=(1, 8, 8))])
    png = image_grid(digits_task.train.data[:64])
    next(root.glob("runs/*/gan/*[0-9a-f].png")).write_bytes(png)
    with pytest.raises(UnknownNameError, match="unknown task 'gone'"):
        samples(summary_of(root))
    (root / "controls").mkdir()
    (root / "controls" / "gone.png").write_bytes(png)
    assert np.array_equal(shown(samples(summary_of(root)))["gan"], first_images(png))


def test_points_are_shown_whole(tmp_path, make, ring8_task):
    root = make.write(tmp_path, [make.drawn(make.spec(model="gan", task="ring8"), 2.0)])
    next(root.glob("runs/*/gan/*[0-9a-f].png")).write_bytes(sheet(ring8_task.train.data[:2000], ring8_task))
    panels = shown(samples(summary_of(root)))
    assert panels["real"].shape == panels["gan"].shape == (512, 512, 3)


def test_without_a_sheet_there_is_nothing_to_show(folder):
    for file in folder.glob("runs/*/*/*.png"):
        file.unlink()
    assert samples(summary_of(folder)) is None
