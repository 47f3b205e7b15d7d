"""A restorer learns to take the filter that helps, leaves clean pictures alone, and is what was saved."""

import json

import numpy as np
import pytest
from safetensors.numpy import save
from skimage import data

from assay.errors import InputError
from assay.models import training
from assay.models.chain import WIDTH
from assay.models.damage import Damage
from assay.models.restorer import SHIPPED, Restorer
from assay.pixels import fidelity
from assay.td import saved


def photo(*, colour=False):
    image = data.chelsea()[20:276, 60:420]
    return np.ascontiguousarray(image if colour else image[..., 1])


@pytest.fixture(scope="module")
def shipped():
    return Restorer.load()


MIXTURES = [
    Damage(gaussian=15),
    Damage(impulses=0.05, gaussian=10),
    Damage(blur=1.2, gaussian=8),
    Damage(gaussian=25, jpeg=30),
    Damage(blur=1.0, impulses=0.1),
    Damage(speckle=0.2),
    Damage(gaussian=40),
]


@pytest.mark.parametrize("mixture", MIXTURES, ids=str)
@pytest.mark.parametrize("colour", [False, True])
def test_a_restored_picture_is_nearer_to_the_clean_one(shipped, mixture, colour):
    clean = photo(colour=colour)
    damaged = mixture.apply(clean, rng=np.random.default_rng(0))
    found = shipped.restore(damaged)
    assert fidelity.psnr(found.image, clean) > fidelity.psnr(damaged, clean) + 0.3
    assert found.chain
    assert found.words.startswith(found.chain[0])
    assert 0 <= found.before <= found.after <= 1


@pytest.mark.parametrize("colour", [False, True])
def test_a_clean_picture_is_left_alone(shipped, colour):
    found = shipped.restore(photo(colour=colour))
    np.testing.assert_array_equal(found.image, photo(colour=colour))
    assert found.chain == ()
    assert found.words.startswith("left alone: predicted SSIM")


def test_16_bits_give_what_8_bits_give(shipped):
    damaged = Damage(impulses=0.05, gaussian=10).apply(photo(), rng=np.random.default_rng(0))
    deep = shipped.restore(damaged.astype(np.float32) / 255)
    plain = shipped.restore(damaged)
    assert deep.image.dtype == np.float32
    assert deep.chain[0] == plain.chain[0]
    assert fidelity.psnr(np.rint(deep.image.clip(0, 1) * 255).astype(np.uint8), photo()) == pytest.approx(
        fidelity.psnr(plain.image, photo()), abs=1.0
    )


@pytest.mark.parametrize("shape", [(1, 1), (23, 200), (200, 1, 3)])
def test_a_picture_that_is_too_small_is_refused(shipped, shape):
    with pytest.raises(InputError, match="24 x 24 or larger"):
        shipped.restore(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_flat_picture_stays_flat(shipped, level):
    flat = np.full((30, 44), level, np.uint8)
    np.testing.assert_array_equal(shipped.restore(flat).image, flat)


def test_the_smallest_picture_is_restored(shipped):
    damaged = Damage(gaussian=25).apply(photo()[:24, :31].copy(), rng=np.random.default_rng(0))
    assert shipped.restore(damaged).image.shape == (24, 31)


def test_the_input_is_left_alone(shipped):
    damaged = Damage(gaussian=25).apply(photo(), rng=np.random.default_rng(0))
    before = damaged.copy()
    shipped.restore(damaged)
    np.testing.assert_array_equal(damaged, before)


def test_the_shipped_one_says_how_it_came_about(shipped):
    assert shipped.notes["seed"] >= 0
    assert shipped.notes["episodes"] > 100
    assert SHIPPED.stat().st_size < 600_000


def trained(count, *, order=1):
    planned = training.plan(count, rng=np.random.default_rng(0))
    parts = {job: training.part(job, pictures=[photo()]) for job in planned.parts[::order]}
    return training.finish([parts[job] for job in planned.parts], planned, notes={"seed": 0})


def test_training_learns_in_a_few_episodes_the_same_in_any_order():
    found = trained(23)
    damaged = Damage(impulses=0.12).apply(photo(), rng=np.random.default_rng(5))
    assert fidelity.psnr(found.restore(damaged).image, photo()) > fidelity.psnr(damaged, photo()) + 1
    assert trained(23, order=-1).pack() == found.pack()


def test_a_longer_plan_begins_as_a_shorter_one():
    short, long = (training.plan(n, rng=np.random.default_rng(4)) for n in (45, 100))
    assert [size for _, size in short.parts] == [20, 20, 5]
    assert [seed for seed, _ in short.parts] == [seed for seed, _ in long.parts[:3]]
    assert short.last == long.last
    with pytest.raises(InputError, match="episodes must be >= 1, got 0"):
        training.plan(0, rng=np.random.default_rng(4))


@pytest.fixture
def path(shipped, tmp_path):
    (tmp_path / "r.safetensors").write_bytes(shipped.pack())
    return tmp_path / "r.safetensors"


def test_what_was_saved_is_loaded(shipped, path):
    assert Restorer.load(path).pack() == shipped.pack()
    damaged = Damage(gaussian=15).apply(photo(), rng=np.random.default_rng(0))
    np.testing.assert_array_equal(Restorer.load(path).restore(damaged).image, shipped.restore(damaged).image)


def rewrite(path, change, **arrays):
    card, before = saved.read(path, "restorer")
    path.write_bytes(save({**before, **arrays}, {"assay": json.dumps({**card, **change})}))


@pytest.mark.parametrize("change", [{"version": 99}, {"actions": ["stop", "guess"]}])
def test_one_of_another_version_or_for_other_filters_is_refused(path, change):
    rewrite(path, change)
    with pytest.raises(InputError, match="for the filters that assay has now"):
        Restorer.load(path)


@pytest.mark.parametrize(
    "arrays",
    [
        {"known": np.zeros((5, 3))},
        {"scale": np.zeros(WIDTH)},
        {"quality": np.zeros((3, 2))},
        {"values": np.zeros((2, 2))},
    ],
)
def test_arrays_that_do_not_fit_are_refused(path, arrays):
    rewrite(path, {}, **arrays)
    with pytest.raises(InputError, match="arrays must fit each other"):
        Restorer.load(path)


def test_a_learner_of_another_kind_is_refused(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(saved.pack("control", {}, {"w": np.zeros(3)}))
    with pytest.raises(InputError, match="must be of kind restorer, got 'control'"):
        Restorer.load(tmp_path / "x.safetensors")
