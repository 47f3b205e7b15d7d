"""Compiled loops: the walk through a world that tells its model, and the steps of control. Imported where needed only.

Action values are weights (heads, A, S) seen through places (n, k) and values (n, k), a row for each observation; one
head, or two for double learning. Rows are named by number: a slice would cost more than the arithmetic on it.
A policy is a kind, 0 epsilon-greedy or 1 softmax, and its level, epsilon or temperature.
"""

import functools
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from .updates import DUTCH, REPLACING

SARSA, EXPECTED, Q_LEARNING, DOUBLE = 0, 1, 2, 3
_FORGOTTEN = 1e-12  # a trace below which an action value is no longer moved


def _jit(function: Callable[..., Any]) -> Any:
    return numba.njit(cache=True, forceinline=True)(function)


@functools.cache
def compiled(function: Callable[..., None]) -> Any:
    """Return one of the loops of `updates`, compiled.

    Args:
        function: the loop.
    """
    return _jit(function)


@_jit
def _outcome(chance: np.ndarray, state: int, action: int, world: np.random.Generator) -> int:
    last = chance.shape[2] - 1
    if last == 0:
        return 0
    draw, b = world.random(), 0
    while b < last and draw >= chance[state, action, b]:
        b += 1
    return b


@_jit
def _begin(chance: np.ndarray, world: np.random.Generator) -> int:
    draw, b = world.random(), 0
    while b < len(chance) - 1 and draw >= chance[b]:
        b += 1
    return b


@_jit
def walk(
    first: int,
    begin: np.ndarray,
    chance: np.ndarray,
    then: np.ndarray,
    reward: np.ndarray,
    end: np.ndarray,
    actions: int,
    count: int,
    steps: int,
    world: np.random.Generator,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Walk through episodes with actions of equal chance; the fields of `experience.Episodes` come out.

    first: the state that the world was reset to.
    """
    seen, rewards = np.empty(1024, np.int64), np.empty(1024)
    starts = np.zeros(count + 1, np.int64)
    ended = np.zeros(count, np.bool_)
    n = 0
    for e in range(count):
        state = first if e == 0 else _begin(begin, world)
        for i in range(steps + 1):
            if n == len(seen):
                longer, richer = np.empty(2 * n, np.int64), np.empty(2 * n)
                longer[:n], richer[:n] = seen, rewards
                seen, rewards = longer, richer
            seen[n], rewards[n] = state, 0.0
            n += 1
            if ended[e] or i == steps:
                break
            action = int(rng.random() * actions)
            b = _outcome(chance, state, action, world)
            rewards[n - 1], ended[e], state = reward[state, action, b], end[state, action, b], then[state, action, b]
        starts[e + 1] = n
    return seen[:n].copy(), rewards[:n].copy(), starts, ended


@_jit
def _value(weights: np.ndarray, head: int, action: int, places: np.ndarray, values: np.ndarray, row: int) -> float:
    total = 0.0
    for j in range(places.shape[1]):
        total += weights[head, action, places[row, j]] * values[row, j]
    return total


@_jit
def evaluate(weights: np.ndarray, places: np.ndarray, values: np.ndarray, row: int, out: np.ndarray) -> None:
    """Write the value of each action, the mean over heads, to out (A,)."""
    heads = weights.shape[0]
    for a in range(weights.shape[1]):
        out[a] = _value(weights, 0, a, places, values, row)
        if heads == 2:
            out[a] = (out[a] + _value(weights, 1, a, places, values, row)) / 2


@_jit
def choose(q: np.ndarray, kind: int, level: float, rng: np.random.Generator) -> int:
    """Draw an action from the policy at action values (A,)."""
    n = len(q)
    if kind == 0 and level > 0 and rng.random() < level:
        return int(rng.random() * n)
    best, where, ties = q[0], 0, 1
    for a in range(1, n):
        if q[a] > best:
            best, where, ties = q[a], a, 1
        elif q[a] == best:
            ties += 1
    if kind == 0:
        if ties == 1:
            return where
        pick = int(rng.random() * ties)
        for a in range(where, n):
            if q[a] == best:
                if pick == 0:
                    return a
                pick -= 1
    total = 0.0
    for a in range(n):
        total += np.exp((q[a] - best) / level)
    draw = rng.random() * total
    for a in range(n):
        draw -= np.exp((q[a] - best) / level)
        if draw < 0:
            return a
    return n - 1


@_jit
def _expectation(q: np.ndarray, kind: int, level: float) -> float:
    best, total, mean = q[0], 0.0, 0.0
    for a in range(1, len(q)):
        best = max(best, q[a])
    for a in range(len(q)):
        weight = 1.0 if kind == 0 else np.exp((q[a] - best) / level)
        total += weight
        mean += weight * q[a]
    return level * mean / total + (1 - level) * best if kind == 0 else mean / total


@_jit
def backup(
    weights: np.ndarray,
    q: np.ndarray,
    trace: np.ndarray,
    marked: np.ndarray,
    listed: np.ndarray,
    memory: np.ndarray,
    method: int,
    places: np.ndarray,
    values: np.ndarray,
    row: int,
    action: int,
    reward: float,
    next_places: np.ndarray,
    next_values: np.ndarray,
    next_row: int,
    next_action: int,
    ended: bool,
    alpha: float,
    gamma: float,
    decay: float,
    traces: int,
    kind: int,
    level: float,
    rng: np.random.Generator,
) -> None:
    """Move the value of an action towards the reward and what follows it.

    q (A,) is overwritten with action values; trace, marked and listed (A * S,) hold the traces, and memory (2,) how
    many are listed and the last value.
    """
    head = int(rng.random() * 2) if method == DOUBLE else 0
    ahead = 0.0
    if not ended:
        if method == SARSA:
            ahead = _value(weights, 0, next_action, next_places, next_values, next_row)
        elif method == EXPECTED:
            evaluate(weights, next_places, next_values, next_row, q)
            ahead = _expectation(q, kind, level)
        else:
            best = 0
            ahead = _value(weights, head, 0, next_places, next_values, next_row)
            for a in range(1, weights.shape[1]):
                other = _value(weights, head, a, next_places, next_values, next_row)
                if other > ahead:
                    ahead, best = other, a
            if method == DOUBLE:
                ahead = _value(weights, 1 - head, best, next_places, next_values, next_row)
    now = _value(weights, head, action, places, values, row)
    error = reward + gamma * ahead - now
    if decay == 0:
        for j in range(places.shape[1]):
            weights[head, action, places[row, j]] += alpha * error * values[row, j]
        return

    size = weights.shape[2]
    overlap = 0.0
    for j in range(places.shape[1]):
        overlap += trace[action * size + places[row, j]] * values[row, j]
    count = 0
    for i in range(int(memory[0])):
        at = listed[i]
        trace[at] *= gamma * decay
        if abs(trace[at]) < _FORGOTTEN:
            trace[at], marked[at] = 0.0, False
        else:
            listed[count] = at
            count += 1
    for j in range(places.shape[1]):
        at = action * size + places[row, j]
        if not marked[at]:
            marked[at] = True
            listed[count] = at
            count += 1
        if traces == REPLACING:
            trace[at] = values[row, j]
        elif traces == DUTCH:
            trace[at] += (1 - alpha * gamma * decay * overlap) * values[row, j]
        else:
            trace[at] += values[row, j]
    shift = now - memory[1] if traces == DUTCH and memory[0] > 0 else 0.0
    for i in range(count):
        weights[0, listed[i] // size, listed[i] % size] += alpha * (error + shift) * trace[listed[i]]
    for j in range(places.shape[1]):
        weights[0, action, places[row, j]] -= alpha * shift * values[row, j]
    memory[0], memory[1] = count, ahead


@_jit
def control(
    weights: np.ndarray,
    q: np.ndarray,
    trace: np.ndarray,
    marked: np.ndarray,
    listed: np.ndarray,
    memory: np.ndarray,
    method: int,
    first: int,
    begin: np.ndarray,
    chance: np.ndarray,
    then: np.ndarray,
    reward: np.ndarray,
    end: np.ndarray,
    places: np.ndarray,
    values: np.ndarray,
    steps: int,
    alpha: float,
    gamma: float,
    decay: float,
    traces: int,
    kind: int,
    levels: np.ndarray,
    world: np.random.Generator,
    rng: np.random.Generator,
    returns: np.ndarray,
    lengths: np.ndarray,
) -> None:
    """Learn control in a world that tells its model: an episode for each of levels (E,).

    first: the state that the world was reset to; places, values: (S, k) codes of every state; returns, lengths: (E,),
    filled.
    """
    for e in range(len(levels)):
        level = levels[e]
        for i in range(int(memory[0])):
            trace[listed[i]], marked[listed[i]] = 0.0, False
        memory[0] = memory[1] = 0.0
        state = first if e == 0 else _begin(begin, world)
        evaluate(weights, places, values, state, q)
        action = choose(q, kind, level, rng)
        for i in range(steps):
            b = _outcome(chance, state, action, world)
            after, gain, over = then[state, action, b], reward[state, action, b], end[state, action, b]
            ahead = 0
            if method == SARSA and not over:
                evaluate(weights, places, values, after, q)
                ahead = choose(q, kind, level, rng)
            backup(weights, q, trace, marked, listed, memory, method, places, values, state, action, gain,
                   places, values, after, ahead, over, alpha, gamma, decay, traces, kind, level, rng)  # fmt: skip
            returns[e] += gain
            lengths[e] = i + 1
            if over:
                break
            if method != SARSA:
                evaluate(weights, places, values, after, q)
                ahead = choose(q, kind, level, rng)
            state, action = after, ahead


@_jit
def replay(
    weights: np.ndarray,
    places: np.ndarray,
    values: np.ndarray,
    next_places: np.ndarray,
    next_values: np.ndarray,
    actions: np.ndarray,
    rewards: np.ndarray,
    ended: np.ndarray,
    order: np.ndarray,
    alpha: float,
    gamma: float,
    heads: np.ndarray,
) -> None:
    """Q-learning from remembered moves (n,), in the order given; heads (n,) says which set of values each moves."""
    active = places.shape[1]
    for i in range(len(order)):
        t = order[i]
        head = heads[i]
        ahead = 0.0
        if not ended[t]:
            top, best = -np.inf, 0
            for a in range(weights.shape[1]):
                total = 0.0
                for j in range(active):
                    total += weights[head, a, next_places[t, j]] * next_values[t, j]
                if total > top:
                    top, best = total, a
            ahead = top
            if weights.shape[0] == 2:
                ahead = 0.0
                for j in range(active):
                    ahead += weights[1 - head, best, next_places[t, j]] * next_values[t, j]
        now = 0.0
        for j in range(active):
            now += weights[head, actions[t], places[t, j]] * values[t, j]
        error = rewards[t] + gamma * ahead - now
        for j in range(active):
            weights[head, actions[t], places[t, j]] += alpha * error * values[t, j]
