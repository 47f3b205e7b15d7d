"""A network learns ratings in two phases: its loss is that of the raters without torch, and the best epoch is kept."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.models import inference, network, rating_network, ratings, tuning
from assay.models.examples import Arrays
from assay.models.rating_network import Course

SCALE = np.arange(1.0, 4)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="the extra train is not installed")


@pytest.fixture(scope="module")
def bright(torch):
    """Pictures rated by how bright they are: a course, features and maps of the untaught network, shares of votes."""
    rng = np.random.default_rng(1)
    level = rng.integers(20, 235, 48)
    views = np.clip(level[:, None, None, None] + rng.normal(0, 12, (48, 256, 256, 3)), 0, 255).astype(np.uint8)
    shares = np.stack([np.where(np.arange(3) == i, 0.8, 0.1) for i in np.digitize(level, [90, 165])])
    course = Course(unfreeze=1, dropout=0.2, epochs=(6, 3), learning_rate=(1e-2, 3e-4), batch_size=8)
    made = tuning.make(course.plan(), classes=3, seed=0)
    early = made.frozen(threads=1)(views)
    return course, inference.Runner(made.body(), threads=1).run(early), early, shares.astype(np.float32)


def taught(bright, *, val=None, **more):
    course, features, early, shares = bright
    made = tuning.make(course.plan(), classes=3, seed=0)
    train = [Arrays(x[:32], shares[:32]) for x in (features, early)]
    val = val or [Arrays(x[32:], shares[32:]) for x in (features, early)]
    return made, rating_network.teach(made, course, train, val, seed=0, threads=1, **more)


class Kept:
    """Keeps bytes in memory."""

    def __init__(self):
        self.data = None

    def read(self):
        return self.data

    def write(self, data):
        self.data = data


REFUSED = {
    "one phase": ({"epochs": (3,)}, r"--epochs must be those of two phases, such as 20,9, got \(3,\)"),
    "nothing": ({"epochs": (0, 0)}, "--epochs must be those of two phases"),
    "frozen": ({"unfreeze": 0}, "--unfreeze must be last-block, all or 1 or more, got 0"),
    "rate": ({"learning_rate": (1e-3, 0.0)}, r"--learning-rate must be two finite numbers > 0, got \(0.001, 0.0\)"),
    "dropout": ({"dropout": 1.0}, "--dropout must be from 0 to below 1, got 1.0"),
    "views": ({"views": -1}, "--views must be from 0 to 100, got -1"),
}


@pytest.mark.parametrize(("values", "words"), REFUSED.values(), ids=REFUSED)
def test_a_course_that_no_network_can_follow_is_refused(values, words):
    with pytest.raises(InputError, match=words):
        Course(**values)


def test_the_loss_is_that_of_the_raters(torch):
    rng = np.random.default_rng(0)
    logits, shares = rng.normal(size=(6, 10)), rng.dirichlet(np.ones(10), 6)
    outputs = torch.tensor(logits, requires_grad=True)
    losses = rating_network.squared_emd(outputs, torch.tensor(shares))
    losses.sum().backward()
    expected, slopes = ratings.loss(logits, shares)
    np.testing.assert_allclose(losses.detach().numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(outputs.grad.numpy(), slopes, atol=1e-12)


def test_two_phases_learn_what_is_bright_and_a_rater_says_the_same(torch, bright):
    heard = []
    made, (first, second) = taught(bright, listen=heard.append)
    assert [lesson.phase for lesson in heard] == [1] * len(first.epochs) + [2] * len(second.epochs)
    losses = [lesson.epoch.val_loss for lesson in heard]
    assert min(losses) < 0.5 * losses[0]
    early, shares = bright[2], bright[3]
    with torch.no_grad():
        expected = made.rest.eval()(torch.from_numpy(early)).softmax(dim=1).numpy()
    rater = rating_network.rater(made, scale=SCALE)
    said = rater.shares({ratings.NETWORK: inference.Runner(made.body(), threads=1).run(early)})
    np.testing.assert_allclose(said, expected, atol=1e-4)
    assert np.corrcoef(said[32:] @ SCALE, shares[32:] @ SCALE)[0, 1] > 0.8


def test_the_first_phase_leaves_all_but_the_last_layer_as_it_was(bright):
    course, *rest = bright
    only = Course(unfreeze=1, epochs=(2, 0), batch_size=8)
    made, histories = taught((only, *rest))
    before = network.arrays(tuning.make(course.plan(), classes=3, seed=0).rest)
    assert len(histories) == 1
    for name, array in network.arrays(made.rest).items():
        assert np.array_equal(array, before[name]) == (not name.startswith("classes"))


def test_a_second_phase_that_only_harms_is_undone(bright):
    _, features, early, shares = bright
    wrong = Arrays(early[32:], shares[32:, ::-1].copy())
    made, (first, second) = taught(bright, val=[Arrays(features[32:], shares[32:]), wrong])
    assert min(e.val_loss for e in second.epochs) > min(e.val_loss for e in first.epochs)
    alone, _ = taught(
        (Course(unfreeze=1, dropout=0.2, epochs=(6, 0), learning_rate=(1e-2, 3e-4), batch_size=8), *bright[1:])
    )
    for name, array in network.arrays(alone.rest).items():
        np.testing.assert_array_equal(network.arrays(made.rest)[name], array)


@pytest.mark.parametrize("batches", [3, 22], ids=["in the first phase", "in the second"])
def test_a_killed_training_goes_on_to_the_bit(bright, batches):
    whole, expected = taught(bright)
    places, asked = (Kept(), Kept()), []

    def stop():
        asked.append(1)
        return len(asked) > batches

    _, histories = taught(bright, checkpoints=places, stop=stop)
    assert histories[-1].stopped == "asked"
    assert len(histories) == (1 if batches == 3 else 2)
    again, histories = taught(bright, checkpoints=places)
    assert [len(h.epochs) for h in histories] == [len(h.epochs) for h in expected]
    for name, array in network.arrays(whole.rest).items():
        np.testing.assert_array_equal(network.arrays(again.rest)[name], array)


def test_a_loss_that_is_no_number_stops_with_the_reason(bright):
    course, features, early, shares = bright
    broken = np.where(np.arange(len(early))[:, None, None, None] == 5, np.float32(np.nan), early)
    with pytest.raises(InputError, match=r"loss of epoch 1 is not finite at learning rate 0.0003"):
        taught((course, features, broken, shares))
