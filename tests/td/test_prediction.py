"""State values equal the definitions written out, the laws that tie methods together, and published curves."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.td import prediction
from assay.td.codings import Linear, Table, Tiles
from assay.td.experience import Episodes, episodes, record
from assay.td.prediction import Values
from assay.td.worlds import MINUTES, DriveHome, RandomWalk

TRUE = np.arange(1, 6) / 6
TABLE = Table(7)


def walks(count, seed=0, n=5):
    return record(RandomWalk(n=n), count, rng=np.random.default_rng(seed))


def features(trips, seed=0, d=3):
    """The same episodes, seen through random numbers instead of states."""
    seen = np.random.default_rng(seed).normal(size=(7, d))[trips.observations]
    return Episodes(seen, trips.rewards, trips.starts, trips.ended)


def each(trips):
    for begin, end in zip(trips.starts[:-1], trips.starts[1:], strict=True):
        yield trips.observations[begin:end], trips.rewards[begin : end - 1]


def returns(rewards, gamma):
    return [sum(gamma**i * r for i, r in enumerate(rewards[t:])) for t in range(len(rewards))]


def lambda_return(v, states, rewards, t, gamma, decay):
    """The mixture of all n-step returns from t, each on the values v."""
    last = len(rewards)
    total = 0.0
    for n in range(1, last - t + 1):
        g = sum(gamma**i * r for i, r in enumerate(rewards[t : t + n]))
        g += gamma**n * v(states[t + n]) if t + n < last else 0.0
        total += (decay ** (last - t - 1) if t + n == last else (1 - decay) * decay ** (n - 1)) * g
    return total


@pytest.mark.parametrize("first", [True, False])
def test_monte_carlo_without_a_step_is_the_mean_of_returns(first):
    trips, gathered = walks(30), {s: [] for s in range(7)}
    for states, rewards in each(trips):
        for t, g in enumerate(returns(rewards, 0.9)):
            if not first or states[t] not in states[:t]:
                gathered[states[t]].append(g)
    method = "first-visit" if first else "every-visit"
    found = Values(TABLE, method=method, alpha=None, gamma=0.9).update(trips).predict(np.arange(1, 6))
    assert found == pytest.approx([np.mean(gathered[s]) for s in range(1, 6)], abs=1e-12)


@pytest.mark.parametrize("online", [True, False])
def test_monte_carlo_moves_towards_each_return(online):
    v = np.full(7, 0.5)
    for states, rewards in each(walks(20)):
        before = v.copy()
        for s, g in zip(states, returns(rewards, 0.9), strict=False):
            v[s] += 0.2 * (g - (v if online else before)[s])
    learner = Values(TABLE, method="every-visit", alpha=0.2, gamma=0.9, initial=0.5, online=online)
    assert learner.update(walks(20)).weights_ == pytest.approx(v, abs=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 4, 1000])
@pytest.mark.parametrize("online", [True, False])
def test_n_step_moves_towards_n_rewards_and_the_value_after_them(steps, online):
    v = np.full(7, 0.5)
    for states, rewards in each(walks(20)):
        before, last = v.copy(), len(rewards)
        for t in range(last):
            now = v if online else before
            g = sum(0.9**i * r for i, r in enumerate(rewards[t : t + steps]))
            g += 0.9**steps * now[states[t + steps]] if t + steps < last else 0.0
            v[states[t]] += 0.2 * (g - now[states[t]])
    learner = Values(TABLE, method="n-step", steps=steps, alpha=0.2, gamma=0.9, initial=0.5, online=online)
    assert learner.update(walks(20)).weights_ == pytest.approx(v, abs=1e-12)


@pytest.mark.parametrize("decay", [0.0, 0.4, 1.0])
def test_off_line_td_lambda_moves_towards_the_lambda_return(decay):
    # Sutton 1988: forward and backward view are one, for updates made at the end.
    v = np.full(7, 0.5)
    for states, rewards in each(walks(15)):
        before = v.copy()
        for t in range(len(rewards)):
            g = lambda_return(lambda s, b=before: b[s], states, rewards, t, 0.9, decay)
            v[states[t]] += 0.1 * (g - before[states[t]])
    learner = Values(TABLE, method="td-lambda", decay=decay, alpha=0.1, gamma=0.9, initial=0.5, online=False)
    assert learner.update(walks(15)).weights_ == pytest.approx(v, abs=1e-10)


@pytest.mark.parametrize("decay", [0.3, 0.9, 1.0])
def test_dutch_traces_are_the_on_line_lambda_return(decay):
    # van Seijen & Sutton 2014: at every horizon all is gone through again; true on-line TD equals the last.
    trips = features(walks(6))
    w = np.zeros(3)
    for seen, rewards in each(trips):
        start = w.copy()
        for horizon in range(1, len(rewards) + 1):
            w = start.copy()
            for t in range(horizon):
                g = interim(start, seen, rewards, t, horizon, len(rewards), 0.9, decay)
                w += 0.05 * (g - w @ seen[t]) * seen[t]
            if horizon < len(rewards):
                history.append(w.copy())
        history.clear()
    learner = Values(Linear(3), method="td-lambda", traces="dutch", decay=decay, alpha=0.05, gamma=0.9)
    assert learner.update(trips).weights_ == pytest.approx(w, abs=1e-10)


history = []  # weights at the end of each horizon, with which the next one looks ahead


def interim(start, seen, rewards, t, horizon, last, gamma, decay):
    """The lambda return cut short at a horizon; the value of a state is by the weights when it was reached."""
    total = 0.0
    for n in range(1, horizon - t + 1):
        at = t + n
        weights = start if at == 1 else history[at - 2]
        g = sum(gamma**i * r for i, r in enumerate(rewards[t:at]))
        g += gamma**n * (weights @ seen[at]) if at < last else 0.0
        total += (decay ** (n - 1) if at == horizon else (1 - decay) * decay ** (n - 1)) * g
    return total


@pytest.mark.parametrize("kind", ["accumulating", "replacing"])
def test_traces_written_out(kind):
    v, decay = np.full(7, 0.5), 0.8
    for states, rewards in each(walks(10)):
        e = np.zeros(7)
        for t, r in enumerate(rewards):
            ahead = v[states[t + 1]] if t + 1 < len(rewards) else 0.0
            error = r + 0.9 * ahead - v[states[t]]
            e *= 0.9 * decay
            e[states[t]] = e[states[t]] + 1 if kind == "accumulating" else 1
            v += 0.1 * error * e
    learner = Values(TABLE, method="td-lambda", decay=decay, traces=kind, alpha=0.1, gamma=0.9, initial=0.5)
    assert learner.update(walks(10)).weights_ == pytest.approx(v, abs=1e-12)


@pytest.mark.parametrize("traces", ["accumulating", "replacing", "dutch"])
def test_lambda_zero_is_td_and_so_is_one_step(traces):
    made = [
        Values(TABLE, method="td", alpha=0.1),
        Values(TABLE, method="n-step", steps=1, alpha=0.1),
        Values(TABLE, method="td-lambda", decay=0.0, traces=traces, alpha=0.1),
    ]
    one, *others = (m.update(walks(30)).weights_ for m in made)
    for other in others:
        assert other == pytest.approx(one, abs=1e-14)


def test_lambda_one_off_line_is_every_visit_monte_carlo():
    a = Values(TABLE, method="td-lambda", decay=1.0, online=False, gamma=0.95).update(walks(30))
    b = Values(TABLE, method="every-visit", online=False, gamma=0.95).update(walks(30))
    assert a.weights_ == pytest.approx(b.weights_, abs=1e-12)


@pytest.mark.parametrize("method", ["every-visit", "td", "n-step", "td-lambda", "batch-td", "batch-mc"])
def test_a_table_is_linear_features_that_are_zero_but_for_one(method):
    trips = walks(12)
    options = {"method": method, "steps": 3, "decay": 0.7}
    seen = Episodes(np.eye(7)[trips.observations], trips.rewards, trips.starts, trips.ended)
    table, linear = Values(TABLE, **options).update(trips), Values(Linear(7), **options).update(seen)
    assert linear.weights_ == pytest.approx(table.weights_, abs=1e-12)


@pytest.mark.parametrize("method", ["every-visit", "first-visit", "td", "td-lambda"])
def test_compiled_loops_give_the_same_bits(method, monkeypatch):
    plain = Values(TABLE, method=method, decay=0.6, traces="dutch").update(walks(40)).weights_
    monkeypatch.setattr(prediction, "_COMPILE", 0)
    np.testing.assert_array_equal(
        Values(TABLE, method=method, decay=0.6, traces="dutch").update(walks(40)).weights_, plain
    )


@pytest.mark.parametrize(("method", "batch"), [("td", "batch-td"), ("every-visit", "batch-mc")])
@pytest.mark.parametrize("seen", [lambda t: t, features])
def test_a_batch_is_where_repeating_all_episodes_ends(method, batch, seen):
    trips = seen(walks(12))
    coding = TABLE if trips.observations.ndim == 1 else Linear(3)
    repeated = Values(coding, method=method, alpha=0.01, gamma=0.9, online=False)
    for _ in range(1500):
        before = repeated.weights_.copy()
        repeated.update(trips)
        if np.abs(repeated.weights_ - before).max() < 1e-6:
            break
    solved = Values(coding, method=batch, gamma=0.9).update(trips)
    assert repeated.predict(trips.observations) == pytest.approx(solved.predict(trips.observations), abs=0.03)


def test_the_eight_episodes_of_example_6_4():
    # Sutton & Barto 2018, example 6.4: A, 0, B, 0 once; B, 1 six times; B, 0 once.
    trips = episodes([([0, 1, 2], [0, 0]), *[([1, 2], [1])] * 6, ([1, 2], [0])])
    assert Values(Table(3), method="batch-td").update(trips).predict([0, 1]) == pytest.approx([0.75, 0.75])
    assert Values(Table(3), method="batch-mc").update(trips).predict([0, 1]) == pytest.approx([0, 0.75])


def test_the_first_walk_to_the_left_moves_its_last_state_alone():
    # Sutton & Barto 2018, below example 6.2: V(A) falls by alpha 0.5 = 0.05.
    trip = episodes([([3, 2, 3, 2, 1, 0], [0, 0, 0, 0, 0])])
    v = Values(TABLE, alpha=0.1, initial=0.5).update(trip)
    assert v.predict(np.arange(1, 6)).tolist() == [0.45, 0.5, 0.5, 0.5, 0.5]


def test_the_drive_home_of_the_tutorial():
    guessed = np.array([30.0, 35, 15, 10, 3, 0])
    trip = record(DriveHome(), 1, rng=np.random.default_rng(0))
    assert trip.rewards[:-1].tolist() == list(MINUTES)
    found = {}
    for method in ("every-visit", "td"):
        v = Values(Table(6), method=method, alpha=1.0, online=False)
        v.weights_[:] = guessed
        found[method] = v.update(trip).weights_ + np.cumsum([0, *MINUTES])  # predicted total
    assert found["every-visit"].tolist() == [43] * 6
    assert found["td"].tolist() == [40, 35, 40, 43, 43, 43]


def test_an_episode_that_was_cut_short_keeps_the_value_of_its_end():
    cut = Episodes(np.array([0, 1]), np.array([2.0, 0]), np.array([0, 2]), np.array([False]))
    for method in ("every-visit", "td", "td-lambda", "batch-td", "batch-mc"):
        v = Values(Table(2), method=method, alpha=1.0, gamma=0.5, initial=8.0).update(cut)
        assert v.weights_ == pytest.approx([6, 8] if not method.startswith("batch") else v.weights_), method
        assert v.weights_[0] - 0.5 * v.weights_[1] == pytest.approx(2), method


def test_tiles_learn_what_lies_between():
    rng = np.random.default_rng(0)
    x = rng.random((3000, 1))
    trips = episodes([([a, a], [np.sin(6 * a[0])]) for a in x])
    v = Values(Tiles((0.0,), (1.0,), (8,), 8), method="every-visit", alpha=0.1).update(trips)
    at = np.linspace(0.05, 0.95, 19)[:, None]
    assert v.predict(at) == pytest.approx(np.sin(6 * at[:, 0]), abs=0.12)


def test_a_second_call_goes_on():
    whole = Values(TABLE).update(walks(20))
    trips = walks(20)
    rest = Episodes(
        trips.observations[trips.starts[8] :],
        trips.rewards[trips.starts[8] :],
        trips.starts[8:] - trips.starts[8],
        trips.ended[8:],
    )
    parts = Values(TABLE).update(trips.first(8)).update(rest)
    np.testing.assert_array_equal(parts.weights_, whole.weights_)
    assert parts.episodes_ == 20


def test_a_trail_ends_where_the_update_does():
    v = Values(TABLE, method="td-lambda", decay=0.5)
    trail = v.trail(walks(9))
    np.testing.assert_array_equal(trail[-1], v.weights_)
    np.testing.assert_array_equal(
        trail[4], Values(TABLE, method="td-lambda", decay=0.5).update(walks(9).first(5)).weights_
    )


@pytest.mark.parametrize("coding", [TABLE, Linear(3), Tiles((0.0, -1.0), (1.0, 1.0), (4, 3), 2)])
def test_what_was_saved_is_loaded(coding, tmp_path):
    v = Values(coding, method="td-lambda", decay=0.25, traces="dutch", alpha=0.5, gamma=0.75, initial=0.125)
    v.weights_[:] = np.random.default_rng(0).normal(size=coding.size)
    v.save(tmp_path / "v.safetensors")
    new = Values.load(tmp_path / "v.safetensors")
    assert new.get_params() == v.get_params()
    np.testing.assert_array_equal(new.weights_, v.weights_)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0.0}, r"alpha must be in \(0, 1\], got 0.0"),
        ({"alpha": 1.5}, r"alpha must be in \(0, 1\], got 1.5"),
        ({"alpha": float("nan")}, r"alpha must be in \(0, 1\], got nan"),
        ({"alpha": None}, "for Monte Carlo and tables only"),
        ({"gamma": -0.1}, r"gamma must be in \[0, 1\]"),
        ({"decay": 1.1}, r"decay must be in \[0, 1\]"),
        ({"steps": 0}, "steps must be >= 1, got 0"),
        ({"method": "sarsa"}, "method must be one of every-visit"),
        ({"traces": "french"}, "traces must be one of accumulating"),
        ({"method": "td-lambda", "traces": "dutch", "online": False}, "got online=False"),
        ({"initial": float("inf")}, "initial must be finite"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Values(TABLE, **options)


def test_a_first_visit_needs_states():
    with pytest.raises(InputError, match="states that are told apart, got Linear"):
        Values(Linear(3), method="first-visit")


@pytest.mark.parametrize("seen", [[0, 9], [0.5, 0.7], [-1, 0]])
def test_observations_must_fit_the_table(seen):
    with pytest.raises(InputError, match=r"states must be whole numbers in 0\.\.6"):
        Values(TABLE).update(episodes([(seen, [1.0])]))


def test_a_batch_has_no_trail():
    with pytest.raises(InputError, match="goes episode by episode, got 'batch-td'"):
        Values(TABLE, method="batch-td").trail(walks(2))


@pytest.mark.parametrize("trips", [[], [([0], [])], [([0, 1], [1.0, 2.0])]])
def test_episodes_must_be_whole(trips):
    with pytest.raises(InputError, match="one observation more than it has rewards"):
        episodes(trips)


def test_rewards_must_be_numbers():
    with pytest.raises(InputError, match="rewards must be finite, got nan"):
        episodes([([0, 1], [float("nan")])])


# RMS error over the five states after 1, 10, 25, 50, 75 and 100 walks, mean over 20,000 runs (their figure 6.2 left and
# example 6.2), computed by an independent program.
CURVES = {
    ("td", 0.05): [0.2288, 0.1746, 0.1098, 0.0534, 0.0362, 0.0351],
    ("td", 0.10): [0.2222, 0.1284, 0.0566, 0.0507, 0.0544, 0.0552],
    ("every-visit", 0.01): [0.2333, 0.2124, 0.1827, 0.1444, 0.1167, 0.0968],
    ("every-visit", 0.02): [0.2314, 0.1970, 0.1537, 0.1114, 0.0911, 0.0817],
    ("every-visit", 0.04): [0.2294, 0.1803, 0.1338, 0.1113, 0.1073, 0.1069],
}


def rms(method, alpha, runs):
    """Return the RMS error after each of 100 walks, (runs, 100)."""
    trips = walks(100 * runs, seed=runs)
    errors = []
    for r in range(runs):
        begin = trips.starts[100 * r]
        part = slice(begin, trips.starts[100 * (r + 1)])
        starts = trips.starts[100 * r : 100 * (r + 1) + 1] - begin
        own = Episodes(trips.observations[part], trips.rewards[part], starts, trips.ended[:100])
        trail = Values(TABLE, method=method, alpha=alpha, initial=0.5).trail(own)
        errors.append(np.sqrt(((trail[:, 1:6] - TRUE) ** 2).mean(axis=1)))
    return np.array(errors)


@pytest.mark.parametrize(("method", "alpha"), CURVES)
@pytest.mark.parametrize("runs", [150, pytest.param(2000, marks=pytest.mark.slow)])
def test_curves_of_the_random_walk(method, alpha, runs, monkeypatch):
    monkeypatch.setattr(prediction, "_COMPILE", 0)
    found = rms(method, alpha, runs)
    # 0.003 for the 2,000 runs of the gate; of fewer runs the mean wanders more: 4 standard errors.
    room = 0.003 if runs == 2000 else 1e-4 + 4 * found[:, [0, 9, 24, 49, 74, 99]].std(axis=0) / np.sqrt(runs)
    assert (np.abs(found.mean(axis=0)[[0, 9, 24, 49, 74, 99]] - CURVES[method, alpha]) <= room).all()


@pytest.mark.parametrize("runs", [40, pytest.param(400, marks=pytest.mark.slow)])
def test_batch_td_lies_below_batch_monte_carlo(runs):
    # Sutton & Barto 2018, figure 6.2.
    counts = [5, 10, 25, 50, 100]
    errors = np.zeros((2, runs, len(counts)))
    for r in range(runs):
        trips = walks(100, seed=r)
        for i, method in enumerate(("batch-td", "batch-mc")):
            for j, n in enumerate(counts):
                v = Values(TABLE, method=method, initial=0.5).update(trips.first(n))
                errors[i, r, j] = np.sqrt(((v.weights_[1:6] - TRUE) ** 2).mean())
    td, mc = errors.mean(axis=1)
    assert (td < mc).all()


def test_scikit_learn_clones_it():
    from sklearn.base import clone

    learner = Values(Tiles((0.0,), (1.0,), (4,), 2), method="n-step", steps=3, initial=0.5)
    new = clone(learner)
    assert new.get_params() == learner.get_params()
    np.testing.assert_array_equal(new.weights_, learner.weights_)
