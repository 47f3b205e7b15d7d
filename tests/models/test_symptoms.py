"""Each symptom answers to its damage, whatever the picture's size or colour."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.models.damage import Damage
from assay.models.symptoms import NAMES, _parts, noise, symptoms
from assay.pixels import filters


def picture(shape=(160, 200), seed=0):
    """Draw soft shapes: something to see, and no noise."""
    rng = np.random.default_rng(seed)
    rough = filters.gaussian(rng.normal(size=shape).astype(np.float32), sigma=6)
    rough = (rough - rough.min()) / np.ptp(rough)
    return (40 + 170 * (np.round(rough * 5) / 5 * 0.7 + rough * 0.3)).astype(np.uint8)


def found(image, **damage):
    return dict(zip(NAMES, symptoms(Damage(**damage).apply(image, rng=np.random.default_rng(1))), strict=True))


@pytest.mark.parametrize(
    ("name", "kind", "strengths"),
    [
        ("fine noise", "gaussian", (3, 10, 30)),
        ("coarse noise", "gaussian", (3, 10, 30)),
        ("noise", "gaussian", (3, 10, 30)),
        ("corners", "gaussian", (3, 10, 30)),
        ("fine", "gaussian", (3, 10, 30)),
        ("impulses", "impulses", (0, 0.02, 0.1)),
        ("spikes", "impulses", (0, 0.02, 0.1)),
        ("blocks", "jpeg", (0, 40, 10)),
        ("speckle", "speckle", (0, 0.03, 0.2)),
    ],
)
def test_the_more_damage_the_more_of_its_symptom(name, kind, strengths):
    values = [found(picture(), **{kind: s})[name] for s in strengths]
    assert values == sorted(values)
    assert values[-1] - values[0] > 0.4


def test_corners_are_the_logarithm_of_the_sigma_of_noise():
    for sigma in (6.0, 20.0):
        assert found(np.full((160, 200), 128, np.uint8), gaussian=sigma)["corners"] == pytest.approx(
            np.log2((sigma + 0.4) / 3) / 1.5, abs=0.1
        )


@pytest.mark.parametrize("sigma", [4.0, 12.0, 25.0])
@pytest.mark.parametrize("shape", [(128, 140), (260, 300)])
def test_noise_is_told_from_the_calmest_places(sigma, shape):
    flat = np.full(shape, 128, np.uint8)
    rough = flat.copy()
    rough[:, : shape[1] // 2] = np.random.default_rng(0).integers(90, 160, (shape[0], shape[1] // 2))
    for clean, slack in ((flat, 0.08), (rough, 0.2)):
        seen = [noise(symptoms(Damage(gaussian=sigma).apply(clean, rng=np.random.default_rng(i)))) for i in range(12)]
        fine, coarse = np.mean(seen, axis=0)
        assert fine == pytest.approx(sigma, rel=slack)
        assert coarse == pytest.approx(sigma, rel=0.1 + slack)


def test_jpeg_takes_the_fine_noise_and_leaves_the_coarse():
    flat = np.full((256, 256), 128, np.uint8)
    fine, coarse = noise(symptoms(Damage(gaussian=25, jpeg=30).apply(flat, rng=np.random.default_rng(0))))
    assert fine < 12
    assert coarse > 18


def test_impulses_do_not_drown_the_rest():
    with_spots, without = found(picture(), gaussian=8, impulses=0.08), found(picture(), gaussian=8)
    for name in ("fine noise", "noise", "corners", "middle"):
        assert with_spots[name] == pytest.approx(without[name], abs=0.35), name


def test_a_grey_picture_and_the_same_in_colour_look_alike():
    grey = Damage(gaussian=12).apply(picture(), rng=np.random.default_rng(0))
    assert symptoms(np.dstack([grey] * 3)) == pytest.approx(symptoms(grey), abs=0.02)


def test_a_large_picture_takes_no_longer_than_its_parts():
    large = np.tile(picture(), (4, 4))
    assert symptoms(large).shape == (len(NAMES),)
    with_more = np.pad(large, ((0, 200), (0, 0)), mode="reflect")
    assert [p.shape for p in _parts(large)] == [p.shape for p in _parts(with_more)] == [(128, 128)] * 4


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("shape", [(24, 31), (130, 300), (300, 40, 3)])
def test_flat_pictures_have_finite_symptoms(level, shape):
    assert np.isfinite(symptoms(np.full(shape, level, np.uint8))).all()


@pytest.mark.parametrize(
    ("image", "message"),
    [(np.zeros((40, 40), np.float32), "of uint8, got float32"), (np.zeros((23, 40), np.uint8), "24 x 24")],
)
def test_what_is_not_allowed(image, message):
    with pytest.raises(InputError, match=message):
        symptoms(image)
