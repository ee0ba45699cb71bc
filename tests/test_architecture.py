"""The house rules, read from the code itself."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = {
    "torch",
    "transformers",
    "trl",
    "peft",
    "accelerate",
    "datasets",
    "sentence_transformers",
    "sklearn",
    "faiss",
    "numba",
    "model2vec",
    "streamlit",
}
KERNELS = {"kernels.py": {"numba"}}
"""Compiled loops are decorated at module level; the module itself is imported inside functions only."""
FLOORS = [
    {"records", "errors", "executor", "models"},
    {"store", "features", "checks", "tokens", "jobs", "job_list", "progress", "worker"},
    {"sources", "duplicates", "clusters", "rules"},
    {"scan", "curation", "measurement", "record_features"},
    {"training"},
    {"evaluation"},
    {"cli", "commands", "quarantine_commands", "demo", "serve"},
]
FLOOR_BY_MODULE = {module: number for number, floor in enumerate(FLOORS) for module in floor}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(tree: ast.AST) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}


def top_level_imports(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= imports(ast.Module(body=[node], type_ignores=[]))
    return found


@pytest.mark.parametrize("path", modules("pipelines"), ids=lambda p: str(p.relative_to(ROOT)))
def test_pipelines_knows_no_app_and_imports_only_floors_below(path):
    names = imports(ast.parse(path.read_text(encoding="utf-8")))
    assert not {n for n in names if n.split(".")[0] in {"streamlit", "workbench"}}
    own = path.relative_to(ROOT / "pipelines").parts[0].removesuffix(".py")
    if own not in FLOOR_BY_MODULE:
        return
    used = {n.split(".")[1] for n in names if n.startswith("pipelines.")} - {own}
    above = {u for u in used if u in FLOOR_BY_MODULE and FLOOR_BY_MODULE[u] > FLOOR_BY_MODULE[own]}
    assert not above, f"{own} imports {above} from a floor above"


@pytest.mark.parametrize("path", modules("pipelines") + modules("workbench"), ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_libraries_are_imported_inside_functions(path):
    allowed = {"streamlit"} if path.is_relative_to(ROOT / "workbench") else KERNELS.get(path.name, set())
    top = {n.split(".")[0] for n in top_level_imports(ast.parse(path.read_text(encoding="utf-8")))}
    assert not (top & HEAVY) - allowed


@pytest.mark.parametrize("path", modules("workbench"), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_app_never_imports_what_a_job_should_do(path):
    names = {n.split(".")[0] for n in imports(ast.parse(path.read_text(encoding="utf-8")))}
    assert not names & (HEAVY - {"streamlit"} | {"sqlite3", "pickle", "multiprocessing"})


@pytest.mark.parametrize("path", modules("pipelines") + modules("workbench"), ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_is_ever_pickled(path):
    source = path.read_text(encoding="utf-8")
    assert "pickle.load" not in source and "allow_pickle=True" not in source and "trust_remote_code=True" not in source


def test_every_command_and_every_check_is_named_in_the_readme():
    from pipelines.checks import all_checks
    from pipelines.cli import build_parser

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = next(a.choices for a in build_parser()._actions if a.choices and a.dest != "format")
    assert [c for c in commands if f"winnow {c}" not in readme] == []
    assert [c for c in all_checks() if f"`{c}`" not in readme] == []
