"""Every public function keeps the house conventions."""

import dataclasses
import importlib
import inspect
import pkgutil
import typing

import pytest

import assay
from assay import cli
from assay.tasks import rating_training

MODULES = [
    importlib.import_module(m.name)
    for m in pkgutil.walk_packages(assay.__path__, "assay.")
    if m.name.split(".")[1] in {"pixels", "stats", "td", "data", "models", "workers", "report", "tasks"}
]
FUNCTIONS = [
    f
    for module in MODULES
    for name, f in vars(module).items()
    if inspect.isfunction(f) and f.__module__ == module.__name__ and not name.startswith("_")
]
CLASSES = [
    c
    for module in MODULES
    for name, c in vars(module).items()
    if inspect.isclass(c) and c.__module__ == module.__name__ and not name.startswith("_")
]
each = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f"{f.__module__}.{f.__name__}")


@each
def test_options_are_keyword_only(function):
    for p in inspect.signature(function).parameters.values():
        assert p.default is p.empty or p.kind is p.KEYWORD_ONLY, f"{p.name} must be keyword-only"


@each
def test_randomness_is_passed_in(function):
    p = inspect.signature(function).parameters.get("rng")
    assert p is None or (p.kind is p.KEYWORD_ONLY and p.default is p.empty)


@each
def test_the_docstring_names_every_argument(function):
    doc, parameters = inspect.getdoc(function), inspect.signature(function).parameters
    assert doc, "no docstring"
    if "Args:" in doc:
        missing = [name for name in parameters if f"    {name}: " not in doc]
        assert not missing, f"docstring leaves out {missing}"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__)
def test_every_module_says_what_it_is_for(module):
    assert module.__doc__
    assert module.__doc__.strip()


def test_the_public_names_are_what_they_say():
    assert sorted(assay.__all__) == [
        "Estimate",
        "augment",
        "compare",
        "compress",
        "decompress",
        "denoise",
        "describe",
        "export",
        "filter",
        "group",
        "judge",
        "learn",
        "look",
        "predict",
        "rate",
        "restore",
        "run",
        "scan",
    ]
    for name in assay.__all__:
        assert getattr(assay, name).__name__ == name
        assert (inspect.getdoc(getattr(assay, name)) or "").strip()
    with pytest.raises(AttributeError, match="module 'assay' has no attribute 'fly'"):
        assay.fly  # noqa: B018


@pytest.mark.parametrize("kind", CLASSES, ids=lambda c: f"{c.__module__}.{c.__name__}")
def test_results_are_frozen_and_every_class_says_what_it_is(kind):
    assert kind.__doc__
    if dataclasses.is_dataclass(kind):
        assert kind.__dataclass_params__.frozen
        assert not kind.__doc__.startswith(f"{kind.__name__}(")  # the one that dataclass makes


@pytest.mark.parametrize("verb", sorted(set(assay.__all__) - {"Estimate"}))
def test_a_command_takes_what_its_task_takes(verb):
    task = set(inspect.signature(getattr(assay, verb)).parameters) - {"tell", "stop"}
    (command,) = [c.callback for c in cli.app.registered_commands if c.callback.__name__ == verb]
    second = {"restore": {"train", "episodes", "seed"}}  # of a second task
    taught = set(inspect.signature(rating_training.train).parameters) - {"tell", "stop", "listen", "labels"}
    second["rate"] = {"train", *(taught - task)}
    learning = second.get(verb, set())
    assert set(inspect.signature(command).parameters) - {"json", "csv"} - learning == task


@pytest.mark.parametrize("verb", sorted(set(assay.__all__) - {"Estimate"}))
def test_a_result_shows_itself_in_a_notebook(verb):
    assert hasattr(typing.get_type_hints(getattr(assay, verb))["return"], "_repr_html_")
