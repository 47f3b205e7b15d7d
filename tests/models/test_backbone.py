"""The compiled graph equals the network written out in NumPy, and sees what is in a picture."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from assay.errors import InputError
from assay.models import backbone, checkpoint


@pytest.fixture(scope="module")
def network():
    return backbone.Backbone()


@pytest.fixture(scope="module")
def views():
    """Two real photographs, a temple and a flower."""
    pictures = load_sample_images().images
    return np.stack([cv2.resize(p, (backbone.SIZE,) * 2, interpolation=cv2.INTER_AREA)[None] for p in pictures])


def written_out(image):
    """Oracle: EfficientNet-Lite0 for one picture, batch norms and all, nothing folded."""
    w = checkpoint.read(backbone.weights())

    def conv(x, name, stride=1):
        kernel = w[f"{name}.weight"].astype(np.float64)
        _, inner, k, _ = kernel.shape
        size = -(-x.shape[1] // stride)
        pad = max((size - 1) * stride + k - x.shape[1], 0)
        x = np.pad(x, ((0, 0), (pad // 2, pad - pad // 2), (pad // 2, pad - pad // 2)))
        windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(1, 2))[:, ::stride, ::stride]
        if inner == 1 and len(x) > 1:
            return np.einsum("chwij,cij->chw", windows, kernel[:, 0])
        return np.tensordot(kernel, windows, axes=([1, 2, 3], [0, 3, 4]))

    def norm(x, name):
        g, b, m, v = (w[f"{name}.{k}"][:, None, None] for k in ("weight", "bias", "running_mean", "running_var"))
        return (x - m) / np.sqrt(v + 1e-3) * g + b

    def relu6(x):
        return np.clip(x, 0, 6)

    x = relu6(norm(conv((image.astype(float).transpose(2, 0, 1) - 127) / 128, "_conv_stem", 2), "_bn0"))
    block = 0
    for repeats, _, stride, expansion, out in backbone.STAGES:
        for i in range(repeats):
            p, y, step = f"_blocks.{block}.", x, stride if i == 0 else 1
            if expansion != 1:
                y = relu6(norm(conv(y, f"{p}_expand_conv"), f"{p}_bn0"))
            y = relu6(norm(conv(y, f"{p}_depthwise_conv", step), f"{p}_bn1"))
            y = norm(conv(y, f"{p}_project_conv"), f"{p}_bn2")
            x = x + y if step == 1 and len(x) == out else y
            block += 1
    features = relu6(norm(conv(x, "_conv_head"), "_bn1")).mean(axis=(1, 2))
    logits = w["_fc.weight"] @ features + w["_fc.bias"]
    return features, np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()


def test_the_graph_equals_the_network_written_out(network, views):
    features, chances = written_out(views[1, 0])
    seen = network.see(views[1:])
    np.testing.assert_allclose(seen.features[0], features, atol=2e-3)  # float16 keeps 3 digits
    assert seen.classes[0, 0] == chances.argmax()
    np.testing.assert_allclose(seen.scores[0], np.sort(chances)[: -backbone.BEST - 1 : -1], atol=2e-3)


def test_it_sees_a_flower_and_a_temple(network, views):
    names = [[backbone.class_names()[c] for c in row] for row in network.see(views).classes]
    assert {"palace", "stupa", "monastery"} & set(names[0])
    assert {"daisy", "hen-of-the-woods", "cardoon", "bee"} & set(names[1])


def test_a_picture_alone_and_among_others_has_the_same_features(network, views):
    both, alone = network.see(views), network.see(views[1:])
    np.testing.assert_array_equal(both.features[1], alone.features[0])


def test_tile_features_are_the_largest_over_the_tiles(network, views):
    three = np.concatenate([views[:1], views[1:], views[:1, :, ::-1].copy()], axis=1)
    seen = network.see(three)
    parts = network.see(three[0, 1:, None])
    np.testing.assert_array_equal(seen.tile_features[0], parts.features.max(axis=0))
    assert network.see(views).tile_features is None


@pytest.mark.parametrize("views", [np.zeros((1, 1, 224, 224, 3), np.uint8), np.zeros((1, 1, 256, 256, 3), np.float32)])
def test_other_shapes_and_dtypes_are_refused(network, views):
    with pytest.raises(InputError, match="must be uint8"):
        network.see(views)


def test_telemetry_is_never_imported():
    code = (
        "import sys; from assay.models import backbone; backbone.Backbone(); print(sys.modules['openvino_telemetry'])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "None\n"
