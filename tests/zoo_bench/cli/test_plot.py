import io

import pytest
from PIL import Image

from zoo.cli import main

KINDS = ("curves", "pareto", "modes", "samples")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("suffix", [".pdf", ".svg", ".png"])
def test_a_figure_of_every_kind_is_a_column_wide_and_the_same_every_time(drawn_bench, tmp_path, capsys, kind, suffix):
    out = tmp_path / "new" / f"figure{suffix}"
    before = sorted(drawn_bench.rglob("*"))
    assert main(["plot", str(drawn_bench), "--kind", kind, "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    content = out.read_bytes()
    assert main(["plot", str(drawn_bench), "--kind", kind, "--out", str(out)]) == 0
    assert out.read_bytes() == content
    assert sorted(drawn_bench.rglob("*")) == before
    if suffix == ".png":
        assert Image.open(io.BytesIO(content)).width == 3.3 * 300
    else:
        assert {".pdf": b"/MediaBox [ 0 0 237.6 ", ".svg": b'width="237.6pt"'}[suffix] in content


def test_folders_are_merged_and_a_task_is_chosen(bench, tmp_path, make, capsys):
    other = make.bench(tmp_path / "other", seeds=2, task="grid25", judge="mixture@76543210")
    out = tmp_path / "modes.svg"
    command = ["plot", str(bench), str(other), "--kind", "modes", "--out", str(out)]
    assert main(command) == 2
    assert "several tasks: name one with --task: digits, grid25" in capsys.readouterr().err
    assert main([*command, "--task", "grid25"]) == 0
    assert ">dcgan</text>" in out.read_text()


def test_of_groups_that_are_not_comparable_the_first_is_drawn_and_it_is_said(bench, tmp_path, make, capsys):
    other = make.bench(tmp_path / "other", seeds=2, budget="1M")
    out = tmp_path / "pareto.pdf"
    assert main(["plot", str(bench), str(other), "--kind", "pareto", "--out", str(out)]) == 0
    assert "budget (1M, 200k) differ. The first is drawn." in capsys.readouterr().err


def test_axis_and_metric_are_chosen(bench, tmp_path):
    out = tmp_path / "pareto.svg"
    arguments = ["--kind", "pareto", "--against", "params", "--metric", "mode_kl", "--out", str(out)]
    assert main(["plot", str(bench), *arguments]) == 0
    assert ">parameters</text>" in out.read_text()
    assert "KL</text>" in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--kind", "curve", "--out", "x.pdf"], "unknown kind of plot 'curve': did you mean 'curves'"),
        (["--kind", "curves", "--out", "x.eps"], "--out 'x.eps' must end with .pdf, .svg, .png"),
        (["--kind", "curves", "--out", "x"], "--out 'x' must end with .pdf, .svg, .png"),
        (["--kind", "curves", "--out", "folder.pdf"], "--out 'folder.pdf' is a folder: name a file"),
        (["--kind", "curves", "--out", "x.pdf", "--task", "digit"], "unknown task of these runs 'digit': did you mean"),
        (["--kind", "curves", "--out", "x.pdf", "--against", "second"], "unknown horizontal axis of curves 'second'"),
        (["--kind", "modes", "--out", "x.pdf", "--metric", "kid"], "modes has no choice of metric, which pareto has"),
        (["--kind", "pareto", "--out", "x.pdf", "--metric", "params"], "unknown metric of these runs 'params'"),
    ],
)
def test_unusable_arguments_are_a_sentence_and_nothing_is_written(
    drawn_bench, tmp_path, monkeypatch, capsys, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.pdf").mkdir()
    assert main(["plot", str(drawn_bench), *arguments]) == 2
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert shown.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["folder.pdf"]


@pytest.mark.parametrize("kind", KINDS)
def test_runs_without_what_a_kind_needs_are_a_sentence_and_nothing_is_written(tmp_path, make, capsys, kind):
    root = make.write(tmp_path / "bench", [make.record(make.spec(), status="error", error="it broke")])
    out = tmp_path / "x.pdf"
    assert main(["plot", str(root), "--kind", kind, "--out", str(out)]) == 2
    assert "nothing to plot: the runs on 'digits' lack" in capsys.readouterr().err
    assert not out.exists()
