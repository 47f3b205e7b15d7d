"""A network of timm as a chain gives what timm gives, learns on a frozen trunk, and is refused where it cannot."""

import os
import sys

import numpy as np
import pytest
from safetensors.numpy import save_file

from assay.errors import InputError
from assay.models import backbone, fitting, graph, inference, network, tuning, zoo
from assay.models.examples import Arrays

torch = pytest.importorskip("torch", reason="the extra train is not installed")


@pytest.fixture(scope="module")
def timm():
    return pytest.importorskip("timm", reason="timm is not installed")


@pytest.fixture(scope="module")
def weights(timm, tmp_path_factory):
    """Weights of a name, drawn at random, in a file."""

    def draw(name):
        path = tmp_path_factory.mktemp("weights") / f"{name}.safetensors"
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            save_file(network.arrays(timm.create_model(name)), path)
        return path

    return draw


NAMES = ["test_resnet", "resnet10t", "mobilenetv2_050", "mobilenetv3_small_050", "tf_efficientnet_lite0"]
LARGE = [pytest.param(name, marks=pytest.mark.slow) for name in ("vgg11", "vgg11_bn", "densenet121", "resnet50")]


@pytest.mark.parametrize("name", [*NAMES, *LARGE])
def test_a_chain_gives_what_timm_gives(timm, weights, name):
    path = weights(name)
    made = zoo.chain(f"timm:{name}={path}", size=64, classes=3).eval()
    whole = timm.create_model(name, checkpoint_path=str(path)).eval()
    x = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype(np.uint8)
    mean, deviation = (np.array(whole.pretrained_cfg[key], np.float32) for key in ("mean", "std"))
    with torch.inference_mode():
        maps = whole.forward_features(torch.from_numpy(((x / 255 - mean) / deviation).transpose(0, 3, 1, 2)).float())
        trunk, _ = network.cut(made, frozen="head")
        np.testing.assert_allclose(trunk(torch.from_numpy(x)), maps.mean(dim=(2, 3)), atol=1e-3)


@pytest.mark.parametrize("name", [*NAMES, *LARGE])
def test_trunk_and_tail_give_what_timm_gives(timm, weights, name):
    path = weights(name)
    made = tuning.make(tuning.Plan("finetune", backbone=f"timm:{name}={path}", views=0), classes=3, seed=0)
    whole = timm.create_model(name, checkpoint_path=str(path)).eval()
    x = np.random.default_rng(0).integers(0, 256, (1, backbone.SIZE, backbone.SIZE, 3)).astype(np.uint8)
    mean, deviation = (np.array(whole.pretrained_cfg[key], np.float32) for key in ("mean", "std"))
    with torch.inference_mode():
        maps = whole.forward_features(torch.from_numpy(((x / 255 - mean) / deviation).transpose(0, 3, 1, 2)).float())
    expected = maps.mean(dim=(2, 3)).numpy()
    np.testing.assert_allclose(inference.Runner(made.tail()).run(x), expected, atol=1e-3 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("name", "begin", "layers", "last"),
    [
        ("tf_efficientnet_lite0", ["block 16", "layer 17"], 7, ["block 15", "block 16", "layer 17"]),
        ("resnet10t", ["block 6"], 3, ["block 6"]),
        pytest.param("vgg16", ["block 10", "layer 11", "layer 12"], 1, ["layer 12"], marks=pytest.mark.slow),
    ],
)
def test_the_last_block_is_what_people_call_so_and_layers_are_counted_from_the_end(weights, name, begin, layers, last):
    text = f"timm:{name}={weights(name)}"
    made = tuning.make(tuning.Plan("finetune", backbone=text), classes=2, seed=0)
    inner = [part for part, _ in made.rest.named_children() if part.startswith(("block", "layer"))]
    assert inner == begin
    some = tuning.make(tuning.Plan("finetune", backbone=text, unfreeze=layers), classes=2, seed=0)
    assert [part for part, _ in some.rest.named_children() if part.startswith(("block", "layer"))] == last


def test_what_a_folder_has_in_common_is_not_taken_for_normal(weights):
    made = tuning.make(tuning.Plan("finetune", backbone=f"timm:resnet10t={weights('resnet10t')}"), classes=2, seed=0)
    given = np.random.default_rng(0).normal(size=(8, *made.shape)).astype(np.float32)
    before = network.arrays(made.rest)
    fitting.fit(made.rest, Arrays(given, np.arange(8) % 2), None, epochs=1, threads=1)
    after = network.arrays(made.rest)
    norms = [name for name in before if "running" in name]
    assert norms
    assert all((before[name] == after[name]).all() for name in norms)
    assert any((before[name] != after[name]).any() for name in before)


def test_the_end_of_it_learns_and_goes_to_the_file_as_steps(weights):
    plan = tuning.Plan("finetune", backbone=f"timm:test_resnet={weights('test_resnet')}", head=6, views=0)
    made = tuning.make(plan, classes=2, seed=0)
    x = np.random.default_rng(0).integers(0, 256, (4, backbone.SIZE, backbone.SIZE, 3)).astype(np.uint8)
    given = inference.Runner(made.trunk).run(x)
    before = network.arrays(made.rest)
    fitting.fit(made.rest, Arrays(given, np.arange(4) % 2), None, epochs=1, threads=1)
    assert not all((before[name] == array).all() for name, array in network.arrays(made.rest).items())
    tail = made.tail()
    assert tuple(tail.inputs) == (inference.IMAGE,)
    assert graph.shapes(tail)[tail.output] == (6,)
    weight, bias = made.last()
    expected = fitting.predict(made.rest, Arrays(given, np.arange(4)), threads=1)
    np.testing.assert_allclose(inference.Runner(tail).run(x) @ weight.T + bias, expected, atol=1e-3)


def test_what_timm_does_not_have_or_is_no_chain_is_refused(weights, tmp_path):
    with pytest.raises(InputError, match="timm must have the network, got 'resnet5000'"):
        zoo.chain("timm:resnet5000", size=64, classes=2)
    with pytest.raises(InputError, match="must be a chain of parts that ends in maps, got 'test_vit'"):
        zoo.chain(f"timm:test_vit={weights('test_vit')}", size=64, classes=2)
    with pytest.raises(InputError, match="has a step for, got 'permute'"):  # before anything is taught
        tuning.make(
            tuning.Plan("finetune", backbone=f"timm:test_convnext={weights('test_convnext')}"), classes=2, seed=0
        )
    with pytest.raises(InputError, match="weights must be those of this network"):
        zoo.chain(f"timm:resnet10t={weights('test_resnet')}", size=64, classes=2)
    with pytest.raises(InputError, match=r"weights must be a .safetensors or .pth file"):
        zoo.chain(f"timm:resnet10t={tmp_path / 'none.safetensors'}", size=64, classes=2)
    with pytest.raises(
        InputError, match="weights of test_efficientnet must be on this computer, got none: name a file"
    ):
        zoo.chain("timm:test_efficientnet", size=64, classes=2)


def test_weights_that_torch_has_written_are_read_and_those_of_a_changed_file_again(timm, tmp_path):
    path, given = tmp_path / "net.pth", []
    for seed in (0, 1):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            whole = timm.create_model("test_resnet")
        torch.save(whole.state_dict(), path)
        os.utime(path, (seed, seed))
        made = zoo.chain(f"timm:test_resnet={path}", size=64, classes=2)
        given.append(next(iter(network.arrays(made.get_submodule("layer 0")).values())))
        np.testing.assert_array_equal(given[-1], whole.conv1[0].weight.detach().numpy())
    assert (given[0] != given[1]).any()


def test_without_timm_the_line_that_installs_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(InputError, match="pip install timm"):
        zoo.chain("timm:resnet18", size=64, classes=2)
