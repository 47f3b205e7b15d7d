"""What a network of torch does when it is used, its steps do too."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.models import inference

torch = pytest.importorskip("torch", reason="networks need the extra train")
nn = torch.nn

from assay.models import network, traced  # noqa: E402


class Both(nn.Module):
    """Two ways that meet again."""

    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Conv2d(4, 6, 3, padding=1), nn.Conv2d(4, 6, 1)

    def forward(self, x):
        both = torch.relu(self.one(x)) + self.other(x)
        return torch.cat([both, both * self.other(x)], 1).flatten(1)


class BatchNormAct2d(nn.BatchNorm2d):
    """As timm has it: a normalisation and what comes behind it, in one."""

    def __init__(self, width):
        super().__init__(width)
        self.drop, self.act = nn.Identity(), nn.Hardswish()

    def forward(self, x):
        assert x.ndim == 4  # what is asked of the picture would stop the tracing
        return self.act(super().forward(x))


class Conv2dSame(nn.Conv2d):
    """As timm has it: as many zeros as make sides shrink by the stride alone, the odd one behind."""

    def forward(self, x):
        pads = [max((-(-n // 2) - 1) * 2 + 3 - n, 0) for n in (x.shape[3], x.shape[2])]
        x = nn.functional.pad(x, [p // 2 + i * (p % 2) for p in pads for i in (0, 1)])
        return super().forward(x)


class Squeezed(nn.Module):
    """Each map times a number that all maps agree on."""

    def forward(self, x):
        return x * x.mean((2, 3), keepdim=True).sigmoid()


class Asks(nn.Module):
    """Goes by what is in the picture."""

    def forward(self, x):
        return x if x.sum() > 0 else -x


MODULES = {
    "convolutions": lambda: nn.Sequential(
        nn.Conv2d(4, 8, (3, 2), stride=2, padding=(1, 1)),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, groups=4, dilation=2, bias=False),
    ),
    "zeros before": lambda: nn.Sequential(nn.ZeroPad2d((0, 1, 2, 0)), nn.Conv2d(4, 5, 3, padding=1), nn.ReLU6()),
    "same": lambda: nn.Sequential(nn.Conv2d(4, 5, (3, 5), padding="same")),
    "norm": lambda: nn.Sequential(nn.BatchNorm2d(4), nn.Flatten(), nn.BatchNorm1d(4 * 81)),
    "pools": lambda: nn.Sequential(nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(2, padding=1)),
    "dense": lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.9), nn.Linear(4, 7, bias=False)),
    "activations": lambda: nn.Sequential(
        nn.SiLU(), nn.Hardswish(), nn.GELU(), nn.Tanh(), nn.Sigmoid(), nn.Hardsigmoid()
    ),
    "a norm with more": lambda: nn.Sequential(nn.Conv2d(4, 5, 3), BatchNormAct2d(5)),
    "same by stride": lambda: nn.Sequential(Conv2dSame(4, 5, 3, stride=2), Conv2dSame(5, 3, 3, stride=2)),
    "squeezed": Squeezed,
    "two ways": Both,
    "residual": lambda: network._parts()[1](nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU())),
}


def stirred(module):
    """Running means and everything else of a module, as if it had learned."""
    torch.manual_seed(0)
    for name, value in module.state_dict().items():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + ("var" in name))
    return module.train()  # what is written is the network in use, whatever it was doing


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_steps_do_what_the_network_does_when_it_is_used(make):
    module = stirred(make())
    made = traced.trace(module, (4, 9, 9), name="in", prefix="p ")
    assert all(step.name.startswith("p ") for step in made.steps)
    x = np.random.default_rng(0).normal(size=(3, 4, 9, 9)).astype("f4")
    with torch.no_grad():
        expected = module.eval()(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(inference.Runner(made).run(x), expected, atol=1e-4, rtol=1e-4)


REFUSED = {
    "an unknown layer": nn.LSTM(4, 4),
    "another padding": nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"),
    "ceil": nn.MaxPool2d(2, ceil_mode=True),
    "a mean without its zeros": nn.AvgPool2d(2, padding=1, count_include_pad=False),
    "a mean over parts": nn.AdaptiveAvgPool2d(2),
    "GELU by tanh": nn.GELU(approximate="tanh"),
    "a question": Asks(),
}


@pytest.mark.parametrize("layer", REFUSED.values(), ids=REFUSED)
def test_a_layer_without_a_step_is_named(layer):
    with pytest.raises(InputError, match=r"must be|must stop|must count|must do"):
        traced.trace(nn.Sequential(layer), (4, 9, 9), name="in")


def test_zeros_before_a_maximum_are_not_mistaken_for_its_border():
    with pytest.raises(InputError, match="must work on earlier ones"):
        traced.trace(nn.Sequential(nn.ZeroPad2d(1), nn.MaxPool2d(2)), (4, 9, 9), name="in")
