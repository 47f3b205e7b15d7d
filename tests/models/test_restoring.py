"""Restoring is a world that passes Gymnasium's checker, whose rewards add up to what a chain has gained."""

import importlib.util
import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from assay.errors import InputError
from assay.models import restoring
from assay.models.chain import ACTIONS, COST, STEPS, WORDS, kind, state
from assay.models.damage import Damage
from assay.models.restoring import Restoring, gain, gather
from assay.pixels import fidelity, filters
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
    first = gain(world.image, world.clean)
    rewards = [world.step(WORDS.index(name))[1] for name in ("median 3", "non-local means 8", "unsharp 1, 40 %")]
    assert sum(rewards) == pytest.approx(gain(world.image, world.clean) - first - 3 * COST)
    assert world.step(0)[1:4] == (0.0, True, False)


def test_a_chain_ends_after_five_filters(world):
    ends = [world.step(5)[2] for _ in range(STEPS)]
    assert ends == [False] * (STEPS - 1) + [True]


def test_trying_everything_changes_nothing_and_tells_the_truth(world):
    before = world.image.copy()
    images, rewards = world.outcomes()
    np.testing.assert_array_equal(world.image, before)
    for a in (0, 3, 14):
        other = Restoring([clean()])
        other.reset(seed=0)
        other.image, other.clean, other.done = world.image.copy(), world.clean, []
        assert other.step(a)[1] == pytest.approx(rewards[a])
        np.testing.assert_array_equal(other.image, images[a])


def test_a_clean_picture_has_nothing_to_gain():
    world = Restoring([clean()], mixture=lambda _: Damage())
    world.reset(seed=1)
    assert world.outcomes()[1].argmax() == 0


def test_experience_holds_every_action_of_every_state(world):
    moves = gather(world, 3, rng=np.random.default_rng(0))
    n = len(ACTIONS)
    assert len(moves.actions) % n == 0
    assert moves.actions.reshape(-1, n).tolist() == [list(range(n))] * (len(moves.actions) // n)
    assert moves.ended.reshape(-1, n)[:, 0].all()
    assert (moves.rewards.reshape(-1, n)[:, 0] == 0).all()
    assert (~moves.ended).any()
    assert np.isfinite(moves.following).all()


def test_any_learner_may_be_put_into_it(world):
    learner = Control(Linear(world.observation_space.shape[0]), len(ACTIONS), method="q-learning", alpha=0.01)
    learner.learn(world, 2, rng=np.random.default_rng(0))
    assert np.isfinite(learner.returns_).all()


@pytest.mark.skipif(importlib.util.find_spec("stable_baselines3") is None, reason="stable-baselines3 is not installed")
def test_stable_baselines_may_train_on_it(world):
    from stable_baselines3 import DQN

    DQN("MlpPolicy", world, learning_starts=5, seed=0).learn(20)


def test_what_is_seen_says_what_was_done():
    seen = state(clean(), [WORDS.index("median 3"), WORDS.index("unsharp 1, 40 %")])
    assert seen[-4:].tolist() == [1.0, 1.0, 0.0, 1.0]
    assert [kind(WORDS.index(n)) for n in ("crimmins", "mean 3", "total variation 0.07")] == [
        "rank",
        "smooth",
        "smooth",
    ]


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
    found = ACTIONS[name](image)
    assert (found.shape, found.dtype) == (shape, dtype)
    np.testing.assert_array_equal(image, before)


def test_the_best_that_counts_is_50_db():
    assert gain(clean(), clean()) == 50
    noisy = Damage(gaussian=10).apply(clean(), rng=np.random.default_rng(0))
    assert gain(noisy, clean()) == fidelity.psnr(noisy, clean())
    assert restoring.gain(noisy, clean()) < 30
