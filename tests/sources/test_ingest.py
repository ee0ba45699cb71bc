"""An import brings in all rows or none, loses nothing, and adds nothing twice."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pipelines import jobs
from pipelines.errors import Cancelled, WorkbenchError
from pipelines.sources import parts
from pipelines.sources.ingest import import_job, import_source
from pipelines.sources.quarantine import read_quarantine
from pipelines.sources.rows import MAX_RAW_CHARACTERS, Rejection
from pipelines.store import query
from pipelines.store.project import Project

A, B, C = ({"question": f"Q{i}", "answer": f"A{i}"} for i in "abc")


def write(path: Path, *rows: dict | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8")
    return path


def rows_of(project: Project, sql: str) -> list[tuple]:
    with query.connect(project) as connection:
        return connection.execute(sql).fetchall()


def prompts(project: Project) -> list[tuple]:
    return rows_of(project, "SELECT position, prompt FROM records ORDER BY position")


def places(project: Project) -> list[tuple]:
    return rows_of(project, "SELECT r.prompt, s.file, s.row FROM source_rows s JOIN records r ON s.record = r.id ORDER BY ALL")


def files(project: Project) -> list[str]:
    """Everything in the project but its database."""
    return sorted(p.relative_to(project.folder).as_posix() for p in project.folder.rglob("*") if p.is_file() and "project.db" not in p.name)


def test_equal_rows_are_one_record_with_all_their_places(project, tmp_path):
    report = import_source(project, write(tmp_path / "a.jsonl", A, B, {**A, "note": "again"}))
    assert (report.format, report.rows_read, report.records, report.duplicate_rows, report.rejected) == ("qa", 3, 2, 1, 0)
    assert (report.formats, report.notes) == ({"qa": 3}, [])
    assert Path(report.quarantine).read_bytes() == b"", "the file is there and holds nothing"
    assert prompts(project) == [(0, "Qa"), (1, "Qb")]
    assert places(project) == [("Qa", "a.jsonl", 1), ("Qa", "a.jsonl", 3), ("Qb", "a.jsonl", 2)]


def test_rows_that_the_project_already_has_are_merged_and_positions_go_on(project, tmp_path):
    import_source(project, write(tmp_path / "a.jsonl", A, B))
    report = import_source(project, write(tmp_path / "b.jsonl", B, C))
    assert (report.rows_read, report.records, report.duplicate_rows) == (2, 1, 1)
    assert prompts(project) == [(0, "Qa"), (1, "Qb"), (2, "Qc")]
    assert places(project) == [("Qa", "a.jsonl", 1), ("Qb", "a.jsonl", 2), ("Qb", "b.jsonl", 1), ("Qc", "b.jsonl", 2)]


def test_importing_the_same_file_twice_adds_no_record_and_no_place(project, tmp_path):
    path = write(tmp_path / "a.jsonl", A, B, A)
    import_source(project, path)
    before = (prompts(project), places(project), project.records_version)
    report = import_source(project, path)
    assert (report.rows_read, report.records, report.duplicate_rows) == (3, 0, 3)
    assert (prompts(project), places(project), project.records_version) == before
    assert [source["id"] for source in project.sources()] == [1, 2]


def test_rejected_rows_are_kept_with_place_reason_and_text(project, tmp_path):
    long = '{"question": "' + "x" * MAX_RAW_CHARACTERS
    path = write(tmp_path / "a.jsonl", A, "not json", '{"question": "\\ud800", "answer": "é"}', long, {"other": 1})
    report = import_source(project, path)
    assert (report.rows_read, report.records, report.duplicate_rows, report.rejected) == (5, 1, 0, 4)
    assert Path(report.quarantine) == project.quarantine_folder / f"0001-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.jsonl"
    assert list(read_quarantine(Path(report.quarantine))) == [
        Rejection("a.jsonl", 2, "It is not JSON: a row begins with an opening brace.", "not json"),
        Rejection(
            "a.jsonl",
            3,
            "It holds half a character (the lone surrogate U+D800). Write the whole character or take it out.",
            '{"question": "\\ud800", "answer": "é"}',
        ),
        Rejection("a.jsonl", 4, "It is cut off: the JSON is not closed. Complete it or take it out.", long[:MAX_RAW_CHARACTERS]),
        Rejection("a.jsonl", 5, "It has no question and no answer, which the format qa needs. Its columns are: other.", '{"other": 1}\n'),
    ]
    lines = [json.loads(line) for line in Path(report.quarantine).read_text("utf-8").splitlines()]
    assert [sorted(line) for line in lines] == [["file", "raw", "reason", "row"]] * 2 + [["file", "raw", "raw_cut", "reason", "row"]] + [
        ["file", "raw", "reason", "row"]
    ]


def test_the_original_is_kept_unchanged_under_its_hash(project, tmp_path):
    path = write(tmp_path / "a.jsonl", A)
    import_source(project, path)
    path.write_text("changed afterwards")
    (source,) = project.sources()
    kept = project.folder / source["kept"]
    assert kept == project.sources_folder / source["sha256"] / "a.jsonl"
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == source["sha256"]
    assert json.loads(kept.read_text()) == A
    assert not kept.is_symlink()
    assert kept.stat().st_nlink == 1


def test_the_row_of_the_sources_table_says_what_came_in(project, tmp_path):
    import_source(project, write(tmp_path / "a.csv", "q,a", "x,y", "z"), format="qa", mapping={"question": "q", "answer": "a"})
    (source,) = project.sources()
    assert {k: source[k] for k in ("id", "name", "format", "mapping", "rows_read", "records", "duplicate_rows", "rejected")} == {
        "id": 1,
        "name": "a.csv",
        "format": "qa",
        "mapping": {"question": "q", "answer": "a"},
        "rows_read": 2,
        "records": 1,
        "duplicate_rows": 0,
        "rejected": 1,
    }
    assert (project.folder / source["quarantine"]).is_file()


def test_columns_outside_the_format_are_kept_as_meta_of_the_first_row(project, tmp_path):
    import_source(project, write(tmp_path / "a.jsonl", {**A, "ticket": 7, "tags": ["x"]}, {**A, "ticket": 8}))
    assert rows_of(project, "SELECT meta FROM records") == [('{"tags":["x"],"ticket":7}',)]


def test_a_folder_is_read_in_order_with_mixed_formats(project, tmp_path):
    folder = tmp_path / "in"
    write(folder / "b" / "two.csv", "text,label", "hello,greeting")
    write(folder / "a.jsonl", A, A)
    write(folder / "c.json", json.dumps([{"instruction": "I", "output": "O"}]))
    write(folder / "README.md", "about")
    write(folder / ".hidden.jsonl", B)
    write(folder / "empty.jsonl")
    (folder / "empty.jsonl").write_bytes(b"")
    (folder / "bad.parquet").write_bytes(b"PAR1 broken")
    report = import_source(project, folder)
    assert (report.format, report.rows_read, report.records, report.duplicate_rows, report.rejected) == ("qa", 5, 3, 1, 1)
    assert report.formats == {"qa": 2, "classification": 1, "alpaca": 1}
    assert report.notes == ["README.md: not read, its ending is not one of a file with rows", "empty.jsonl: empty, it holds no rows"]
    assert places(project) == [("I", "c.json", 1), ("Qa", "a.jsonl", 1), ("Qa", "a.jsonl", 2), ("hello", "b/two.csv", 1)]
    (rejection,) = read_quarantine(Path(report.quarantine))
    assert (rejection.file, rejection.row) == ("bad.parquet", 0)
    (source,) = project.sources()
    assert (source["name"], source["kept"]) == ("in", f"sources/{source['sha256']}/in")
    assert (project.folder / source["kept"] / "b" / "two.csv").is_file()
    assert import_source(project, folder).records == 0


def test_the_project_itself_is_left_out_of_a_folder_around_it(tmp_path):
    project = Project.create(tmp_path / "project")
    write(tmp_path / "a.jsonl", A)
    assert import_source(project, tmp_path).rows_read == 1
    assert import_source(project, tmp_path).rows_read == 1


def test_a_saved_data_set_is_imported_and_kept(project, tmp_path):
    import datasets

    train, test = datasets.Dataset.from_list([A, B]), datasets.Dataset.from_list([C])
    datasets.DatasetDict({"train": train, "test": test}).save_to_disk(tmp_path / "saved")
    report = import_source(project, tmp_path / "saved")
    assert (report.rows_read, report.records) == (3, 3)
    assert places(project) == [("Qa", "train", 1), ("Qb", "train", 2), ("Qc", "test", 1)]
    kept = project.folder / project.sources()[0]["kept"]
    assert datasets.load_from_disk(kept)["train"][1] == B


def test_parts_are_of_bounded_size_and_hold_each_id_once(project, tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "ROWS_IN_A_PART", 10)
    monkeypatch.setattr(parts, "_ROWS_AT_ONCE", 4)
    import_source(project, write(tmp_path / "a.jsonl", *({"question": f"{i % 25}", "answer": "x"} for i in range(60))))
    assert [path.name.split("-")[2] for path in project.record_parts] == ["00000.parquet", "00001.parquet", "00002.parquet"]
    assert prompts(project) == [(i, str(i)) for i in range(25)]
    assert rows_of(project, "SELECT count(*), count(DISTINCT row) FROM source_rows") == [(60, 60)]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"format": "jsonl"},
            'There is no format "jsonl". Choose auto or one of preference, ranked_preference, unpaired_preference, openai, ',
        ),
        ({"mapping": {"question": "frage"}}, 'There is no column "frage" for question. The columns are: question, answer.'),
        ({"mapping": {"quest": "question"}}, "No format has the fields quest together. The fields are: preference: prompt, "),
        ({"format": "qa", "mapping": {"prompt": "question"}}, 'The format qa has no field "prompt". Its fields are: question, answer, '),
    ],
)
def test_a_wrong_format_or_mapping_is_refused_and_leaves_nothing(project, tmp_path, options, sentence):
    with pytest.raises(WorkbenchError) as refused:
        import_source(project, write(tmp_path / "a.jsonl", A), **options)
    assert str(refused.value).startswith(sentence)
    assert files(project) == [".import.lock"] or files(project) == []


def test_a_file_of_no_known_format_is_refused_with_its_columns(project, tmp_path):
    with pytest.raises(WorkbenchError) as refused:
        import_source(project, write(tmp_path / "a.csv", "foo,bar", "1,2"))
    assert str(refused.value) == (
        "No row of a.csv fits a known format. a.csv row 1: No known format has its columns: foo, bar. "
        "Say in the mapping which column holds what, e.g. question and answer."
    )


def test_progress_grows_from_zero_to_one(project, tmp_path):
    seen: list[float] = []

    def listen(fraction=None, message=None, **numbers):
        seen.append(fraction)

    import_source(project, write(tmp_path / "a.jsonl", *({"question": str(i), "answer": "x" * 50} for i in range(2000))), emit=listen)
    assert seen == sorted(seen)
    assert 0 < seen[0] <= 0.1
    assert 0.9 < seen[-1] <= 1


def test_a_stopped_import_leaves_nothing(project, tmp_path):
    def stop(fraction=None, message=None, **numbers):
        if message and message.startswith("Reading"):
            raise Cancelled

    path = write(tmp_path / "a.jsonl", *({"question": str(i), "answer": "x"} for i in range(1000)), "broken")
    with pytest.raises(Cancelled):
        import_source(project, path, emit=stop)
    assert project.sources() == []
    assert [name for name in files(project) if name != ".import.lock"] == []


KILLED = """
import os, sys
from pathlib import Path
from pipelines.sources.ingest import import_source
from pipelines.store.project import Project
moves, rename = int(sys.argv[3]), Path.rename
def die_after_some_moves(self, target):
    global moves
    if "importing" in str(self) and not str(self).endswith(".part"):
        moves -= 1
        if moves < 0:
            os._exit(9)
    return rename(self, target)
Path.rename = die_after_some_moves
import_source(Project.open(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.parametrize("moves", [0, 1, 2, 3])
def test_an_import_killed_while_it_moves_its_files_in_is_undone_by_the_next(project, tmp_path, moves):
    import_source(project, write(tmp_path / "a.jsonl", A))
    before = files(project)
    second = write(tmp_path / "b.jsonl", B, "broken")
    # 4 moves: the original, the quarantine, the source rows, the records
    assert subprocess.run([sys.executable, "-c", KILLED, str(project.folder), str(second), str(moves)], check=False).returncode == 9
    assert len(project.sources()) == 1
    import_source(project, write(tmp_path / "c.jsonl", C))
    assert prompts(project) == [(0, "Qa"), (1, "Qc")]
    assert places(project) == [("Qa", "a.jsonl", 1), ("Qc", "c.jsonl", 1)]
    assert len(files(project)) == len(before) + 4  # records, source rows, original and an empty quarantine
    assert not (project.folder / "importing").exists()


def test_a_second_import_at_the_same_time_is_refused(project, tmp_path):
    path = write(tmp_path / "a.jsonl", *({"question": str(i), "answer": "x"} for i in range(500)))
    inside, go_on = threading.Event(), threading.Event()

    def wait(fraction=None, message=None, **numbers):
        inside.set()
        go_on.wait(20)

    first = threading.Thread(target=import_source, args=(project, path), kwargs={"emit": wait})
    first.start()
    inside.wait(20)
    with pytest.raises(WorkbenchError, match=r"^Another import is going on in this project\. Wait until it is done\.$"):
        import_source(project, path)
    go_on.set()
    first.join()
    assert len(prompts(project)) == 500


def test_a_job_resumed_after_its_import_was_complete_only_reports_again(tmp_path):
    config = {"project": str(tmp_path / "p"), "source": str(write(tmp_path / "a.jsonl", A, A)), "format": "auto", "mapping": {}}
    folder = jobs.prepare(tmp_path / "job", "import", config)
    first = jobs.run(folder, import_job)
    assert first["records"] == 1
    assert jobs.run(folder, import_job) == first
    assert len(Project.open(tmp_path / "p").sources()) == 1


def test_memory_holds_ids_and_not_rows(project, tmp_path):
    path = tmp_path / "a.jsonl"
    with path.open("w") as file:
        for i in range(150):
            file.write(json.dumps({"question": f"Q{i}", "answer": "x" * 1_000_000}) + "\n")
    code = (
        "import resource, sys\nfrom pipelines.sources.ingest import import_source\nfrom pipelines.store.project import Project\n"
        "project = Project.open(sys.argv[1])\nbase = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert import_source(project, sys.argv[2]).records == 150\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(project.folder), str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 300_000, f"{int(done.stdout) / 1024:.0f} MB for a file of 150 MB"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_refused(project, tmp_path):
    path = write(tmp_path / "a.jsonl", A)
    path.chmod(0)
    with pytest.raises(WorkbenchError, match="Permission denied"):
        import_source(project, path)


def test_a_column_of_long_texts_that_is_not_learned_is_named(project, tmp_path):
    background = "The ward round noted this and that, and then some more of it, until the page was full."
    rows = [{"question": f"Q{i}", "answer": f"A{i}", "Background": background + str(i), "by": "Dr. Who"} for i in range(5)]
    report = import_source(project, write(tmp_path / "a.jsonl", *rows))
    (note,) = report.notes
    assert '"Background" holds long texts' in note and '--map context="Background"' in note
    mapped = import_source(Project.create(tmp_path / "p"), tmp_path / "a.jsonl", mapping={"context": "Background"})
    assert mapped.format == "context_qa" and mapped.notes == []


def test_a_first_row_taken_for_the_header_is_told_when_no_row_fits(project, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("Why so,Because\nHow so,Like this\n", encoding="utf-8")
    write(tmp_path / "in" / "b.jsonl", A)
    report = import_source(project, tmp_path / "in")
    assert (report.records, report.rejected) == (1, 1)
    assert "a.csv: none of its rows fits. Its first row was read as the names of the columns: “Why so”, “Because”" in report.notes


def test_what_stands_beside_a_list_of_rows_is_named_and_what_is_broken_is_kept(project, tmp_path):
    text = '{"about": {"question": "kept apart", "answer": "x"}, "data": [{"question": "Q", "answer": "A"}], "more": {"question": "cut'
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    report = import_source(project, tmp_path / "a.json")
    assert (report.rows_read, report.records, report.rejected) == (2, 1, 1)
    assert any("not read as rows: “about”" in note for note in report.notes)
    assert "cut" in next(read_quarantine(Path(report.quarantine))).raw


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": None, "tool_calls": [None]}]},
            "is null, not an object",
        ),
        ({"instruction": "Sort", "instances": [None]}, "is null, not an object"),
    ],
)
def test_null_in_the_place_of_an_object_is_said(project, tmp_path, row, sentence):
    report = import_source(project, write(tmp_path / "a.jsonl", A, row))
    assert (report.records, report.rejected) == (1, 1)
    assert sentence in next(read_quarantine(Path(report.quarantine))).reason
