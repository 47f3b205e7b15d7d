"""What is seen inside a network is what it computes, and what is said to matter does."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.models import inside, network
from assay.pixels import geometry

torch = pytest.importorskip("torch", reason="the extra train is not installed")
SIZE = (12, 18)


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)


def made(text, channels=3, classes=3):
    return network.small_cnn(text, size=SIZE, channels=channels, classes=classes, seed=1)


def test_maps_are_what_each_layer_gives(picture):
    module = made("conv 4, norm, pool, conv 5 stride 2, mean, dense 6, dropout .5").eval()
    seen = inside.look_inside(module, picture, threads=1)
    assert [m.name for m in seen.maps] == ["conv 1", "pool 1", "conv 2"]
    x = torch.from_numpy(picture[None])
    with torch.inference_mode():
        for name, child in module.named_children():
            x = child(x)
            found = [m.values for m in seen.maps if m.name == name]
            if found:
                np.testing.assert_allclose(found[0], x[0].numpy(), atol=1e-5)
    np.testing.assert_allclose(seen.logits, x[0].numpy(), atol=1e-5)
    assert seen.target == seen.logits.argmax()
    np.testing.assert_array_equal(seen.image, picture)


def test_weights_are_those_of_the_layers(picture):
    module = made("conv 4, mean, dense 6")
    seen = inside.look_inside(module, picture, threads=1)
    weights = network.arrays(module)
    assert [w.name for w in seen.dense] == ["dense 1", "classes"]
    np.testing.assert_array_equal(seen.kernels.weight, weights["conv 1.0.weight"])
    np.testing.assert_array_equal(seen.dense[1].weight, weights["classes.1.weight"])
    np.testing.assert_array_equal(seen.dense[1].bias, weights["classes.1.bias"])


@pytest.mark.parametrize("target", [0, 1, 2])
def test_behind_a_mean_gradcam_is_the_class_activation_map(picture, target):
    """Zhou et al. 2016, doi:10.1109/CVPR.2016.319: a class's map is the last maps times the weights of its line."""
    module = made("conv 4, pool, conv 5, mean")
    seen = inside.look_inside(module, picture, target=target, threads=1)
    weight = network.arrays(module)["classes.1.weight"][target]
    expected = np.maximum(np.tensordot(weight, seen.maps[-1].values, axes=1), 0)
    expected /= max(expected.max(), 1e-9)
    assert seen.layer == "conv 2"
    np.testing.assert_allclose(seen.gradcam, geometry.reshape(expected, shape=SIZE), atol=1e-4)


def test_gradcam_is_the_sum_written_out():
    rng = np.random.default_rng(0)
    maps, slopes = rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 4, 5))
    total = np.zeros((4, 5))
    for k in range(3):
        total += slopes[k].sum() / 20 * maps[k]
    total[total < 0] = 0
    np.testing.assert_allclose(inside.gradcam(maps, slopes), total / total.max(), rtol=1e-5)


def test_gradcam_of_nothing_that_speaks_for_it_is_nothing():
    assert not inside.gradcam(np.ones((2, 3, 4)), -np.ones((2, 3, 4))).any()
    with pytest.raises(InputError, match=r"maps and slopes must be \(maps, h, w\)"):
        inside.gradcam(np.ones((2, 3, 4)), np.ones((2, 4, 3)))


class Corner(torch.nn.Module):
    """Sees a square alone: the brighter it is, the surer of class 1."""

    def forward(self, x):
        light = x.float()[:, 8:, 14:].mean(dim=(1, 2)) / (255 if x.dtype == torch.uint8 else 1)
        return torch.stack([torch.zeros_like(light), 9 * light - 4], dim=1)


def test_covering_matters_where_the_network_looks():
    picture = np.zeros(SIZE, np.uint8)
    picture[8:, 14:] = 255
    found = inside.occlude(Corner(), picture, target=1, cover=4, threads=1)
    assert found.shape == SIZE
    assert found[8:, 14:].min() > 0
    assert np.unravel_index(found.argmax(), SIZE)[0] >= 8
    assert np.unravel_index(found.argmax(), SIZE)[1] >= 14
    assert not found[:4].any()
    assert not found[:, :10].any()
    np.testing.assert_allclose(inside.occlude(Corner(), picture, target=0, cover=4, threads=1), -found, atol=1e-6)


def test_covering_equals_squares_written_out():
    picture = np.random.default_rng(3).integers(0, 256, SIZE).astype(np.uint8)
    cover = 5

    def chance(image):
        return torch.softmax(Corner()(torch.from_numpy(image[None])), 1)[0, 1].item()

    sums, weights = np.zeros(SIZE), np.zeros(SIZE)
    for top in range(-2, SIZE[0] - 2, 2):
        for left in range(-2, SIZE[1] - 2, 2):
            covered, near = picture.copy(), np.zeros(SIZE)
            for i in range(cover):
                for j in range(cover):
                    y, x = top + i, left + j
                    if 0 <= y < SIZE[0] and 0 <= x < SIZE[1]:
                        covered[y, x] = int(picture.mean())
                        near[y, x] = np.sin(np.pi * (i + 1) / 6) ** 2 * np.sin(np.pi * (j + 1) / 6) ** 2
            sums += near * (chance(picture) - chance(covered))
            weights += near
    found = inside.occlude(Corner(), picture, target=1, cover=cover, threads=1)
    np.testing.assert_allclose(found, sums / weights, atol=1e-5)


def test_looking_leaves_the_network_as_it_was(picture):
    module = made("conv 4, norm, mean").train()
    module.get_submodule("conv 1").requires_grad_(requires_grad=False)
    before, flags = network.arrays(module), [p.requires_grad for p in module.parameters()]
    inside.look_inside(module, picture, threads=1)
    assert module.training
    assert [p.requires_grad for p in module.parameters()] == flags
    assert all((before[name] == array).all() for name, array in network.arrays(module).items())
    assert not any(child._forward_hooks for child in module.children())
    assert all(p.grad is None for p in module.parameters())


def test_grey_pictures_and_shares_are_looked_at_as_well():
    module = made("conv 4, mean", channels=1)
    image = np.random.default_rng(0).integers(0, 256, SIZE).astype(np.uint8)
    a = inside.look_inside(module, image, threads=1)
    b = inside.look_inside(module, image.astype(np.float32) / 255, threads=1)
    np.testing.assert_allclose(a.logits, b.logits, atol=1e-5)
    np.testing.assert_array_equal(a.image, b.image)


def test_what_cannot_be_looked_into_is_refused(picture):
    with pytest.raises(InputError, match="target must be a class from 0 to 2, got 3"):
        inside.look_inside(made("conv 4, mean"), picture, target=3, threads=1)
    with pytest.raises(InputError, match="must have a convolution with more than one place"):
        inside.look_inside(made("dense 4"), picture, threads=1)
    with pytest.raises(InputError, match="cover must be 1 to 12 pixels, got 13"):
        inside.look_inside(made("conv 4, mean"), picture, cover=13, threads=1)
    with pytest.raises(InputError, match="height, width and channels"):
        inside.look_inside(made("conv 4, mean"), picture[:-1], threads=1)
