"""Action values equal the updates written out; SARSA and Q-learning do at the cliff what they are known to do."""

import gymnasium
import numpy as np
import pytest

from assay.errors import InputError
from assay.td import worlds
from assay.td.codings import Linear, Table, Tiles
from assay.td.control import METHODS, Control, Moves, Trials, greedy_path
from assay.td.policies import GREEDY, EpsilonGreedy, Schedule, Softmax
from assay.td.worlds import CliffWalking, RandomWalk


class Scripted(gymnasium.Env):
    """A world that plays back states and rewards, whatever is done, and remembers what was done."""

    def __init__(self, states, rewards, *, actions=3, cut=False):
        self.states, self.rewards, self.cut = states, rewards, cut
        self.observation_space = gymnasium.spaces.Discrete(6)
        self.action_space = gymnasium.spaces.Discrete(actions)
        self.done = []

    def reset(self, *, seed=None, options=None):  # noqa: ARG002 - Gymnasium's signature
        super().reset(seed=seed)
        self.at = 0
        return self.states[0], {}

    def step(self, action):
        self.done.append(action)
        self.at += 1
        over = self.at == len(self.rewards)
        return self.states[self.at], self.rewards[self.at - 1], over and not self.cut, over and self.cut, {}


STATES, REWARDS = [0, 1, 0, 2, 1, 3, 4, 5], [1.0, -2.0, 0.5, 3.0, -1.0, 2.0, 4.0]


def oracle(method, acts, *, policy, decay=0.0, traces="replacing", cut=False):
    """The textbook's update for a script and what was done in it; ways of acting that need no dice."""
    q, e = np.zeros((6, 3)), np.zeros((6, 3))
    for t, r in enumerate(REWARDS):
        s, a, after = STATES[t], acts[t], STATES[t + 1]
        over = t + 1 == len(REWARDS)
        ahead = 0.0
        if not over or cut:
            if method == "sarsa":
                ahead = q[after, acts[t + 1]] if t + 1 < len(acts) else q[after].max()
            elif method == "expected-sarsa":
                ahead = policy.probabilities(q[after][None])[0] @ q[after]
            else:
                ahead = q[after].max()
        error = r + 0.9 * ahead - q[s, a]
        e *= 0.9 * decay
        e[s, a] = e[s, a] + 1 if traces == "accumulating" else 1
        q += 0.5 * error * (e if decay else (np.arange(18).reshape(6, 3) == 3 * s + a))
    return q


@pytest.mark.parametrize("method", ["sarsa", "expected-sarsa", "q-learning"])
@pytest.mark.parametrize("policy", [EpsilonGreedy(0.3), Softmax(0.7)])
def test_updates_written_out(method, policy):
    world = Scripted(STATES, REWARDS)
    learner = Control(Table(6), 3, method=method, alpha=0.5, gamma=0.9, policy=policy)
    learner.learn(world, 1, rng=np.random.default_rng(4))
    expected = oracle(method, world.done, policy=policy)
    assert learner.values(np.arange(6)) == pytest.approx(expected, abs=1e-12)
    assert learner.returns_.tolist() == [sum(REWARDS)]
    assert learner.lengths_.tolist() == [7]


@pytest.mark.parametrize("traces", ["accumulating", "replacing"])
@pytest.mark.parametrize("decay", [0.5, 1.0])
def test_sarsa_lambda_written_out(traces, decay):
    world = Scripted(STATES, REWARDS)
    policy = EpsilonGreedy(0.3)
    learner = Control(Table(6), 3, alpha=0.5, gamma=0.9, policy=policy, decay=decay, traces=traces)
    learner.learn(world, 1, rng=np.random.default_rng(4))
    expected = oracle("sarsa", world.done, policy=policy, decay=decay, traces=traces)
    assert learner.values(np.arange(6)) == pytest.approx(expected, abs=1e-10)


def test_true_on_line_sarsa_written_out():
    # Sutton & Barto 2018, the box of 12.7, on linear features.
    seen = np.random.default_rng(1).normal(size=(8, 4))
    world = Scripted(list(seen), REWARDS)
    learner = Control(Linear(4), 3, alpha=0.05, gamma=0.9, decay=0.8, traces="dutch", policy=EpsilonGreedy(0.5))
    learner.learn(world, 2, rng=np.random.default_rng(2))
    w = np.zeros(12)

    def x(t, a):
        out = np.zeros((3, 4))
        out[a] = seen[t]
        return out.ravel()

    acts = np.array(world.done).reshape(2, 7)
    for done in acts:
        z, old = np.zeros(12), 0.0
        for t, r in enumerate(REWARDS):
            here = x(t, done[t])
            there = x(t + 1, done[t + 1]) if t + 1 < 7 else np.zeros(12)
            now, then = w @ here, w @ there
            error = r + 0.9 * then - now
            z = 0.9 * 0.8 * z + (1 - 0.05 * 0.9 * 0.8 * (z @ here)) * here
            w = w + 0.05 * (error + now - old) * z - 0.05 * (now - old) * here
            old = then
    assert learner.weights_.ravel() == pytest.approx(w, abs=1e-10)


def test_an_episode_that_was_cut_short_still_has_a_value_at_its_end():
    world = Scripted(STATES, REWARDS, cut=True)
    learner = Control(Table(6), 3, method="q-learning", alpha=0.5, gamma=0.9, initial=5.0)
    learner.learn(world, 1, rng=np.random.default_rng(0))
    last = learner.values([4])[0, world.done[-1]]
    assert last == pytest.approx(5 + 0.5 * (4 + 0.9 * 5 - 5))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("decay", [0.0, 0.6])
def test_the_compiled_walk_learns_the_same_as_stepping(method, decay):
    # A wrapper hides the model, so that the same world is stepped through.
    decay = decay if method == "sarsa" else 0.0
    made = []
    for env in (CliffWalking(), gymnasium.Wrapper(CliffWalking())):
        learner = Control(Table(48), 4, method=method, alpha=0.5, policy=EpsilonGreedy(0.2), decay=decay)
        made.append(learner.learn(env, 12, rng=np.random.default_rng(3)))
    np.testing.assert_array_equal(made[0].weights_, made[1].weights_)
    np.testing.assert_array_equal(made[0].returns_, made[1].returns_)
    np.testing.assert_array_equal(made[0].lengths_, made[1].lengths_)


def test_double_learning_overrates_less():
    # Every action at 0 pays noise of mean -0.1; Q-learning takes the largest of ten noisy means for the truth.
    table = {
        0: {a: [(0.5, 1, -1.1, True), (0.5, 1, 0.9, True)] for a in range(10)},
        1: {a: [(1.0, 1, 0.0, True)] for a in range(10)},
    }
    found = {}
    for method in ("q-learning", "double-q"):
        total = 0.0
        for seed in range(20):
            world = worlds._World(table, 0)
            learner = Control(Table(2), 10, method=method, alpha=0.1, policy=EpsilonGreedy(0.5))
            learner.learn(world, 300, rng=np.random.default_rng(seed))
            first, last = learner.weights_[0], learner.weights_[-1]
            total += float(last[first[:, 0].argmax(), 0])
        found[method] = total / 20
    assert found["double-q"] < 0.05 < found["q-learning"]


def test_replay_finds_the_best_way_from_aimless_moves():
    rng, world = np.random.default_rng(0), CliffWalking()
    moves = [(s, a, *world.P[s][a][0][1:]) for s in range(48) for a in range(4)]
    s, a, after, r, end = (np.array(column) for column in zip(*moves, strict=True))
    for method in ("q-learning", "double-q"):
        learner = Control(Table(48), 4, method=method, alpha=1.0)
        learner.replay(Moves(s, a, r, after, end), sweeps=120, rng=rng)
        assert len(greedy_path(learner, world)) == 14
    assert learner.values([36])[0].max() == pytest.approx(-13)


def test_solving_ends_where_replaying_for_ever_does():
    world = CliffWalking()
    rewards, following, origins = np.zeros((48, 4)), [], []
    for s in range(48):
        for a in range(4):
            _, after, rewards[s, a], end = world.P[s][a][0]
            if not end:
                following.append(after)
                origins.append((s, a))
    learner = Control(Table(48), 4, method="q-learning")
    learner.solve(Trials(np.arange(48), rewards, np.array(following), np.array(origins)), sweeps=60)
    assert len(greedy_path(learner, world)) == 14
    assert learner.values([36])[0] == pytest.approx([-13, -113, -14, -14])


def test_solving_is_least_squares_held_by_a_ridge():
    rng = np.random.default_rng(0)
    seen, rewards, following = rng.normal(size=(30, 4)), rng.normal(size=(30, 2)), rng.normal(size=(5, 4))
    origins = np.stack([np.arange(5) * 3, np.arange(5) % 2], axis=1)
    learner = Control(Linear(4), 2, method="q-learning", gamma=0.6)
    learner.solve(Trials(seen, rewards, following, origins), sweeps=2, ridge=0.7)
    weights = np.zeros((2, 4))
    for _ in range(2):
        targets = rewards.copy()
        for (state, action), after in zip(origins, following, strict=True):
            targets[state, action] += 0.6 * max(float(w @ after) for w in weights)
        # A ridge is as good as four more observations, each of one feature alone, whose value is 0.
        rows, zeros = np.vstack([seen, np.sqrt(0.7) * np.eye(4)]), np.vstack([targets, np.zeros((4, 2))])
        weights = np.linalg.lstsq(rows, zeros, rcond=None)[0].T
    np.testing.assert_allclose(learner.weights_[0], weights, atol=1e-10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rewards": np.zeros((3, 3))}, r"rewards \(3, 4\) and origins"),
        ({"origins": np.array([[0, 4]])}, "among them"),
        ({"origins": np.array([[3, 0]])}, "among them"),
        ({"rewards": np.full((3, 4), np.nan)}, "rewards must be finite, got nan"),
        ({"observations": np.array([0, 1, 48])}, r"states must be whole numbers in 0\.\.47"),
    ],
)
def test_trials_must_fit(change, message):
    fields = {"observations": np.arange(3), "rewards": np.zeros((3, 4)), "following": np.array([1])}
    trials = Trials(**{**fields, "origins": np.array([[0, 1]]), **change})
    with pytest.raises(InputError, match=message):
        Control(Table(48), 4, method="q-learning").solve(trials)
    for options in ({"ridge": -1.0}, {"sweeps": 0}):
        with pytest.raises(InputError, match=r"solving needs q-learning, ridge >= 0 and sweeps >= 1"):
            Control(Table(48), 4, method="q-learning").solve(trials, **options)
    with pytest.raises(InputError, match="solving needs q-learning, ridge >= 0 and sweeps >= 1, got 'double-q'"):
        Control(Table(48), 4, method="double-q").solve(trials)


def test_every_learner_runs_on_gymnasiums_own_worlds():
    env = gymnasium.make("CliffWalking-v1")
    for method in METHODS:
        learner = Control(Table(48), 4, method=method, alpha=0.5).learn(env, 60, rng=np.random.default_rng(0))
        assert learner.returns_[-20:].mean() > learner.returns_[:20].mean()


def test_tiles_learn_to_drive_a_car_up_a_mountain():
    env = gymnasium.make("MountainCar-v0", max_episode_steps=1000)
    coding = Tiles((-1.2, -0.07), (0.6, 0.07), (8, 8), 8)
    learner = Control(coding, 3, alpha=0.3, decay=0.9, policy=EpsilonGreedy(0.0))
    learner.learn(env, 60, rng=np.random.default_rng(0))
    assert learner.returns_[-10:].mean() > -250  # about -120 to -160 is as good as it gets


def cliff(method, seeds, episodes=500):
    learners = []
    for seed in range(seeds):
        learner = Control(Table(48), 4, method=method, alpha=0.5, policy=EpsilonGreedy(0.1))
        learners.append(learner.learn(CliffWalking(), episodes, rng=np.random.default_rng(seed)))
    return learners


@pytest.mark.parametrize("seeds", [20, pytest.param(100, marks=pytest.mark.slow)])
def test_the_cliff(seeds):
    # Sutton & Barto 2018, figure 6.4. The epsilon-greedy policy around the best values returns -50.8 (exact solve).
    q, sarsa = cliff("q-learning", seeds), cliff("sarsa", seeds)
    shortest = [len(greedy_path(learner, CliffWalking())) - 1 == 13 for learner in q]
    assert np.mean(shortest) >= 0.95
    returns = {name: np.array([x.returns_ for x in found]) for name, found in (("q", q), ("sarsa", sarsa))}
    assert -55 <= returns["q"][:, -100:].mean() <= -40
    assert -35 <= returns["sarsa"][:, -100:].mean() <= -20
    blocks = {name: r[:, 100:].reshape(seeds, 8, 50).mean(axis=(0, 2)) for name, r in returns.items()}
    assert (blocks["sarsa"] > blocks["q"]).all()


def test_a_second_call_goes_on_with_the_schedule():
    policy = EpsilonGreedy(Schedule(1.0, 0.0, 10))
    learner = Control(Table(48), 4, method="q-learning", alpha=0.5, policy=policy)
    learner.learn(CliffWalking(), 30, rng=np.random.default_rng(0)).learn(
        CliffWalking(), 5, rng=np.random.default_rng(1)
    )
    assert len(learner.returns_) == 35


def test_it_stops_when_asked_and_tells_how_far_it_is():
    told = []
    learner = Control(Table(48), 4, alpha=0.5)
    learner.learn(
        gymnasium.Wrapper(CliffWalking()),
        50,
        rng=np.random.default_rng(0),
        tell=told.append,
        stop=lambda: len(told) == 3,
    )
    assert told == [1, 2, 3]
    assert len(learner.returns_) == len(learner.lengths_) == 3


@pytest.mark.parametrize("policy", [EpsilonGreedy(Schedule(0.5, 0.1, 20, "exponential")), Softmax(0.5)])
@pytest.mark.parametrize("method", ["sarsa", "double-q"])
def test_what_was_saved_is_loaded(policy, method, tmp_path):
    learner = Control(Table(48), 4, method=method, alpha=0.5, policy=policy)
    learner.learn(CliffWalking(), 5, rng=np.random.default_rng(0)).save(tmp_path / "q.safetensors")
    new = Control.load(tmp_path / "q.safetensors")
    assert new.get_params() == learner.get_params()
    np.testing.assert_array_equal(new.weights_, learner.weights_)
    np.testing.assert_array_equal(new.lengths_, learner.lengths_)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0}, r"alpha must be in \(0, 1\], got 0"),
        ({"alpha": 1.01}, r"alpha must be in \(0, 1\], got 1.01"),
        ({"gamma": 2.0}, r"gamma must be in \[0, 1\]"),
        ({"method": "td"}, "method must be one of sarsa"),
        ({"method": "q-learning", "decay": 0.5}, "decay belongs to sarsa, got 0.5 for 'q-learning'"),
        ({"traces": "x"}, "traces must be one of"),
        ({"initial": float("nan")}, "initial must be finite"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Control(Table(48), 4, **options)


@pytest.mark.parametrize("env", [RandomWalk(), gymnasium.Wrapper(RandomWalk())])
def test_a_learner_for_other_actions_is_refused(env):
    with pytest.raises(InputError, match="must have 4 actions, as the learner has, got 2"):
        Control(Table(48), 4).learn(env, 5, rng=np.random.default_rng(0))


def test_actions_must_be_discrete():
    env = Scripted(STATES, REWARDS)
    env.action_space = gymnasium.spaces.Box(0, 1)
    with pytest.raises(InputError, match=r"discrete actions 0\.\.n-1, got Box"):
        Control(Table(6), 3).learn(env, 1, rng=np.random.default_rng(0))


def test_a_reward_that_is_no_number_is_refused():
    with pytest.raises(InputError, match="rewards must be finite, got nan"):
        Control(Table(6), 3).learn(Scripted(STATES, [1.0, float("nan")]), 1, rng=np.random.default_rng(0))
    world = CliffWalking()
    world.P[3][0] = [(1.0, 3, float("nan"), False)]
    del world.outcomes
    with pytest.raises(InputError, match="rewards must be finite, got nan"):
        Control(Table(48), 4).learn(world, 1, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("moves", "message"),
    [
        (([0, 1], [0], [1.0], [1], [False]), "as many of each field"),
        (([0], [4], [1.0], [1], [False]), r"actions must be whole numbers in 0\.\.3"),
        (([0], [1], [np.inf], [1], [False]), "rewards must be finite, got inf"),
        (([0], [1], [1.0], [48], [False]), r"states must be whole numbers in 0\.\.47"),
    ],
)
def test_moves_must_fit(moves, message):
    with pytest.raises(InputError, match=message):
        Control(Table(48), 4, method="q-learning").replay(Moves(*map(np.array, moves)), rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="another policy than their own, got 'sarsa'"):
        Control(Table(48), 4).replay(Moves(*map(np.array, moves)), rng=np.random.default_rng(0))


def test_greedy_means_no_dice():
    a, b = (
        Control(Table(48), 4, policy=GREEDY, alpha=0.5).learn(CliffWalking(), 50, rng=np.random.default_rng(0))
        for _ in range(2)
    )
    np.testing.assert_array_equal(a.weights_, b.weights_)


def test_scikit_learn_clones_it():
    from sklearn.base import clone

    learner = Control(Table(48), 4, method="double-q", alpha=0.5, policy=Softmax(0.5))
    learner.learn(CliffWalking(), 3, rng=np.random.default_rng(0))
    new = clone(learner)
    assert new.get_params() == learner.get_params()
    assert not new.weights_.any()
