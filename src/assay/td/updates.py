"""The loops of prediction: weights are moved, in place, along episodes.

Written so that they run as they are and compiled (`kernels.compiled`), with the same result to the last bit: a few
hundred updates are over before a compiler has been imported, millions are not. All take

    weights (S,), places int64 (N, k), values (N, k): what is active in each observation and by how much
    rewards (N,), starts (E + 1,), ended (E,): as in `experience.Episodes`
    trail (E, S): filled with the weights after each episode; (0, 0) where nobody asks
"""

import numpy as np

ACCUMULATING, REPLACING, DUTCH = 0, 1, 2


def monte_carlo(
    weights: np.ndarray,
    places: np.ndarray,
    values: np.ndarray,
    rewards: np.ndarray,
    starts: np.ndarray,
    ended: np.ndarray,
    alpha: float,
    gamma: float,
    first: bool,
    online: bool,
    visits: np.ndarray,
    trail: np.ndarray,
) -> None:
    """Move each visited value towards the return that followed, once the episode is over.

    alpha 0 takes the mean of all returns, counted in visits (S,); first counts the first visit of an episode only;
    online makes each update on what the one before left, else all are made from the values at the episode's start.
    """
    active = places.shape[1]
    seen = np.full(len(weights), -1, np.int64)
    returns = np.zeros(len(rewards))
    before = weights.copy() if not online else weights
    for e in range(len(ended)):
        begin, last = starts[e], starts[e + 1] - 1
        total = 0.0
        if not ended[e]:
            for j in range(active):
                total += weights[places[last, j]] * values[last, j]
        for t in range(last - 1, begin - 1, -1):
            total = rewards[t] + gamma * total
            returns[t] = total
        for t in range(begin, last):
            if first:
                if seen[places[t, 0]] == e:
                    continue
                seen[places[t, 0]] = e
            if alpha > 0:
                guess = 0.0
                for j in range(active):
                    guess += before[places[t, j]] * values[t, j]
                for j in range(active):
                    weights[places[t, j]] += alpha * (returns[t] - guess) * values[t, j]
            else:
                at = places[t, 0]
                visits[at] += 1
                weights[at] += (returns[t] - weights[at]) / visits[at]
        if not online:
            for t in range(begin, last):
                for j in range(active):
                    before[places[t, j]] = weights[places[t, j]]
        if len(trail) > 0:
            trail[e] = weights


def n_step(
    weights: np.ndarray,
    places: np.ndarray,
    values: np.ndarray,
    rewards: np.ndarray,
    starts: np.ndarray,
    ended: np.ndarray,
    alpha: float,
    gamma: float,
    steps: int,
    online: bool,
    trail: np.ndarray,
) -> None:
    """Move each visited value towards the next rewards and the value after them; one step is TD(0)."""
    active = places.shape[1]
    errors = np.zeros(1 if online else len(rewards))
    for e in range(len(ended)):
        begin, last = starts[e], starts[e + 1] - 1
        for t in range(begin, last):
            until = min(t + steps, last)
            total = 0.0
            if until < last or not ended[e]:
                for j in range(active):
                    total += weights[places[until, j]] * values[until, j]
            for i in range(until - 1, t - 1, -1):
                total = rewards[i] + gamma * total
            guess = 0.0
            for j in range(active):
                guess += weights[places[t, j]] * values[t, j]
            if online:
                for j in range(active):
                    weights[places[t, j]] += alpha * (total - guess) * values[t, j]
            else:
                errors[t] = total - guess
        if not online:
            for t in range(begin, last):
                for j in range(active):
                    weights[places[t, j]] += alpha * errors[t] * values[t, j]
        if len(trail) > 0:
            trail[e] = weights


def td_lambda(
    weights: np.ndarray,
    places: np.ndarray,
    values: np.ndarray,
    rewards: np.ndarray,
    starts: np.ndarray,
    ended: np.ndarray,
    alpha: float,
    gamma: float,
    decay: float,
    kind: int,
    online: bool,
    trail: np.ndarray,
) -> None:
    """Move all values seen so far by each error, the longer ago the less; DUTCH is true on-line TD(lambda)."""
    active = places.shape[1]
    trace = np.zeros(len(weights))
    marked = np.zeros(len(weights), np.bool_)
    touched = np.zeros(len(weights), np.int64)
    owed = np.zeros(1 if online else len(weights))
    for e in range(len(ended)):
        begin, last = starts[e], starts[e + 1] - 1
        count = 0
        before = 0.0  # the value of this observation, as the last step saw it
        for t in range(begin, last):
            guess, then, overlap = 0.0, 0.0, 0.0
            for j in range(active):
                guess += weights[places[t, j]] * values[t, j]
                overlap += trace[places[t, j]] * values[t, j]
                if t + 1 < last or not ended[e]:
                    then += weights[places[t + 1, j]] * values[t + 1, j]
            error = rewards[t] + gamma * then - guess
            for i in range(count):
                trace[touched[i]] *= gamma * decay
            for j in range(active):
                at = places[t, j]
                if not marked[at]:
                    marked[at] = True
                    touched[count] = at
                    count += 1
                if kind == 0:
                    trace[at] += values[t, j]
                elif kind == 1:
                    trace[at] = values[t, j]
                else:
                    trace[at] += (1 - alpha * gamma * decay * overlap) * values[t, j]
            shift = guess - before if kind == 2 and t > begin else 0.0
            for i in range(count):
                if online:
                    weights[touched[i]] += alpha * (error + shift) * trace[touched[i]]
                else:
                    owed[touched[i]] += alpha * error * trace[touched[i]]
            for j in range(active):
                weights[places[t, j]] -= alpha * shift * values[t, j]
            before = then
        for i in range(count):
            if not online:
                weights[touched[i]] += owed[touched[i]]
                owed[touched[i]] = 0.0
            trace[touched[i]] = 0.0
            marked[touched[i]] = False
        if len(trail) > 0:
            trail[e] = weights
