"""Chains: the plain filters that a restorer chooses from, by name, and what it sees of a picture under way.

How strong a filter is follows from the noise that is seen, so that one that suits a picture suits it with more noise
too: a restorer need not learn the same for each sigma.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..pixels import colour, filters, frequency, shrinkage, spikes
from .symptoms import NAMES, noise, symptoms


@dataclass(frozen=True, slots=True)
class View:
    """A picture on its way.

    image: as it is now; source: as it was before it was smoothed, for filters that look back; seen: symptoms of the
    image; noise: sigma of fine and of coarse noise in the source; done: actions so far.
    """

    image: np.ndarray
    source: np.ndarray
    seen: np.ndarray
    noise: tuple[float, float]
    done: tuple[int, ...] = ()


Outcome = tuple[str, np.ndarray]  # what was done in words, and the picture after it


@dataclass(frozen=True, slots=True)
class Filter:
    """Something that can be done next; its kind is "rank", "smooth", "led" by a smoother picture, or "sharp"."""

    kind: str
    apply: Callable[[View], Outcome]


def _plain(kind: str, name: str, work: Callable[[np.ndarray], np.ndarray]) -> tuple[str, Filter]:
    return name, Filter(kind, lambda view: (name, work(view.image)))


def _scaled(
    name: str, words: str, work: Callable[[np.ndarray, float], np.ndarray], factor: float, scale: int
) -> tuple[str, Filter]:
    """Return a filter whose strength is a multiple of the fine (0) or coarse (1) noise in the picture now."""

    def apply(view: View) -> Outcome:
        strength = round(max(factor * noise(view.seen)[scale], 1.0), 1)
        return f"{name} {words}={strength:g}", work(view.image, strength)

    return f"{name}, {factor:g} x {('fine', 'coarse')[scale]} noise", Filter("smooth", apply)


def _wiener(factor: float, scale: int) -> tuple[str, Filter]:
    """Return the Wiener filter of the picture before it was smoothed, led by what smoothing made of it."""

    def apply(view: View) -> Outcome:
        sigma = round(max(factor * view.noise[scale], 1.0), 1)
        found = shrinkage.wiener(view.source, sigma=sigma, pilot=view.image, step=2)
        return f"Wiener sigma={sigma:g} led by that", found

    return f"Wiener, {factor:g} x {('fine', 'coarse')[scale]} noise", Filter("led", apply)


def _unsharp(radius: float, percent: float) -> tuple[str, Filter]:
    name = f"unsharp {radius:g}, {percent:g} %"
    return _plain("sharp", name, lambda x: filters.unsharp(x, radius=radius, percent=percent, threshold=0))


def _nlm(image: np.ndarray, strength: float) -> np.ndarray:
    return filters.nonlocal_means(image, strength=strength, patch=3, search=11)


def _dct(image: np.ndarray, strength: float) -> np.ndarray:
    return shrinkage.dct(image, sigma=strength, step=2)


def _bilateral(image: np.ndarray, strength: float) -> np.ndarray:
    return filters.bilateral(image, sigma=1.5, sigma_levels=strength)


def _tv(image: np.ndarray, strength: float) -> np.ndarray:
    return filters.tv(image, weight=strength / 255, steps=40)


STOP = "stop"
# What can be done next; 0 is to stop.
ACTIONS: dict[str, Filter] = dict(
    [
        _plain("stop", STOP, lambda x: x),
        _plain("rank", "despike", spikes.despike),
        _plain("rank", "despike 40", lambda x: spikes.despike(x, tolerance=40)),
        _plain("rank", "median 3", lambda x: filters.median(x, size=3)),
        _plain("rank", "median 5", lambda x: filters.median(x, size=5)),
        _plain("rank", "conservative 3", lambda x: filters.conservative(x, size=3)),
        _plain("rank", "crimmins", filters.crimmins),
        _plain("smooth", "mean 3", lambda x: filters.mean(x, size=3)),
        _plain("smooth", "gaussian 0.5", lambda x: filters.gaussian(x, sigma=0.5)),
        _plain("smooth", "gaussian 0.8", lambda x: filters.gaussian(x, sigma=0.8)),
        _plain(
            "smooth",
            "low pass 0.25",
            lambda x: frequency.lowpass(x, radius=0.25 * min(x.shape[:2]), kind="gaussian"),
        ),
        _scaled("bilateral", "levels", _bilateral, 2.5, 0),
        _scaled("bilateral", "levels", _bilateral, 2.5, 1),
        _scaled("total variation", "sigma", _tv, 0.75, 0),
        _scaled("total variation", "sigma", _tv, 0.75, 1),
        _scaled("non-local means", "h", _nlm, 1.1, 0),
        _scaled("non-local means", "h", _nlm, 1.4, 0),
        _scaled("non-local means", "h", _nlm, 1.2, 1),
        _scaled("non-local means", "h", _nlm, 1.8, 1),
        _scaled("DCT", "sigma", _dct, 0.85, 0),
        _scaled("DCT", "sigma", _dct, 1.05, 0),
        _scaled("DCT", "sigma", _dct, 0.9, 1),
        _scaled("DCT", "sigma", _dct, 1.3, 1),
        _wiener(0.8, 0),
        _wiener(1.05, 0),
        _wiener(0.8, 1),
        _wiener(1.2, 1),
        _unsharp(1, 40),
        _unsharp(1, 90),
        _unsharp(1.5, 150),
        _unsharp(1.5, 250),
    ]
)
NAMED = tuple(ACTIONS)
STEPS = 5  # filters in a chain at most
COST = 0.03  # dB that a filter must bring to be worth its time
KINDS = ("rank", "smooth", "led", "sharp")  # of filters, as far as a restorer remembers what it has done
WIDTH = len(NAMES) + 3 + len(KINDS)
_FILTERS = tuple(ACTIONS.values())


def begin(image: np.ndarray) -> View:
    """Return what there is of a picture that nothing was done to.

    Args:
        image: picture, uint8 or float32, 24 x 24 pixels at least.

    Raises:
        InputError: it is no picture, or too small.
    """
    seen = symptoms(colour.to_uint8(image))
    return View(image, image, seen, noise(seen))


def outcome(view: View, action: int) -> Outcome:
    """Return what an action does in words, and the picture after it.

    Args:
        view: of the picture.
        action: its number.
    """
    return _FILTERS[action].apply(view)


def follow(view: View, action: int, image: np.ndarray) -> View:
    """Return the view after an action.

    Args:
        view: before it.
        action: its number, 1 or more.
        image: what it has made, from `outcome`.
    """
    seen, done = symptoms(colour.to_uint8(image)), (*view.done, action)
    if _FILTERS[action].kind in ("smooth", "led"):
        return View(image, view.source, seen, view.noise, done)
    return View(image, image, seen, noise(seen), done)


def state(view: View) -> np.ndarray:
    """Return what a restorer sees: symptoms, noise before smoothing, how many filters were applied, of which kinds.

    Args:
        view: of the picture.

    Returns:
        float64 (WIDTH,).
    """
    kinds = [_FILTERS[a].kind for a in view.done]
    before = np.log2(np.array(view.noise) + 0.5) / 1.5
    return np.concatenate([view.seen, before, [len(kinds) / 2], [float(k in kinds) for k in KINDS]])
