"""The worlds pass Gymnasium's checker and are the textbook's; experience is what happened in them."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from assay.errors import InputError
from assay.td.experience import from_table, record
from assay.td.worlds import CliffWalking, DriveHome, RandomWalk

WORLDS = {"drive": DriveHome, "slow drive": lambda: DriveHome(spread=0.4), "walk": RandomWalk, "cliff": CliffWalking}


@pytest.mark.parametrize("make", WORLDS.values(), ids=WORLDS)
def test_gymnasiums_checker_passes(make):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*(spec|render).*")  # it is registered nowhere, and draws nothing
        check_env(make(), skip_render_check=True)


def test_the_cliff_is_gymnasiums_own():
    ours, theirs = CliffWalking(), gymnasium.make("CliffWalking-v1").unwrapped
    for s in set(range(48)) - set(range(37, 48)):  # they tell of moves from places that nobody reaches
        for a in range(4):
            (_, after, reward, end), (_, after2, reward2, end2) = ours.P[s][a][0], theirs.P[s][a][0]
            assert (after, reward, end) == (after2, reward2, end2)


def test_values_of_the_walk_are_what_its_equations_say():
    world = RandomWalk(n=7)
    moves, gains = np.zeros((9, 9)), np.zeros(9)
    for s in range(1, 8):
        for a in range(2):
            _, after, reward, end = world.P[s][a][0]
            gains[s] += reward / 2
            moves[s, after] += 0 if end else 0.5
    assert np.linalg.solve(np.eye(9) - moves, gains)[1:8] == pytest.approx(np.arange(1, 8) / 8)


def test_a_drive_takes_43_minutes_give_or_take():
    trips = record(DriveHome(spread=0.5), 400, rng=np.random.default_rng(0))
    totals = np.add.reduceat(trips.rewards, trips.starts[:-1])
    assert totals.mean() == pytest.approx(43, abs=4 * totals.std() / 20)
    assert totals.std() == pytest.approx(np.sqrt(sum(m * m for m in (5, 15, 10, 10, 3)) * 0.25 / 2), rel=0.15)


@pytest.mark.parametrize("make", [RandomWalk, lambda: DriveHome(spread=0.3), CliffWalking])
def test_a_compiled_walk_is_the_walk_step_by_step(make):
    # A wrapper hides the model.
    a = record(make(), 6, steps=50, rng=np.random.default_rng(5))
    b = record(gymnasium.Wrapper(make()), 6, steps=50, rng=np.random.default_rng(5))
    for field in ("observations", "rewards", "starts", "ended"):
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field))


def test_an_episode_that_takes_too_long_is_cut_short():
    trips = record(CliffWalking(), 3, steps=4, rng=np.random.default_rng(0))
    assert trips.starts.tolist() == [0, 5, 10, 15]
    assert not trips.ended.any()


def test_one_may_say_how_to_act():
    trips = record(RandomWalk(), 2, act=lambda _: 1, rng=np.random.default_rng(0))
    assert trips.observations.tolist() == [3, 4, 5, 6] * 2
    assert trips.rewards.tolist() == [0, 0, 1, 0] * 2
    assert trips.ended.all()


@pytest.mark.parametrize("n", [0, 4, -1])
def test_a_walk_has_a_middle(n):
    with pytest.raises(InputError, match="n must be odd and >= 1"):
        RandomWalk(n=n)


def test_a_drive_has_no_negative_minutes():
    with pytest.raises(InputError, match=r"spread must be in \[0, 1\]"):
        DriveHome(spread=1.5)


def test_an_unknown_action_is_refused():
    world = RandomWalk()
    world.reset(seed=0)
    with pytest.raises(InputError, match=r"action must be in 0\.\.1, got 2"):
        world.step(2)


@pytest.mark.parametrize(
    ("chance", "reward", "message"), [(0.5, 1.0, "add up to 1, got 0.5"), (1.0, np.inf, "finite, got inf")]
)
def test_a_model_must_be_whole(chance, reward, message):
    with pytest.raises(InputError, match=message):
        from_table({0: {0: [(chance, 0, reward, True)]}}, np.ones(1))


@pytest.mark.parametrize(("count", "steps"), [(0, 5), (5, 0)])
def test_there_is_something_to_record(count, steps):
    with pytest.raises(InputError, match="count and steps must be >= 1"):
        record(RandomWalk(), count, steps=steps, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    "table",
    [
        {0: {0: [(1.0, 7, 0.0, False)]}},
        {0: {0: [(1.0, -1, 0.0, False)]}},
        {0: {0: [(1.0, 0, 0.0, True)]}, 2: {0: [(1.0, 0, 0.0, True)]}},
        {0: {0: [(1.0, 0, 0.0, True)]}, 1: {}},
    ],
)
def test_a_model_leads_nowhere_else(table):
    # A compiled loop would read and write beyond its arrays.
    with pytest.raises(InputError, match="a model must"):
        from_table(table, np.eye(len(table))[0])
