import errno
import json
import subprocess
import sys

import pytest

from pipelines import cli

HEAVY = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "datasets",
    "sklearn",
    "pandas",
    "numpy",
    "pyarrow",
    "duckdb",
    "streamlit",
    "sqlalchemy",
    "numba",
    "faiss",
)


def test_help_imports_no_heavy_module():
    code = (
        "import sys; from pipelines import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print(sorted(set(m.split('.')[0] for m in sys.modules) & set({HEAVY!r})), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"
    assert "import" in ran.stdout and "evaluate" in ran.stdout


def test_naming_every_check_imports_no_heavy_module():
    code = (
        "import sys; from pipelines.checks import all_checks; all_checks()\n"
        f"print(sorted(set(m.split('.')[0] for m in sys.modules) & set({HEAVY!r})))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_wrong_usage_exits_2_and_a_user_error_exits_1_in_one_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as wrong:
        cli.main(["import"])
    assert wrong.value.code == 2
    capsys.readouterr()
    assert cli.main(["--project", str(tmp_path / "none"), "scan", "--json"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1 and "No Winnow project" in said.err


def test_no_command_shows_the_help_and_exits_2(capsys):
    assert cli.main([]) == 2
    assert "usage: winnow" in capsys.readouterr().out


@pytest.mark.parametrize("where", ["before", "after"])
def test_json_may_stand_before_or_after_the_command(project, capsys, where):
    words = (
        ["--project", str(project.folder), "--json", "jobs"] if where == "before" else ["jobs", "--json", "--project", str(project.folder)]
    )
    assert cli.main(words) == 0
    assert json.loads(capsys.readouterr().out) == {"jobs": []}


def test_a_decision_about_a_row_that_is_not_there_is_refused(project, capsys):
    assert cli.main(["--project", str(project.folder), "decide", "0" * 32, "drop"]) == 1
    assert "has no row" in capsys.readouterr().err


def test_decide_decisions_and_undo(project, fill, capsys):
    from tests.conftest import chat

    (id,) = fill(project, [chat("Where is my parcel?", "On its way.")])
    run = ["--project", str(project.folder), "--json"]
    assert cli.main([*run, "decide", id, "drop", "--reason", "cut off"]) == 0
    seq = json.loads(capsys.readouterr().out)["seq"]
    assert cli.main([*run, "undo", str(seq)]) == 0
    capsys.readouterr()
    assert cli.main([*run, "decisions"]) == 0
    assert [(d["verdict"], d["reason"]) for d in json.loads(capsys.readouterr().out)["decisions"]] == [("drop", "cut off"), ("undo", "")]


def test_a_fix_is_listed_previewed_applied_and_taken_back(project, fill, capsys):
    from pipelines.scan import scan
    from tests.conftest import chat

    fill(project, [chat("Where is the form?", "On the counter &amp; online."), chat("Where else?", "Nowhere.")])
    scan(project, checks=["html_residue"])
    run = ["--project", str(project.folder), "--json"]

    def said(*words: str) -> dict:
        assert cli.main([*run, *words]) == 0
        return json.loads(capsys.readouterr().out)

    assert "html_residue" in {fix["check"] for fix in said("fix")["fixes"]}
    assert said("fix", "html_residue", "--preview")["fixable"] == 1
    done = said("fix", "html_residue")
    assert (done["rows"], done["fixed"], done["left"]) == (1, 1, 0)
    assert said("issues", "--check", "html_residue") == {"issues": []}
    assert said("undo", "--batch", done["batch"]) == {"undone": 1}
    assert len(said("issues", "--check", "html_residue")["issues"]) == 1
    assert cli.main([*run, "undo"]) == 1 and "Name one decision" in capsys.readouterr().err


def test_numbers_that_cannot_be_are_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as wrong:
        cli.main(["issues", "--limit", "-1"])
    assert wrong.value.code == 2
    (tmp_path / "rows.csv").write_text("question,answer\nWhat?,That.\n", encoding="utf-8")
    project = ["--project", str(tmp_path / "project")]
    assert cli.main([*project, "import", str(tmp_path / "rows.csv")]) == 0
    capsys.readouterr()
    assert cli.main([*project, "snapshot", "--split", "nan,nan,nan"]) == 1
    assert "three shares" in capsys.readouterr().err


@pytest.mark.parametrize(("damage", "said"), [("project.db", "project.db back from a copy"), ("records", "is damaged")])
def test_damaged_files_of_a_project_are_told_in_a_sentence(tmp_path, capsys, damage, said):
    (tmp_path / "rows.csv").write_text("question,answer\nWhat?,That.\n", encoding="utf-8")
    project = ["--project", str(tmp_path / "project")]
    assert cli.main([*project, "import", str(tmp_path / "rows.csv")]) == 0
    if damage == "records":
        part = next((tmp_path / "project" / "records").rglob("*.parquet"))
        part.write_bytes(part.read_bytes()[:200])
    else:
        (tmp_path / "project" / "project.db").write_bytes(b"no database at all" * 100)
    capsys.readouterr()
    assert cli.main([*project, "scan", "--without", "embeddings"]) == 1
    assert said in capsys.readouterr().err


def test_a_fault_of_the_system_is_told_in_a_sentence_and_a_fault_of_our_own_is_not_hidden(monkeypatch, capsys):
    def fail(error):
        def command(options):
            raise error

        return command

    monkeypatch.setattr("pipelines.commands.list_checks", fail(OSError(errno.ENOSPC, "No space left on device")))
    assert cli.main(["checks"]) == 1
    assert "make room" in capsys.readouterr().err
    monkeypatch.setattr("pipelines.commands.list_checks", fail(FileNotFoundError(errno.ENOENT, "No such file", "model.gguf")))
    assert cli.main(["checks"]) == 1
    assert "No such file: model.gguf. What was finished is kept: check that" in capsys.readouterr().err
    monkeypatch.setattr("pipelines.commands.list_checks", fail(ValueError("a bug")))
    with pytest.raises(ValueError, match="a bug"):
        cli.main(["checks"])


@pytest.mark.parametrize(
    "words",
    [
        ["import", ""],
        ["--project", " ", "scan"],
        ["report", "-o", ""],
        ["export", "abc", "--to", "csv", "-o", ""],
        ["held-out", ""],
        ["evaluate", "run", "--on", ""],
        ["serve", "--port", "99999"],
    ],
)
def test_an_empty_name_and_a_port_that_cannot_be_are_wrong_usage(words, capsys):
    with pytest.raises(SystemExit) as wrong:
        cli.main(words)
    assert wrong.value.code == 2
    assert ("it is empty" in (said := capsys.readouterr().err)) or "they end at 65535" in said


@pytest.mark.parametrize("place", ["folder", "file.txt/report.md"])
def test_a_report_that_cannot_be_written_is_told_in_a_sentence_and_leaves_nothing(project, tmp_path, capsys, place):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.txt").touch()
    before = sorted(tmp_path.iterdir())
    assert cli.main(["--project", str(project.folder), "report", "-o", str(tmp_path / place)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"Cannot write {tmp_path / place}: ") and said.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_decision_number_beyond_every_number_is_not_found(project, capsys):
    assert cli.main(["--project", str(project.folder), "undo", "99999999999999999999999"]) == 1
    assert "There is no decision 99999999999999999999999 to undo" in capsys.readouterr().err


def test_what_may_stay_is_listed_added_and_removed(project, fill, capsys):
    from tests.conftest import chat

    def winnow(*words: str) -> dict:
        assert cli.main(["--project", str(project.folder), "--json", *words]) == 0
        return json.loads(capsys.readouterr().out)

    fill(project, [chat("How do I reach you?", "Write to help@harbour.io.")])
    assert winnow("allow") == {"allowed": []}
    assert winnow("scan", "--checks", "email_address")["checks"]["email_address"]["flagged"] == 1
    assert winnow("allow", "*@harbour.io", "+49 30 901820") == {"allowed": ["*@harbour.io", "+49 30 901820"]}
    assert winnow("issues", "--check", "email_address") == {"issues": []}
    assert winnow("allow", "--remove", "*@harbour.io") == {"allowed": ["+49 30 901820"]}
    assert len(winnow("issues", "--check", "email_address")["issues"]) == 1
    assert cli.main(["--project", str(project.folder), "allow", "--remove", "x"]) == 1
    assert "is not on the list" in capsys.readouterr().err
