"""A compiled minimum cut on a grid: whole-number capacities in, the source's side out.

The search trees of Boykov and Kolmogorov, on arrays, after what neighbours can settle among themselves has been pushed
from one to the other. Importing this module loads the compiler, so only `ising.exact` imports it. Nothing is checked.

Source: Boykov & Kolmogorov 2004, doi:10.1109/TPAMI.2004.60; times and distances of nodes as in section 3.2.3 there.
"""

from typing import Any

import numpy as np
from numba import njit

_FREE, _SOURCE, _SINK = np.int8(0), np.int8(1), np.int8(2)
_NONE, _ROOT = np.int8(-1), np.int8(-2)


@njit(cache=True)
def _settle(excess: np.ndarray, capacity: np.ndarray, steps: np.ndarray, inside: np.ndarray) -> None:
    """Push what one pixel has too much to neighbours that lack it."""
    for p in inside:
        for d in range(len(steps)):
            if excess[p] == 0:
                break
            q = p + steps[d]
            if excess[p] > 0 and excess[q] < 0:
                flow = min(excess[p], -excess[q], capacity[p, d])
                capacity[p, d] -= flow
                capacity[q, d ^ 1] += flow
                excess[p] -= flow
                excess[q] += flow
            elif excess[p] < 0 and excess[q] > 0:
                flow = min(-excess[p], excess[q], capacity[q, d ^ 1])
                capacity[q, d ^ 1] -= flow
                capacity[p, d] += flow
                excess[p] += flow
                excess[q] -= flow


@njit(inline="always")
def _push(queue: np.ndarray, tail: int, queued: np.ndarray, p: int) -> int:
    if not queued[p]:
        queued[p] = True
        queue[tail] = p
        tail += 1
        if tail == len(queue):
            tail = 0
    return tail


@njit(inline="always")
def _open(capacity: np.ndarray, steps: np.ndarray, p: int, d: int, side: Any) -> Any:
    """Residual capacity between p and its neighbour in direction d, away from the source."""
    return capacity[p, d] if side == _SOURCE else capacity[p + steps[d], d ^ 1]


@njit(cache=True)
def _adopt(
    p: int,
    capacity: np.ndarray,
    steps: np.ndarray,
    side: np.ndarray,
    parent: np.ndarray,
    stamp: np.ndarray,
    distance: np.ndarray,
    time: int,
) -> bool:
    """Find an orphan a parent whose line still ends at a terminal, the nearest there is; False if there is none."""
    mine, best, least = side[p], _NONE, np.int32(2**31 - 1)
    for d in range(len(steps)):
        q = p + steps[d]
        # From the neighbour to the orphan: seen from the neighbour, in direction d ^ 1.
        if side[q] != mine or parent[q] == _NONE:
            continue
        if (capacity[q, d ^ 1] if mine == _SOURCE else capacity[p, d]) == 0:
            continue
        length, at = np.int32(0), q
        while True:
            if stamp[at] == time:
                length += distance[at]
                break
            length += 1
            up = parent[at]
            if up == _ROOT:
                stamp[at], distance[at] = time, 1
                break
            if up == _NONE:
                length = np.int32(2**31 - 1)
                break
            at = at + steps[up]
        if length < 2**31 - 1:
            if length < least:
                best, least = np.int8(d), length
            at = q
            while stamp[at] != time:
                stamp[at], distance[at] = time, length
                length -= 1
                at = at + steps[parent[at]]
    parent[p] = best
    if best == _NONE:
        return False
    stamp[p], distance[p] = time, least + 1
    return True


@njit(cache=True)
def _augment(
    p: int, d: int, excess: np.ndarray, capacity: np.ndarray, steps: np.ndarray, parent: np.ndarray, orphans: np.ndarray
) -> int:
    """Push all that fits from the source through p, and its neighbour in direction d, to the sink; list the orphans."""
    q = p + steps[d]
    flow = capacity[p, d]
    at = p
    while parent[at] != _ROOT:
        up = at + steps[parent[at]]
        flow = min(flow, capacity[up, parent[at] ^ 1])
        at = up
    flow = min(flow, excess[at])
    at = q
    while parent[at] != _ROOT:
        flow = min(flow, capacity[at, parent[at]])
        at = at + steps[parent[at]]
    flow = min(flow, -excess[at])
    capacity[p, d] -= flow
    capacity[q, d ^ 1] += flow
    count, at = 0, p
    while parent[at] != _ROOT:
        way = parent[at]
        up = at + steps[way]
        capacity[at, way] += flow
        capacity[up, way ^ 1] -= flow
        if capacity[up, way ^ 1] == 0:
            parent[at] = _NONE
            orphans[count] = at
            count += 1
        at = up
    excess[at] -= flow
    if excess[at] == 0:
        parent[at] = _NONE
        orphans[count] = at
        count += 1
    at = q
    while parent[at] != _ROOT:
        way = parent[at]
        down = at + steps[way]
        capacity[down, way ^ 1] += flow
        capacity[at, way] -= flow
        if capacity[at, way] == 0:
            parent[at] = _NONE
            orphans[count] = at
            count += 1
        at = down
    excess[at] += flow
    if excess[at] == 0:
        parent[at] = _NONE
        orphans[count] = at
        count += 1
    return count


@njit(cache=True)
def cut(excess: np.ndarray, capacity: np.ndarray, steps: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Find the minimum cut.

    excess: int32 (n,), capacity from the source less that to the sink, is used up; capacity: int32 (n, directions),
    from each node to its neighbour in each direction, 0 where there is none, becomes what is left; steps: int64, from a
    node to its neighbours, opposite directions side by side; inside: int64, the nodes that are pixels. Returns bool
    (n,): on the source's side in every minimum cut.
    """
    n = len(excess)
    _settle(excess, capacity, steps, inside)
    side, parent = np.zeros(n, np.int8), np.full(n, _NONE, np.int8)
    stamp, distance = np.zeros(n, np.int32), np.zeros(n, np.int32)
    queue, queued, head, tail = np.empty(n + 1, np.int32), np.zeros(n, np.bool_), 0, 0
    orphans = np.empty(n + 1, np.int32)
    for p in inside:
        if excess[p] != 0:
            side[p], parent[p], distance[p] = (_SOURCE if excess[p] > 0 else _SINK), _ROOT, 1
            tail = _push(queue, tail, queued, p)
    time, p = 0, -1
    while True:
        if p < 0 or side[p] == _FREE:
            if head == tail:
                break
            p = int(queue[head])
            head = 0 if head + 1 == len(queue) else head + 1
            queued[p] = False
            if side[p] == _FREE:
                continue
        mine, met = side[p], -1
        for d in range(len(steps)):
            if _open(capacity, steps, p, d, mine) == 0:
                continue
            q = p + steps[d]
            if side[q] == _FREE:
                side[q], parent[q], stamp[q], distance[q] = mine, np.int8(d ^ 1), stamp[p], distance[p] + 1
                tail = _push(queue, tail, queued, q)
            elif side[q] != mine:
                met = d
                break
            elif stamp[q] <= stamp[p] and distance[q] > distance[p] + 1 and parent[q] != _ROOT:
                parent[q], stamp[q], distance[q] = np.int8(d ^ 1), stamp[p], distance[p] + 1
        if met < 0:
            p = -1
            continue
        time += 1
        if mine == _SOURCE:
            waiting = _augment(p, met, excess, capacity, steps, parent, orphans)
        else:
            waiting = _augment(p + steps[met], met ^ 1, excess, capacity, steps, parent, orphans)
        first = 0
        while first != waiting:
            o = int(orphans[first])
            first = (first + 1) % len(orphans)
            if _adopt(o, capacity, steps, side, parent, stamp, distance, time):
                continue
            # It becomes free: its children are orphans too, and neighbours may reach it anew.
            for d in range(len(steps)):
                q = o + steps[d]
                if side[q] != side[o]:
                    continue
                if (capacity[q, d ^ 1] if side[o] == _SOURCE else capacity[o, d]) > 0:
                    tail = _push(queue, tail, queued, q)
                if parent[q] >= 0 and q + steps[parent[q]] == o:
                    parent[q] = _NONE
                    orphans[waiting] = q
                    waiting = (waiting + 1) % len(orphans)
            side[o] = _FREE
    white: np.ndarray = side == _SOURCE
    return white
