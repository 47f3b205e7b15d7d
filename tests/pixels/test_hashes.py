"""A hash is the same for all eight turns of a picture, nearly so for its copies; near pairs are all that are near."""

import cv2
import numpy as np
import pytest

from assay.errors import InputError
from assay.pixels import hashes


def picture(shape=(150, 200, 3), seed=0):
    rough = np.random.default_rng(seed).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    image = cv2.resize(rough, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return image if len(shape) == 3 else image[..., 0].copy()


def turns(image):
    return [np.ascontiguousarray(np.rot90(x, k)) for x in (image, image[:, ::-1]) for k in range(4)]


# Of these less than half of the frequencies are there at all.
PLAIN = {"left = right, top = bottom", "chequered", "a diagonal wave", "stripes"}


def symmetric():
    """Pictures that equal some of their own turns, where the lowest frequencies are exactly 0."""
    rng = np.random.default_rng(5)
    quarter = rng.integers(0, 256, (16, 16), dtype=np.uint8)
    mirrored = np.hstack([quarter, quarter[:, ::-1]])
    yield "left = right", mirrored
    yield "left = right, top = bottom", np.vstack([mirrored, mirrored[::-1]])
    yield "turned by half", np.vstack([mirrored, 255 - mirrored])
    half = rng.integers(0, 256, (32, 16), dtype=np.uint8)
    yield "point", np.hstack([half, half[::-1, ::-1]])
    yield "diagonal", np.maximum(np.hstack([half, half]), np.hstack([half, half]).T)
    yield "repeated", np.tile(quarter, (3, 3))
    yield "chequered", np.kron(np.indices((4, 4)).sum(0) % 2, np.full((8, 8), 255)).astype(np.uint8)
    i, j = np.indices((64, 64))
    yield "a diagonal wave", (128 + 100 * np.sign(32 - i - 0.5) * np.sign(32 - j - 0.5)).astype(np.uint8)
    yield "stripes", np.tile(np.repeat(np.array([0, 200], np.uint8), 4), (24, 4))


@pytest.mark.parametrize("shape", [(150, 200, 3), (188, 250), (31, 17, 3), (5, 3), (400, 650, 3), (64, 64)])
@pytest.mark.parametrize("seed", range(3))
def test_all_eight_turns_have_one_hash(shape, seed):
    image = picture(shape, seed)
    assert {hashes.perceptual(x) for x in turns(image)} == {hashes.perceptual(image)}
    noise = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    assert {hashes.perceptual(x) for x in turns(noise)} == {hashes.perceptual(noise)}


@pytest.mark.parametrize(("name", "image"), list(symmetric()), ids=lambda x: x if isinstance(x, str) else "")
def test_pictures_that_equal_their_own_turns_have_one_hash_too(name, image):
    found = {hashes.perceptual(x) for x in turns(image)}
    assert len(found) == 1
    assert (found == {0}) == (name in PLAIN)


def test_the_hash_is_the_signs_of_frequencies_written_out():
    image = picture((64, 96), seed=3)
    x = image.reshape(32, 2, 32, 3).astype(float).mean(axis=(1, 3))
    c = np.cos(np.pi * np.outer(np.arange(16), 2 * np.arange(32) + 1) / 64)
    f = c @ x @ c.T
    f = f * np.where(np.arange(16) % 2, np.sign(f[0, 1]), 1) * np.where(np.arange(16) % 2, np.sign(f[1, 0]), 1)[:, None]
    pairs = sorted(((u, v) for v in range(16) for u in range(v + 1) if u + v > 1), key=lambda p: (sum(p), p[0]))
    bits = "".join(str(int(f[u, v] + f[v, u] > 0)) for u, v in pairs[:64])
    assert hashes.perceptual(image) == int(bits, 2)


@pytest.mark.parametrize("shape", [(188, 250), (401, 653), (7, 2001)])
def test_areas_are_added_up_exactly(shape):
    grey = np.random.default_rng(0).integers(200, 256, shape, dtype=np.uint8)
    shares = [
        np.array([[max(0, min((i + 1) * n, (j + 1) * 32) - max(i * n, j * 32)) for j in range(n)] for i in range(32)])
        for n in shape
    ]
    total = shares[0] @ grey.astype(np.int64) @ shares[1].T
    np.testing.assert_array_equal(hashes._cells(grey), np.rint(total * 256 / (shape[0] * shape[1])))


def jpeg(image, quality):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize(
    "change",
    [
        lambda x: jpeg(x, 30),
        lambda x: cv2.resize(x, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        lambda x: cv2.add(x, np.full_like(x, 10)),
        lambda x: jpeg(np.ascontiguousarray(np.rot90(x)), 50),
    ],
    ids=["JPEG of quality 30", "half the size", "brighter", "turned and compressed"],
)
def test_copies_are_near_and_others_far(change):
    images = [picture(seed=i) for i in range(40)]
    ours = np.array([hashes.perceptual(x) for x in images], np.uint64)
    theirs = np.array([hashes.perceptual(change(x)) for x in images], np.uint64)
    between = hashes.distance(ours[:, None], theirs)
    assert np.mean(np.diag(between) <= hashes.RADIUS) >= 0.95
    assert (between[~np.eye(40, dtype=bool)] > hashes.RADIUS).all()


def test_a_flat_picture_has_no_hash():
    flat = np.full((40, 50, 3), 128, np.uint8)
    assert hashes.perceptual(flat) == 0
    flat[::7, ::5] += 2
    assert hashes.perceptual(flat) == 0
    assert hashes.perceptual(np.zeros((1, 1), np.uint8)) == 0
    with pytest.raises(InputError, match="perceptual needs a picture of uint8, got float32"):
        hashes.perceptual(np.zeros((3, 4), np.float32))


def test_distance_counts_bits():
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 2**64, (2, 50), dtype=np.uint64)
    assert hashes.distance(a, b).tolist() == [(int(x) ^ int(y)).bit_count() for x, y in zip(a, b, strict=True)]


def clusters(n, seed):
    """Hashes some of which are near each other, some equal, some 0."""
    rng = np.random.default_rng(seed)
    found = rng.integers(1, 2**64, n, dtype=np.uint64)
    for i in range(n // 2):
        flips = rng.choice(64, rng.integers(0, 16), replace=False)
        found[i] = found[rng.integers(n)] ^ np.bitwise_or.reduce(np.uint64(1) << flips.astype(np.uint64), initial=0)
    found[rng.integers(0, n, n // 8)] = 0
    return found


@pytest.mark.parametrize("radius", [0, 1, 4, 9, 12, 20, 40, 64])
@pytest.mark.parametrize("n", [0, 1, 2, 120, 700])
def test_near_pairs_are_all_pairs_within_the_radius(radius, n):
    values = clusters(n, seed=radius) if n > 2 else np.arange(3, 3 + n, dtype=np.uint64)
    i, j = np.triu_indices(n, 1)
    near = (np.bitwise_count(values[i] ^ values[j]) <= radius) & (values[i] != 0) & (values[j] != 0)
    found = hashes.near_pairs(values, radius=radius)
    assert found.shape[1] == 2
    np.testing.assert_array_equal(found, np.stack([i[near], j[near]], axis=1))


@pytest.mark.parametrize("g", [1, 2, 3, 4])
@pytest.mark.parametrize("radius", [3, 9])
def test_every_choice_of_bands_finds_each_pair_once(g, radius):
    values = np.unique(clusters(500, seed=g))
    i, j = np.triu_indices(len(values), 1)
    expected = {(a, b) for a, b in zip(i, j, strict=True) if (int(values[a]) ^ int(values[b])).bit_count() <= radius}
    found = [tuple(sorted(pair)) for pair in np.concatenate(hashes._banded(values, radius, g)).tolist()]
    assert len(found) == len(set(found))
    assert set(found) == expected


@pytest.mark.parametrize(
    ("values", "radius", "message"),
    [
        (np.zeros(3, np.int64), 4, r"hashes must be uint64 \(n,\), got int64 \(3,\)"),
        (np.zeros((3, 2), np.uint64), 4, r"hashes must be uint64 \(n,\), got uint64 \(3, 2\)"),
        (np.zeros(3, np.uint64), 65, "radius must be in 0..64, got 65"),
    ],
)
def test_near_pairs_says_what_it_needs(values, radius, message):
    with pytest.raises(InputError, match=message):
        hashes.near_pairs(values, radius=radius)
