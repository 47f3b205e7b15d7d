"""The training loop equals gradient descent written out, goes on where it was killed, and loses nothing on the way."""

import math
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from assay.data.delivery import Kept
from assay.errors import InputError, WorkspaceError
from assay.models import examples, fitting, network
from assay.models.descent import OPTIMIZERS
from assay.models.examples import Arrays

torch = pytest.importorskip("torch", reason="the extra train is not installed")
TEXT = "conv 6, norm, pool, dense 16, dropout .3"
SCRIPT = """
import os, signal, sys
from pathlib import Path
import numpy as np
from assay.data.delivery import Kept
from assay.models import fitting, network
from assay.models.descent import OPTIMIZERS
from assay.models.examples import Arrays

folder, text, optimizer = Path(sys.argv[1]), *sys.argv[2:4]
# What every process below would import first: torch itself, and what its optimizers want when one is made.
OPTIMIZERS[optimizer]([network.torch().zeros(1, requires_grad=True)], 1.0, 0.0)

def train(place, moment):
    passed = 0
    def tell(done):
        nonlocal passed
        passed += 1
        if passed == moment:
            os.kill(os.getpid(), signal.SIGKILL)
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (400, 8, 8)).astype(np.uint8), rng.integers(0, 10, 400)
    net = network.small_cnn(text, size=(8, 8), channels=1, classes=10, seed=3)
    fitting.fit(net, Arrays(x[:300], y[:300]), Arrays(x[300:], y[300:]), epochs=5, schedule="cosine", mixup=0.2,
                optimizer=optimizer, checkpoint=Kept(folder / place), threads=1, tell=tell)
    np.savez(folder / f"{place}.npz", **network.arrays(net))

for place, *moments in [["whole"], *([word, *map(int, word.split("-"))] for word in sys.argv[4:])]:
    for moment in [*moments, -1]:
        child = os.fork()
        if not child:
            train(place, moment)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        assert os.waitstatus_to_exitcode(status) == (0 if moment < 0 else -signal.SIGKILL), (place, moment, status)
"""


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return (x.reshape(-1, 8, 8) * 15).astype(np.uint8), y


@pytest.fixture
def parts(digits):
    x, y = digits
    return Arrays(x[:300], y[:300]), Arrays(x[300:400], y[300:400])


def net(seed=0, text=TEXT):
    return network.small_cnn(text, size=(8, 8), channels=1, classes=10, seed=seed)


def line(d, k, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.nn.Sequential(torch.nn.Linear(d, k))


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize("soft", [True, False])
def test_learning_is_gradient_descent_written_out(schedule, soft):
    rng = np.random.default_rng(1)
    n, d, k, rate, epochs = 12, 5, 3, 0.3, 4
    x, labels = rng.normal(size=(n, d)).astype(np.float32), rng.integers(0, k, n)
    weights = np.array([0.5, 2, 1])
    truth = rng.dirichlet(np.ones(k), n) if soft else np.eye(k)[labels]
    module = line(d, k)
    w, b = (array.astype(float) for array in network.arrays(module).values())
    fitting.fit(
        module, Arrays(x, truth.astype(np.float32) if soft else labels), None, optimizer="sgd", learning_rate=rate,
        schedule=schedule, epochs=epochs, batch_size=64, class_weights=weights, threads=1,
    )  # fmt: skip
    moved = [np.zeros_like(w), np.zeros_like(b)]
    for epoch in range(epochs):
        chances = np.exp(x @ w.T + b)
        chances /= chances.sum(axis=1, keepdims=True)
        slope = (chances - truth) * (truth @ weights)[:, None] / n
        now = rate * (0.5 + 0.5 * math.cos(math.pi * epoch / epochs) if schedule == "cosine" else 1)
        for i, gradient in enumerate((slope.T @ x, slope.sum(axis=0))):
            moved[i] = 0.9 * moved[i] + gradient
            step = now * (gradient + 0.9 * moved[i])  # Nesterov's momentum
            w, b = (w - step, b) if i == 0 else (w, b - step)
    found = network.arrays(module)
    np.testing.assert_allclose(found["0.weight"], w, atol=1e-5)
    np.testing.assert_allclose(found["0.bias"], b, atol=1e-5)


def test_a_network_learns_digits_and_has_the_weights_of_its_best_epoch(parts):
    module = net()
    heard = []
    history = fitting.fit(module, *parts, epochs=12, learning_rate=5e-3, threads=1, listen=heard.append)
    assert heard == list(history.epochs)
    assert history.stopped == "done"
    best = min(history.epochs, key=lambda e: e.val_loss)
    assert history.best == best.number
    assert best.val_accuracy > 0.85
    logits = fitting.predict(module, parts[1], threads=1).astype(float)
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(100), parts[1].y]
    assert losses.mean() == pytest.approx(best.val_loss, rel=1e-5)
    assert (logits.argmax(axis=1) == parts[1].y).mean() == best.val_accuracy


def test_seed_and_examples_alone_decide(parts):
    found = []
    for seed in (0, 0, 1):
        module = net()
        fitting.fit(module, *parts, epochs=2, seed=seed, mixup=0.3, threads=1)
        found.append(network.arrays(module))
    assert same(found[0], found[1])
    assert not same(found[0], found[2])


def test_what_torch_draws_and_how_it_counts_is_left_alone(parts):
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    fitting.fit(net(), *parts, epochs=1, threads=threads + 1)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def interrupted(parts, place, *, after, **options):
    """Train until so many batches are asked for, and then on to the end with a new network."""
    asked = iter(range(10**6))
    first = fitting.fit(
        net(), *parts, checkpoint=Kept(place), stop=lambda: next(asked) >= after, threads=1, epochs=4, **options
    )
    module = net()
    return first, module, fitting.fit(module, *parts, checkpoint=Kept(place), threads=1, epochs=4, **options)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("after", [3, 25, 39])
def test_a_training_that_was_stopped_goes_on_to_the_bit(parts, tmp_path, optimizer, after):
    options = {"optimizer": optimizer, "learning_rate": 2e-3, "schedule": "cosine", "weight_decay": 0.01}
    whole = net()
    expected = fitting.fit(whole, *parts, threads=1, epochs=4, **options)
    first, module, history = interrupted(parts, tmp_path / "kept", after=after, **options)
    assert first.stopped == "asked"
    assert len(first.epochs) == after // 10
    assert same(network.arrays(module), network.arrays(whole))
    assert [(e.train_loss, e.val_loss) for e in history.epochs] == [(e.train_loss, e.val_loss) for e in expected.epochs]


def killed(folder, places, *, optimizer):
    """Train whole, and in processes that kill themselves after so many batches; return all weights, the whole first."""
    command = [sys.executable, "-c", SCRIPT, str(folder), TEXT, optimizer, *places]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [dict(np.load(folder / f"{place}.npz")) for place in ["whole", *places]]


def test_a_training_that_was_killed_twice_goes_on_to_the_bit(tmp_path):
    whole, parts = killed(tmp_path, ["13-21"], optimizer="adam")
    assert same(whole, parts)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_training_killed_at_ten_random_moments_goes_on_to_the_bit(tmp_path, optimizer):
    moments = np.random.default_rng(0).choice(np.arange(1, 50), 10, replace=False)
    whole, *parts = killed(tmp_path, [str(moment) for moment in moments], optimizer=optimizer)
    assert [same(whole, weights) for weights in parts] == [True] * 10


def test_a_listener_hears_the_epochs_before_a_kill_as_well(parts, tmp_path):
    fitting.fit(net(), *parts, epochs=2, checkpoint=Kept(tmp_path / "kept"), threads=1)
    heard = []
    again = fitting.fit(net(), *parts, epochs=2, checkpoint=Kept(tmp_path / "kept"), threads=1, listen=heard.append)
    assert heard == list(again.epochs)
    assert len(heard) == 2


@pytest.mark.parametrize("change", ["examples", "settings", "weights", "damage", "noise"])
def test_a_checkpoint_of_another_training_is_refused_and_kept(parts, tmp_path, change):
    kept = Kept(tmp_path / "kept")
    fitting.fit(net(), *parts, epochs=1, checkpoint=kept, threads=1)
    train, val = parts
    module, options = net(seed=change == "weights"), {"epochs": 2 if change == "settings" else 1}
    if change == "examples":
        train = Arrays(train.x, np.roll(train.y, 1))
    if change == "damage":
        kept.path.write_bytes(kept.read()[:-7])
    if change == "noise":
        kept.path.write_bytes(bytes(1000))
    before, began = kept.read(), network.arrays(module)
    with pytest.raises(InputError, match=r"checkpoint must be .*remove it to begin anew"):
        fitting.fit(module, train, val, checkpoint=kept, threads=1, **options)
    assert kept.read() == before
    assert same(network.arrays(module), began)


def test_it_stops_when_nothing_gets_better(digits):
    x, y = digits
    train, val = Arrays(x[:60], y[:60]), Arrays(x[60:120], np.roll(y[60:120], 7))  # labels that cannot be learned
    history = fitting.fit(net(), train, val, epochs=200, patience=3, learning_rate=0.01, threads=1)
    assert history.stopped == "patience"
    assert len(history.epochs) == history.best + 3
    assert f"after epoch {history.best}" in history.words


@dataclass(frozen=True)
class Poisoned:
    """Examples that hold numbers which are none, from an epoch on."""

    inner: Arrays
    since: int
    identity: str = "poisoned"

    def __len__(self):
        return len(self.inner)

    def batch(self, indices, *, epoch):
        x, y = self.inner.batch(indices, epoch=epoch)
        return (np.full(x.shape, np.nan, np.float32) if epoch >= self.since else x), y


def test_a_loss_that_is_no_number_stops_it_with_the_last_good_weights(parts, tmp_path):
    good, module = net(), net()
    fitting.fit(good, *parts, epochs=9, stop=iter([False] * 20 + [True] * 9).__next__, threads=1)
    history = fitting.fit(
        module, Poisoned(parts[0], since=3), parts[1], epochs=9, checkpoint=Kept(tmp_path / "kept"), threads=1
    )
    assert history.stopped == "not finite"
    assert len(history.epochs) == 2
    assert "loss of epoch 3 is not finite" in history.words
    assert same(network.arrays(module), network.arrays(good))
    kept = (tmp_path / "kept").read_bytes()
    again = fitting.fit(
        net(), Poisoned(parts[0], since=3), parts[1], epochs=9, checkpoint=Kept(tmp_path / "kept"), threads=1
    )
    assert again == history
    assert (tmp_path / "kept").read_bytes() == kept


def test_a_loss_that_is_never_a_number_leaves_the_first_weights(parts):
    module = net()
    before = network.arrays(module)
    with pytest.raises(InputError, match=r"loss must be finite.*epoch 1.*learning rate 1e\+30.*lower learning_rate"):
        fitting.fit(module, *parts, optimizer="sgd", learning_rate=1e30, threads=1)
    assert same(network.arrays(module), before)


def test_a_listener_that_fails_leaves_the_best_weights(parts):
    module = net()

    def fail(epoch):
        if epoch.number == 2:
            raise RuntimeError("the listener broke")

    with pytest.raises(RuntimeError, match="listener broke"):
        fitting.fit(module, *parts, epochs=3, listen=fail, threads=1)
    assert not module.training
    assert not same(network.arrays(module), network.arrays(net()))


def test_frozen_parts_and_their_running_means_stay(parts):
    module = net(text="conv 3, norm, conv 4, norm, mean")
    for name in ("conv 1", "norm 1"):
        module.get_submodule(name).requires_grad_(requires_grad=False)
    before = network.arrays(module)
    fitting.fit(module, *parts, epochs=1, threads=1)
    moved = {name.rsplit(".", 1)[0] for name, array in network.arrays(module).items() if (array != before[name]).any()}
    assert moved == {"conv 2.0", "norm 2", "classes.1"}


def test_a_network_that_is_all_frozen_cannot_learn(parts):
    with pytest.raises(InputError, match="must have weights that take gradients"):
        fitting.fit(net().requires_grad_(requires_grad=False), *parts)


def test_one_example_alone_goes_with_the_batch_before_it(parts):
    train = Arrays(parts[0].x[:33], parts[0].y[:33])
    history = fitting.fit(net(), train, None, epochs=1, batch_size=32, threads=1)
    assert history.best == 1
    assert history.epochs[0].val_loss is None
    assert [len(b) for b in examples.batches(np.arange(65), size=32)] == [32, 33]
    assert [len(b) for b in examples.batches(np.arange(64), size=32)] == [32, 32]
    assert [len(b) for b in examples.batches(np.arange(1), size=32)] == [1]


def test_mixing_examples_that_are_alike_changes_nothing(parts):
    train = Arrays(np.repeat(parts[0].x[:1], 8, axis=0), np.repeat(parts[0].y[:1], 8))
    text = "conv 6, mean"
    losses = [fitting.fit(net(text=text), train, None, epochs=3, mixup=m, threads=1).epochs for m in (0, 0.4)]
    assert [e.train_loss for e in losses[0]] == pytest.approx([e.train_loss for e in losses[1]], rel=1e-4)


def test_a_loss_of_ones_own_learns_distributions():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 4)).astype(np.float32)
    y = np.exp(x @ rng.normal(size=(4, 5)))
    y = (y / y.sum(axis=1, keepdims=True)).astype(np.float32)

    def distance(outputs, targets):
        return (outputs.softmax(1).cumsum(1) - targets.cumsum(1)).square().mean(1).sqrt()

    all_of_it = Arrays(x, y)
    history = fitting.fit(line(4, 5), all_of_it, all_of_it, loss=distance, epochs=30, learning_rate=0.05, threads=1)
    assert history.epochs[-1].val_loss < 0.3 * history.epochs[0].train_loss


def test_half_precision_in_a_cache_is_counted_in_floats():
    x = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float16)
    module = line(4, 3)
    found = fitting.predict(module, Arrays(x, np.zeros(8, int)), threads=1)
    weight, bias = network.arrays(module).values()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, x.astype(np.float32) @ weight.T + bias, atol=1e-6)


def test_what_is_said_of_an_example_does_not_depend_on_its_batch(parts):
    module = net()
    fitting.fit(module, *parts, epochs=1, threads=1)
    found = [fitting.predict(module, parts[1], batch_size=size, threads=1) for size in (7, 100)]
    np.testing.assert_allclose(*found, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "hinge"}, "loss must be one of cross-entropy, got 'hinge'"),
        ({"optimizer": "lbfgs"}, "optimizer must be one of adam, rmsprop, sgd, got 'lbfgs'"),
        ({"schedule": "step"}, "schedule must be one of constant, cosine, got 'step'"),
        ({"epochs": 0}, "epochs must be >= 1, got 0"),
        ({"batch_size": 1}, "batch_size must be >= 2, got 1"),
        ({"learning_rate": 0}, "learning_rate must be a finite number > 0, got 0"),
        ({"learning_rate": math.nan}, "learning_rate must be a finite number > 0, got nan"),
        ({"weight_decay": -1}, "weight_decay must be >= 0, got -1"),
        ({"mixup": math.nan}, "mixup must be >= 0, got nan"),
        ({"patience": 0}, "patience must be >= 1"),
        ({"threads": 0}, "threads must be >= 1, got 0"),
        ({"class_weights": np.ones(3)}, "class_weights must be 10 numbers >= 0"),
        ({"class_weights": np.full(10, np.nan)}, "class_weights must be 10 numbers >= 0"),
    ],
)
def test_options_outside_their_range_are_refused(parts, options, message):
    with pytest.raises(InputError, match=message):
        fitting.fit(net(), *parts, **options)


def test_examples_that_do_not_fit_are_refused(parts):
    train, val = parts
    with pytest.raises(InputError, match="labels must be 0 to 9, got 0 to 10"):
        fitting.fit(net(), Arrays(train.x, np.arange(300) % 11), val, threads=1)
    with pytest.raises(InputError, match=r"targets must be \(32, 10\), got \(32, 3\)"):
        fitting.fit(net(), Arrays(train.x, np.ones((300, 3), np.float32)), val, threads=1)
    with pytest.raises(InputError, match="2 examples or more, and 1 to validate on, got 1 and 100"):
        fitting.fit(net(), Arrays(train.x[:1], train.y[:1]), val)
    with pytest.raises(InputError, match="patience must be >= 1 and needs examples to validate on, got 3"):
        fitting.fit(net(), train, None, patience=3)
    with pytest.raises(InputError, match="x and y must be of one length, got 300 and 299"):
        Arrays(train.x, train.y[1:])


def test_balanced_weights_let_every_class_count_alike():
    labels = np.array([0] * 7 + [1] * 2 + [2])
    weights = examples.balanced(labels, classes=3)
    sums = [weights[labels[labels == k]].sum() for k in range(3)]
    assert sums == pytest.approx([10 / 3] * 3)
    with pytest.raises(InputError, match=r"every one of 4 classes must have a label, got \[7, 2, 1, 0\]"):
        examples.balanced(labels, classes=4)


def test_examples_are_known_by_all_that_they_hold(parts):
    train, _ = parts
    others = [
        Arrays(train.x[::-1], train.y),
        Arrays(train.x, train.y[::-1]),
        Arrays(train.x.reshape(300, 4, 16), train.y),
        Arrays(train.x.astype(np.float32), train.y),
    ]
    assert len({a.identity for a in [train, *others]}) == 5
    assert train.identity == Arrays(train.x.copy(), train.y.copy()).identity


def test_a_disk_that_is_full_keeps_the_last_epoch(parts, tmp_path, monkeypatch):
    kept = Kept(tmp_path / "kept")
    fitting.fit(net(), *parts, epochs=3, checkpoint=kept, stop=iter([False] * 12 + [True] * 9).__next__, threads=1)
    before = kept.read()

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WorkspaceError, match="with room on its disk"):
        fitting.fit(net(), *parts, epochs=3, checkpoint=kept, threads=1)
    assert kept.read() == before
