import pytest

from pipelines.checks import all_checks
from pipelines.curation.issues import issues
from pipelines.errors import Cancelled, WorkbenchError
from pipelines.scan import scan
from tests.conftest import chat

FAST = ["empty_turn", "unknown_role", "no_answer"]


def times(project):
    return {p.name: p.stat().st_mtime_ns for p in project.measurements_folder.rglob("*.parquet")}


def test_a_scan_says_what_it_found(project, fill):
    ids = fill(project, [chat("Is it open?", "Yes."), chat("Broken", ""), chat("Nobody answers")])
    found = scan(project, checks=FAST)
    assert found["records"] == 3
    assert {name: c["flagged"] for name, c in found["checks"].items()} == {"empty_turn": 1, "unknown_role": 0, "no_answer": 1}
    assert [i["record"] for i in issues(project, "no_answer")] == [ids[2]]


def test_a_second_scan_measures_nothing_again(project, fill):
    fill(project, [chat("Is it open?", "Yes.")])
    scan(project, checks=FAST)
    before = times(project)
    scan(project, checks=FAST)
    assert times(project) == before


def test_new_rows_are_measured_and_the_old_ones_are_not(project, fill):
    fill(project, [chat("Is it open?", "Yes.")])
    scan(project, checks=FAST)
    before = times(project)
    fill(project, [chat("And now?", "")], part="0002-test-00000")
    assert scan(project, checks=FAST)["checks"]["empty_turn"]["flagged"] == 1
    assert before.items() <= times(project).items()


def test_a_cancelled_scan_keeps_what_it_finished_and_goes_on_there(project, fill):
    fill(project, [chat("Is it open?", "Yes.")])

    def stop_after_the_first(**event):
        if event.get("fraction"):
            raise Cancelled

    with pytest.raises(Cancelled):
        scan(project, checks=FAST, emit=stop_after_the_first)
    finished = list(project.measurements_folder.rglob("*.parquet"))
    assert finished, "what was finished before the cancel is on disk"
    assert scan(project, checks=FAST)["records"] == 1


@pytest.mark.parametrize(("checks", "sentence"), [(["nonsense"], "There is no check named nonsense"), (FAST, "no rows to scan yet")])
def test_a_scan_that_cannot_run_says_why(project, checks, sentence):
    with pytest.raises(WorkbenchError, match=sentence):
        scan(project, checks=checks)


def test_a_check_that_loses_a_row_is_caught(project, fill, monkeypatch):
    from dataclasses import replace

    import pipelines.scan as module
    from pipelines.checks import Measurements

    fill(project, [chat("Is it open?", "Yes."), chat("Broken", "")])
    broken = replace(all_checks()["empty_turn"], measure=lambda batch: Measurements([1.0]))
    monkeypatch.setattr(module, "known_checks", lambda project: {"empty_turn": broken})
    with pytest.raises(ValueError, match="1 values for 2 records"):
        scan(project, checks=["empty_turn"])


def test_a_large_set_is_measured_the_same_in_processes(project, fill, monkeypatch):
    import pyarrow.parquet as pq

    import pipelines.scan as module

    for part in range(4):
        fill(
            project, [chat(f"Question {part}-{n} about the invoice?", "Yes." if n else "") for n in range(3)], part=f"000{part}-test-00000"
        )

    def measured():
        found = scan(project, without=("embeddings",))
        tables = {p.relative_to(project.folder): pq.read_table(p) for p in sorted(project.measurements_folder.rglob("*.parquet"))}
        return {name: check["flagged"] for name, check in found["checks"].items()}, tables

    here = measured()
    for file in [*project.measurements_folder.rglob("*.parquet"), *project.features_folder.rglob("*.parquet")]:
        file.unlink()
    used = []
    apart = module.measure_apart
    monkeypatch.setattr(module, "_PARTS_PER_PROCESS", 1)
    monkeypatch.setattr(module.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(module, "measure_apart", lambda *asked: used.append(1) or apart(*asked))
    assert measured() == here and used == [1]


def test_a_scan_without_embeddings_leaves_out_what_needs_a_model(project, fill):
    fill(project, [chat("Is it open?", "Yes."), chat("Where is it?", "Here.")])
    found = scan(project, without=("embeddings",))
    assert set(all_checks()) - set(found["checks"]) == {name for name, check in all_checks().items() if "embeddings" in check.needs}
    assert "off_topic" not in found["checks"] and "near_duplicate" in found["checks"]
    assert (found["clusters"], found["encoder"]) == (None, None)
    assert not (project.features_folder / "map.parquet").exists()


@pytest.mark.slow
def test_a_whole_scan_finds_duplicates_conflicts_and_draws_the_map(project, fill):
    from pipelines.curation.decisions import connect

    question = "My site shows a blank page after the update and the shop is closed until it is back, is there a backup you can restore"
    clean = [
        chat(f"How do I {verb} my {noun}?", f"Open {noun} and press {verb}.")
        for verb in ("move", "renew", "cancel", "check")
        for noun in ("domain", "mailbox", "invoice")
    ]
    ids = fill(
        project,
        [
            chat(question, "Yes, the backup of last night is restored now."),
            *clean,
            chat(question.upper(), "Yes, the backup of last night is restored now."),
            chat(question, "No, there is no backup of this site, so nothing can be restored."),
        ],
    )
    found = scan(project)
    assert set(found["checks"]) == set(all_checks())
    assert [i["record"] for i in issues(project, "exact_duplicate")] == [ids[-2]]
    assert {ids[0], ids[-1]} <= {i["record"] for i in issues(project, "conflicting_answers")}
    with connect(project) as connection:
        drawn = connection.execute("SELECT count(*), count(DISTINCT id), bool_and(isfinite(x) AND isfinite(y)) FROM map").fetchone()
    assert drawn == (15, 15, True)
    before = times(project)
    again = scan(project)
    assert times(project) == before and again["clusters"] == found["clusters"]
