"""Every public function keeps the house conventions."""

import importlib
import inspect
import pkgutil

import pytest

import assay

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
