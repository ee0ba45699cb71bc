"""Rules that somebody else wrote can neither reach the network nor fill the memory, and a broken file is never passed over."""

import pytest

from pipelines.checks._json_validator import closed_validator, refers_outside
from pipelines.errors import WorkbenchError
from pipelines.rules.expression import formula_fault
from pipelines.rules.json_demand import schema_fault
from pipelines.rules.text_pattern import of_phrases
from pipelines.scan import scan
from pipelines.sources.ingest import import_source
from pipelines.sources.locate import locate
from pipelines.store.project import Project


@pytest.mark.parametrize(
    "formula",
    [
        "len('a'.ljust(4000000000)) > 0",
        "len(('a'*99999).replace('a','a'*40000)) > 0",
        "len(f'{1:4000000000d}') > 0",
        "len('a'.zfill(4000000000)) > 0",
        "text.__class__",
    ],
)
def test_formulas_that_make_more_than_they_are_given_are_refused(formula):
    assert formula_fault(formula)


def test_a_text_cannot_be_formatted_and_a_number_has_a_remainder():
    from pipelines.rules.expression import Expression

    assert "for numbers" in Expression("len('%4000000000d' % 1) > 0")._failure("x")
    assert Expression("characters % 2 == 0 and text.lower().startswith('a')")._failure("Ab") is None


@pytest.mark.parametrize(
    "schema", [{"$ref": "http://localhost:9/x"}, {"$schema": "http://localhost:9/meta"}, {"items": {"$dynamicRef": "file:///etc/passwd"}}]
)
def test_a_schema_that_would_fetch_something_is_refused(schema):
    assert refers_outside(schema)
    assert schema_fault(schema)
    with pytest.raises(ValueError, match="another schema"):
        closed_validator(schema)


def test_the_published_dialects_and_inner_references_are_fine():
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {"a": {"type": "string"}}, "items": {"$ref": "#/$defs/a"}}
    assert schema_fault(schema) is None
    assert not closed_validator(schema).is_valid([1])


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("ni", "El niño", []),
        ("sal", "salón y sal", ["sal"]),
        ("año", "el año.", ["año"]),
        ("Größe", "Größenwahn", []),
        ("退款", "请退款吧", ["退款"]),
        ("C++", "in C++ now", ["C++"]),
    ],
)
def test_words_end_where_their_alphabet_says(phrase, text, found):
    pattern = of_phrases([phrase])
    assert [text[start:end] for start, end in pattern.spans(text)] == found


def test_a_broken_rules_file_stops_the_scan_and_the_snapshot(tmp_path):
    from pipelines.curation.recipe import Recipe
    from pipelines.curation.snapshot import build_snapshot

    (tmp_path / "rows.csv").write_text("question,answer\n" + "\n".join(f"What is {n}?,It is {n}." for n in range(20)), encoding="utf-8")
    project = Project.create(tmp_path / "project")
    import_source(project, tmp_path / "rows.csv")
    (project.folder / "rules.yaml").write_text("rules:\n  - {id: no-red, severity: eror, forbid: red}\n", encoding="utf-8")
    for step in (lambda: scan(project, without=("embeddings",)), lambda: build_snapshot(project, Recipe(), lambda **_: None)):
        with pytest.raises(WorkbenchError, match="severity"):
            step()
    (project.folder / "rules.yaml").write_bytes(b"rules: \xff\xfe")
    with pytest.raises(WorkbenchError, match="UTF-8"):
        scan(project, without=("embeddings",))


def test_nothing_named_is_no_source_and_other_projects_and_links_outside_are_left_out(tmp_path):
    with pytest.raises(WorkbenchError, match="No source"):
        locate("")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"question": "a", "answer": "b"}\n', encoding="utf-8")
    (tmp_path / "outside.jsonl").write_text("{}\n", encoding="utf-8")
    (folder / "link.jsonl").symlink_to(tmp_path / "outside.jsonl")
    other = Project.create(folder / "other")
    (other.folder / "rows.jsonl").write_text("{}\n", encoding="utf-8")
    found = locate(folder)
    assert [file.name for file in found.files] == ["a.jsonl"]
    assert found.left_out == ("other: not read, it is a Winnow project", "link.jsonl: not read, it is a link out of the folder")
