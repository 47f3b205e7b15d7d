"""Restoring is a world that passes Gymnasium's checker, whose rewards add up to what a chain has gained."""

import importlib.util
import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from assay.errors import InputError
from assay.models import chain, restoring
from assay.models.chain import ACTIONS, COST, NAMED, STEPS
from assay.models.damage import Damage
from assay.models.restoring import Restoring, gain, gather
from assay.pixels import fidelity, filters, shrinkage
from assay.td.codings import Linear
from assay.td.control import Control


def clean(seed=0, shape=(150, 170)):
    rng = np.random.default_rng(seed)
    rough = filters.gaussian(rng.normal(size=shape).astype(np.float32), sigma=5)
    return (30 + 190 * (rough - rough.min()) / np.ptp(rough)).astype(np.uint8)


@pytest.fixture
def world():
    made = Restoring([clean(), clean(1, (128, 200, 3))])
    made.reset(seed=0)
    return made


def test_gymnasiums_checker_passes():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(spec|render).*")  # it is registered nowhere, and draws nothing
        check_env(Restoring([clean()]), skip_render_check=True)


def test_rewards_add_up_to_what_the_chain_has_gained(world):
    first = gain(world.view.image, world.clean)
    names = ("median 3", "DCT, 0.9 x coarse noise", "unsharp 1, 40 %")
    rewards = [world.step(NAMED.index(name))[1] for name in names]
    assert sum(rewards) == pytest.approx(gain(world.view.image, world.clean) - first - 3 * COST)
    assert world.step(0)[1:4] == (0.0, True, False)


def test_a_chain_ends_after_five_filters(world):
    ends = [world.step(5)[2] for _ in range(STEPS)]
    assert ends == [False] * (STEPS - 1) + [True]


def test_trying_everything_changes_nothing_and_tells_the_truth(world):
    before = world.view.image.copy()
    images, rewards = world.outcomes()
    np.testing.assert_array_equal(world.view.image, before)
    for a in (0, 3, 14, 24):
        other = Restoring([clean()])
        other.reset(seed=0)
        other.view, other.clean = world.view, world.clean
        assert other.step(a)[1] == pytest.approx(rewards[a])
        np.testing.assert_array_equal(other.view.image, images[a])


def test_a_clean_picture_has_nothing_to_gain():
    world = Restoring([clean()], mixture=lambda _: Damage())
    world.reset(seed=1)
    assert world.outcomes()[1].argmax() == 0


def test_experience_holds_every_action_of_every_state(world):
    found = gather(world, 3, rng=np.random.default_rng(0))
    n = len(found.seen)
    assert found.rewards.shape == (n, len(ACTIONS))
    assert (found.rewards[:, 0] == 0).all()
    assert len(found.following) == len(found.origins) > 0
    assert (found.origins[:, 0] < n).all()
    assert (found.origins[:, 1] > 0).all()  # to stop leads nowhere
    assert len(found.scores) == n
    assert ((found.scores > 0) & (found.scores <= 1)).all()
    for array in (found.seen, found.following):
        assert np.isfinite(array).all()


def test_any_learner_may_be_put_into_it(world):
    learner = Control(Linear(world.observation_space.shape[0]), len(ACTIONS), method="q-learning", alpha=0.01)
    learner.learn(world, 2, rng=np.random.default_rng(0))
    assert np.isfinite(learner.returns_).all()


@pytest.mark.skipif(importlib.util.find_spec("stable_baselines3") is None, reason="stable-baselines3 is not installed")
def test_stable_baselines_may_train_on_it(world):
    from stable_baselines3 import DQN

    DQN("MlpPolicy", world, learning_starts=5, seed=0).learn(20)


def through(view, *names):
    for name in names:
        action = NAMED.index(name)
        view = chain.follow(view, action, chain.outcome(view, action)[1])
    return view


def test_what_is_seen_says_what_was_done():
    view = through(chain.begin(clean()), "median 3", "unsharp 1, 40 %")
    assert chain.state(view)[-5:].tolist() == [1.0, 1.0, 0.0, 0.0, 1.0]  # rank, smooth, led, sharp
    view = through(view, "DCT, 0.9 x coarse noise", "Wiener, 1.2 x coarse noise")
    assert chain.state(view)[-5:].tolist() == [2.0, 1.0, 1.0, 1.0, 1.0]


def test_a_filter_is_as_strong_as_the_noise():
    for sigma in (6, 24):
        noisy = Damage(gaussian=sigma).apply(np.full((150, 170), 128, np.uint8), rng=np.random.default_rng(0))
        words, _ = chain.outcome(chain.begin(noisy), NAMED.index("DCT, 1.05 x fine noise"))
        assert float(words.removeprefix("DCT sigma=")) == pytest.approx(1.05 * sigma, rel=0.06)


def test_the_wiener_filter_looks_back_to_before_the_smoothing_but_not_before_spikes_went():
    noisy = Damage(gaussian=12, impulses=0.05).apply(clean(), rng=np.random.default_rng(0))
    view = through(chain.begin(noisy), "despike")
    calm = view.image
    view = through(view, "DCT, 0.85 x fine noise", "gaussian 0.5")
    np.testing.assert_array_equal(view.source, calm)
    sigma = round(1.05 * view.noise[0], 1)
    words, found = chain.outcome(view, NAMED.index("Wiener, 1.05 x fine noise"))
    assert words == f"Wiener sigma={sigma:g} led by that"
    np.testing.assert_array_equal(found, shrinkage.wiener(calm, sigma=sigma, pilot=view.image, step=2))


@pytest.mark.parametrize("pictures", [[], [np.zeros((127, 200), np.uint8)], [np.zeros((200, 200), np.float32)]])
def test_pictures_must_be_large_enough(pictures):
    with pytest.raises(InputError, match="128 x 128 pixels and more"):
        Restoring(pictures)


def test_an_unknown_action_is_refused(world):
    with pytest.raises(InputError, match=r"action must be in 0\.\."):
        world.step(len(ACTIONS))


@pytest.mark.parametrize("name", ACTIONS)
@pytest.mark.parametrize("shape", [(24, 37), (40, 31, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_every_filter_keeps_shape_and_dtype_even_of_the_smallest(name, shape, dtype):
    image = np.random.default_rng(0).random(shape)
    image = (image * 255).astype(dtype) if dtype == np.uint8 else image.astype(dtype)
    before = image.copy()
    _, found = chain.outcome(chain.begin(image), NAMED.index(name))
    assert (found.shape, found.dtype) == (shape, dtype)
    np.testing.assert_array_equal(image, before)


def test_the_best_that_counts_is_50_db():
    assert gain(clean(), clean()) == 50
    noisy = Damage(gaussian=10).apply(clean(), rng=np.random.default_rng(0))
    assert gain(noisy, clean()) == fidelity.psnr(noisy, clean())
    assert restoring.gain(noisy, clean()) < 30
