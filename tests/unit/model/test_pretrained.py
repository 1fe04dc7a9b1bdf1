"""The weights that come with the package."""

import pytest
import torch
from safetensors.torch import load_file

from etpicker_plugin.engine.errors import ResourceError
from etpicker_plugin.engine.hashing import file_sha256
from etpicker_plugin.engine.model import pretrained
from etpicker_plugin.engine.model.fast_network import FastNetwork


def test_they_fit_every_layer_but_the_head():
    torch.manual_seed(5)
    network = FastNetwork(3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    shipped = load_file(str(pretrained.WEIGHTS))

    found = pretrained.begin_from_pretrained(network)

    after = network.state_dict()
    assert found == file_sha256(pretrained.WEIGHTS)
    assert {n for n in after if not n.startswith("head.")} == set(shipped)
    for name in ("head.weight", "head.bias"):
        assert torch.equal(after[name], before[name])
    for name, value in shipped.items():
        assert torch.equal(after[name], value.to(after[name].dtype))
        assert not torch.equal(after[name], before[name])
        assert torch.isfinite(value).all()


def test_what_is_saved_is_what_is_begun_from(tmp_path, monkeypatch):
    torch.manual_seed(6)
    teacher = FastNetwork(2)
    teacher.train()(torch.randn(1, 1, 16, 24, 32))  # its statistics move
    teacher.state_dict()["bottom.norm1.running_var"][7] = 4e5  # beyond half precision
    path = tmp_path / "weights.safetensors"

    pretrained.save_pretrained(teacher, path)
    monkeypatch.setattr(pretrained, "WEIGHTS", path)
    pupil = FastNetwork(5)
    pretrained.begin_from_pretrained(pupil)

    taught, learnt = teacher.state_dict(), pupil.state_dict()
    assert torch.allclose(
        learnt["bottom.conv1.weight"], taught["bottom.conv1.weight"], atol=1e-3
    )
    assert torch.allclose(
        learnt["encode0.norm2.running_var"],
        taught["encode0.norm2.running_var"],
        rtol=1e-3,
    )
    assert learnt["bottom.norm1.running_var"][7] == 4e5
    assert path.stat().st_size < 3.2e6


def test_an_installation_without_them_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(pretrained, "WEIGHTS", tmp_path / "fast.safetensors")

    with pytest.raises(ResourceError, match=r"not whole.*--from-scratch"):
        pretrained.begin_from_pretrained(FastNetwork(1))
