"""Imports inside the package keep to the table of docs/architecture.md."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "holmdel"
LEVELS = {
    "errors": 0,
    "version": 0,
    "deprecation": 0,
    "shapes": 0,
    "alphabet": 0,
    "notebook": 0,
    "processes": 0,
    "schema": 0,
    "settings": 0,
    "images": 1,
    "ops": 1,
    "networks": 1,
    "programs": 1,
    "evaluation": 1,
    "figures": 1,
    "files": 1,
    "devices": 1,
    "data": 2,
    "anatomy": 2,
    "tracing": 2,
    "drawing": 2,
    "checkpoint": 2,
    "engine": 2,
    "export": 2,
    "classifier": 2,
    "prediction": 2,
    "runtime": 2,
    "training": 3,
    "exchange": 4,
    "reading": 4,
    "reader_training": 4,
    "d2l": 4,
    "benchmark": 4,
    "insight": 4,
    "inspection": 4,
    "samples": 4,
    "verbs": 4,
    "scale": 4,
    "server": 5,
    "playground": 6,
    "cli": 6,
}
APART = {1: "one another"}  # the levels whose modules do not import one another
DEPTH = 12  # files in the longest chain that one import sets off


def modules() -> list[Path]:
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p.parent != PACKAGE or p.stem[0] != "_"]


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Returns the full names of the modules that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_every_module_has_a_level():
    assert {room(path) for path in modules()} <= LEVELS.keys()


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_left(path):
    here = room(path)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "holmdel" or len(parts) < 2 or parts[1] not in LEVELS:
            continue
        there = parts[1]
        if there == here:
            continue
        assert LEVELS[there] <= LEVELS[here], f"{here} imports {there}, which lies to its right"
        assert there != here
        if LEVELS[there] == LEVELS[here]:
            assert LEVELS[here] not in APART, f"{here} imports {there}: {APART[LEVELS[here]]}"


def test_the_lowest_level_needs_neither_torch_nor_numpy():
    for path in modules():
        if LEVELS[room(path)] == 0:
            assert not {n.split(".")[0] for n in imported(path)} & {"torch", "numpy"}


def test_networks_use_shapes_errors_and_settings_alone():
    for path in modules():
        if room(path) == "networks" and path.stem != "__init__":
            own = {name.split(".")[1] for name in imported(path) if name.startswith("holmdel.")}
            assert own <= {"shapes", "errors", "settings", "alphabet"}


def test_networks_do_not_import_one_another():
    for path in modules():
        if room(path) == "networks" and path.stem != "__init__":
            others = {name for name in imported(path) if name.startswith("holmdel.networks.")}
            assert not others


def test_exchange_reading_and_insight_know_neither_data_nor_trainings():
    for path in modules():
        if room(path) in ("exchange", "reading", "insight"):
            rooms = {name.split(".")[1] for name in imported(path) if name.startswith("holmdel.")}
            assert not rooms & {"data", "training", "verbs"}


def test_the_server_touches_data_through_others():
    for path in modules():
        if room(path) == "server":
            found = {name for name in imported(path) if name.startswith("holmdel.data")}
            assert not found, f"{path.name} imports {found}"


def test_the_classifier_knows_no_data_set():
    for path in modules():
        if room(path) == "classifier":
            assert not any(name.startswith("holmdel.data") for name in imported(path))


def test_the_documented_table_is_this_one():
    text = (PACKAGE.parents[1] / "docs" / "architecture.md").read_text(encoding="utf-8")
    for module, level in LEVELS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| {level} |"))
        assert module in row, f"docs/architecture.md does not have {module} on level {level}"


def dotted(path: Path) -> str:
    """Returns a file's name as a module: `holmdel.server.app`; a package's for its `__init__`."""
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


FILES = {dotted(path): path for path in PACKAGE.rglob("*.py")}


def run_imports(node: ast.AST, *, lazy: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yields the imports that run when the module is imported, or with `lazy` ever.

    Those under `if TYPE_CHECKING` never run.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not lazy:
            continue
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from run_imports(ast.Module(child.orelse), lazy=lazy)
        else:
            yield from run_imports(child, lazy=lazy)


def graph(*, lazy: bool) -> dict[str, set[str]]:
    """Returns the files of the package that each file imports, by their names as modules."""
    found: dict[str, set[str]] = {}
    for name, path in FILES.items():
        found[name] = set()
        for node in run_imports(ast.parse(path.read_text(encoding="utf-8")), lazy=lazy):
            for alias in node.names:
                of = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
                other = of + alias.name
                # What is no module is a name that its package or module defines.
                found[name].add(other if other in FILES else other.rpartition(".")[0])
        found[name] = (found[name] & FILES.keys()) - {name}
    return found


def test_no_files_import_one_another_in_a_circle():
    """Not inside a room either, and not by imports inside functions."""
    try:
        TopologicalSorter(graph(lazy=True)).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' < '.join(error.args[1])}")


def test_one_import_sets_off_no_long_chain():
    """A long chain is a way that a reader has to go; what is imported in functions is not on it."""
    imports = graph(lazy=False)
    chains: dict[str, list[str]] = {}
    for name in TopologicalSorter(imports).static_order():
        behind = max((chains[other] for other in sorted(imports[name])), key=len, default=[])
        chains[name] = [name, *behind]
    longest = max(chains.values(), key=len)
    assert len(longest) <= DEPTH, f"{len(longest)} files: {' > '.join(longest)}"
