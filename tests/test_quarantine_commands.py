"""The command line tells what was set aside, mends it, and reads sources as a saved mapping says."""

import json

import pytest

from pipelines import cli
from pipelines.sources.mappings import SavedMapping, fitting_mappings, save_mapping, saved_mappings
from pipelines.store.project import Project
from tests.sources.test_ingest import A, prompts, write


@pytest.fixture
def run(tmp_path, capsys):
    """Runs a command in one project; returns its JSON, or its sentence when it fails."""

    def run_command(*words: str):
        status = cli.main(["--project", str(tmp_path / "p"), "--json", *words])
        said = capsys.readouterr()
        return json.loads(said.out) if status == 0 else said.err.strip().splitlines()[-1]

    return run_command


GERMAN = {"frage": "F", "antwort": "W"}


def test_a_mapping_saved_by_one_import_is_used_by_name_in_the_next(run, tmp_path):
    told = ("--map", "question=frage", "--map", "answer=antwort")
    assert run("import", str(write(tmp_path / "a.jsonl", GERMAN)), *told, "--save-mapping", "german")["records"] == 1
    assert run("mappings")["mappings"] == [
        {
            "name": "german",
            "format": "auto",
            "mapping": {"question": "frage", "answer": "antwort"},
            "roles": {},
            "columns": ["frage", "antwort"],
        }
    ]
    again = write(tmp_path / "b.jsonl", GERMAN | {"frage": "G"})
    assert run("import", str(again), "--mapping", "german")["records"] == 1
    assert run("import", str(again), "--mapping", "french") == 'There is no mapping "french". The saved mappings are: german.'
    assert run("mappings", "--delete", "german") == {"mappings": []}


def test_a_role_is_what_the_command_says(run, tmp_path):
    row = {"messages": [{"role": "customer", "content": "Q"}, {"role": "agent", "content": "A"}]}
    path = str(write(tmp_path / "a.jsonl", row))
    assert run("import", path, "--preview")["unknown_roles"] == ["customer", "agent"]
    assert run("import", path, "--role", "customer=user", "--role", "agent=assistant")["records"] == 1
    assert prompts(Project.open(tmp_path / "p")) == [(0, "Q")]
    assert run("import", path, "--role", "agent=robot") == (
        'The role "agent" cannot be "robot". Choose one of system, user, assistant, tool.'
    )


def test_a_role_that_was_imported_is_named_later(run, tmp_path):
    row = {"messages": [{"role": "customer", "content": "Is it open?"}, {"role": "agent_x", "content": "Yes."}]}
    run("import", str(write(tmp_path / "a.jsonl", row)))
    run("scan", "--checks", "unknown_role")
    assert run("fix", "unknown_role", "--preview")["fixable"] == 0, "nothing says who agent_x is"
    assert run("fix", "unknown_role", "--role", "agent_x=assistant")["fixed"] == 1
    assert run("scan", "--checks", "unknown_role")["checks"]["unknown_role"]["flagged"] == 0


def test_rows_set_aside_are_counted_listed_mended_and_tried_again(run, tmp_path):
    run("import", str(write(tmp_path / "a.jsonl", A, GERMAN, GERMAN | {"frage": "G"}, "broken")))
    (found,) = run("quarantine")["imports"]
    assert [(group["rows"], group["file"]) for group in found["groups"]] == [(2, "a.jsonl"), (1, "a.jsonl")]
    assert [(r["import"], r["line"], r["row"]) for r in run("quarantine", "--rows", "--limit", "2")["rows"]] == [(1, 0, 2), (1, 1, 3)]
    assert run("quarantine", "--mend", "1:2", str(write(tmp_path / "mended.txt", {"question": "Qm", "answer": "Am"})))["new"] == 1
    told = ("--map", "question=frage", "--map", "answer=antwort")
    assert run("quarantine", "--retry", *told) == {"tried": 2, "mended": 2, "records": 2, "duplicate_rows": 0, "waiting": 0}
    assert run("quarantine")["imports"][0] | {"groups": []} == {
        "id": 1, "name": "a.jsonl", "rejected": 3, "mended": 3, "waiting": 0, "groups": [],
    }  # fmt: skip
    assert run("quarantine", "--import", "7").startswith("Import 7 has set no row aside")
    assert run("quarantine", "--mend", "1", "x").startswith('"1" is no place of a row.')


def test_a_mapping_is_offered_for_sources_with_its_columns_the_closest_first(project):
    for name, columns in (("wide", ("a", "b")), ("exact", ("a", "b", "c")), ("other", ("x",)), ("without columns", ())):
        save_mapping(project, SavedMapping(name, "qa", {"question": columns[0]} if columns else {}, {"bot": "assistant"}, columns))
    assert [mapping.name for mapping in fitting_mappings(project, ["c", "b", "a"])] == ["exact", "wide"]
    assert saved_mappings(project)[0] == SavedMapping("exact", "qa", {"question": "a"}, {"bot": "assistant"}, ("a", "b", "c"))
