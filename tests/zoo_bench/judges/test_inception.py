"""The random and the pretrained judge."""

import pytest
import torch

from zoo.errors import ZooError
from zoo_bench.judges.inception import InceptionJudge
from zoo_bench.judges.named import named_judge


def noise(*size):
    return torch.randint(0, 256, size, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.slow
def test_inception_features_are_those_of_torch_fidelity(inception_weights, monkeypatch):
    from torch_fidelity.utils import create_feature_extractor

    monkeypatch.setenv("ZOO_INCEPTION", str(inception_weights))
    state = torch.get_rng_state()
    judge = named_judge("inception-v3-compat", 3)
    assert torch.equal(torch.get_rng_state(), state)
    images = noise(3, 3, 32, 32)
    theirs = create_feature_extractor(
        "inception-v3-compat", ["2048"], cuda=False, feature_extractor_weights_path=str(inception_weights)
    )
    assert torch.equal(judge.features(images), theirs(images)[0])
    assert judge.features(images[:, :1]).shape == (3, 2048)
    assert (judge.name, judge.modes(images)) == ("inception-v3-compat", None)
    assert len(judge.sha256) == 64


@pytest.mark.parametrize("content", [b"", b"no weights", None])
def test_a_file_that_holds_no_inception_weights_is_named(content, tmp_path, monkeypatch):
    path = tmp_path / "weights.pth"
    torch.save({"a": torch.zeros(2)}, path) if content is None else path.write_bytes(content)
    monkeypatch.setenv("ZOO_INCEPTION", str(path))
    with pytest.raises(ZooError, match="does not hold the weights of 'inception-v3-compat'"):
        InceptionJudge()


def test_a_weights_file_that_would_run_code_is_refused(tmp_path, monkeypatch):
    class Harm:
        def __reduce__(self):
            return (open, (str(tmp_path / "harmed"), "w"))

    path = tmp_path / "weights.pth"
    torch.save(Harm(), path)
    monkeypatch.setenv("ZOO_INCEPTION", str(path))
    with pytest.raises(ZooError, match="does not hold the weights"):
        InceptionJudge()
    assert not (tmp_path / "harmed").exists()


def test_absent_inception_weights_say_what_to_put_where(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("Name or service not known")

    monkeypatch.delenv("ZOO_INCEPTION", raising=False)
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(ZooError, match=r"weights-inception-2015-12-05-6726825d.pth.* or let \$ZOO_INCEPTION name it"):
        named_judge("inception-v3-compat", 3)
    monkeypatch.setenv("ZOO_INCEPTION", str(tmp_path / "absent.pth"))
    with pytest.raises(ZooError, match="which is no file"):
        named_judge("inception-v3-compat", 3)
