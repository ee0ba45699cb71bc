"""What a manifest and its card tell is true of the rows that were frozen: who has looked at them, and what was decided."""

import json

import pytest

from pipelines.curation.decisions import Decision, decide
from pipelines.curation.recipe import Recipe
from pipelines.curation.snapshot import build_snapshot, split_file, verify_snapshot
from pipelines.scan import scan
from pipelines.sources.ingest import import_source
from tests.conftest import chat
from tests.curation.test_snapshot import PLAIN, distinct

LEAK = chat("Where do I pay the rent?", "To the account DE89 3704 0044 0532 0130 00, please.")
WARY = Recipe(drop=("iban", "secret", "empty_turn", "email_address"))


def test_rows_that_no_check_has_looked_at_are_told(project, fill):
    fill(project, distinct(20))
    scan(project, checks=["iban", "secret", "empty_turn", "email_address"])
    assert not [words for words in build_snapshot(project, WARY)["warnings"] if "not looked at for" in words]
    fill(project, [LEAK], part="0002-x-00000")
    seen = build_snapshot(project, WARY)
    (warning,) = (words for words in seen["warnings"] if "not looked at for" in words)
    assert warning.startswith('1 row was not looked at for "Email addresses", "')
    assert " and 1 more, so nothing was left out for that. Scan the project" in warning
    assert (seen["unmeasured"]["iban"], seen["kept"]) == (1, 21)
    assert "1 of the 21 rows came in later" in card(project, seen)
    scan(project, checks=["iban", "secret", "empty_turn", "email_address"])
    after = build_snapshot(project, WARY)
    assert (after["dropped"], "iban" in after["unmeasured"]) == ({"iban": 1}, False)
    assert "came in later" not in card(project, after)


def test_a_check_that_never_ran_is_not_named_as_one_that_looked(project, fill):
    fill(project, distinct(20))
    manifest = build_snapshot(project, WARY)
    assert manifest["checks"] == {}
    assert "No check has looked for personal data." in card(project, manifest)


def test_a_scan_that_finds_nothing_new_makes_the_warning_go(project, fill):
    fill(project, distinct(20))
    before = build_snapshot(project, WARY)
    scan(project, checks=["iban", "secret", "empty_turn", "email_address"])
    after = build_snapshot(project, WARY)
    assert (len(before["warnings"]), len(after["warnings"])) == (2, 1)
    assert before["train"] == after["train"]


def card(project, manifest) -> str:
    return (project.snapshots_folder / manifest["id"] / "README.md").read_text(encoding="utf-8")


def test_a_row_dropped_by_hand_is_told_though_the_same_rows_stay(project, fill):
    fill(project, distinct(20))
    first = build_snapshot(project, PLAIN)
    fill(project, [LEAK], part="0002-x-00000")
    decide(project, [Decision(LEAK.id, "drop", reason="an account")])
    second = build_snapshot(project, PLAIN)
    assert first["id"] != second["id"]
    assert (second["records"], second["kept"], second["dropped"], second["decided"]) == (21, 20, {"decision": 1}, 1)


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_freezing_again_mends_a_damaged_snapshot(project, fill, damage):
    fill(project, distinct(20))
    first = build_snapshot(project, PLAIN)
    path = split_file(project, first["id"], "train")
    path.unlink() if damage == "missing" else path.write_bytes(b"not rows")
    assert "Freeze the snapshot again" in verify_snapshot(project, first["id"])[0]
    assert build_snapshot(project, PLAIN)["files"]["train.parquet"] == first["files"]["train.parquet"]
    assert verify_snapshot(project, first["id"]) == []


def test_a_row_that_several_customers_wrote_keeps_them_all_in_one_split(project, tmp_path):
    """Every two customers sent one message in the same words: each such pair hangs together, and so do all rows of both."""
    own = [{"question": f"q {n} {row.prompt}", "answer": row.answer, "customer": f"c{n % 40}"} for n, row in enumerate(distinct(120))]
    shared = [
        {"question": f"Please stop the letters about offer {n // 2}", "answer": f"Done: offer {n // 2} is off.", "customer": f"c{n}"}
        for n in range(40)
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in own + shared), encoding="utf-8")
    assert import_source(project, path).duplicate_rows == 20
    manifest = build_snapshot(project, Recipe(drop=(), group_by="customer", split=(0.5, 0.25, 0.25)))
    splits_of: dict[str, set[str]] = {}
    for split in ("train", "validation", "test"):
        for row in rows(project, manifest, split):
            splits_of.setdefault(json.loads(row["meta"])["customer"], set()).add(split)
    for first, second in ((f"c{n}", f"c{n + 1}") for n in range(0, 40, 2)):
        assert len(splits_of[first] | splits_of[second]) == 1, (first, second)
    assert manifest["certificate"]["compared"]["same_customer"] == 20 and manifest["groups_crossing"] == 0


def test_the_first_question_of_a_conversation_stays_with_others_that_ask_it(project, fill):
    long = "How do I move my web shop and all of its pictures to the new server number"
    talks = [chat(f"{long} {n}?", f"First copy them, {n}.", f"And then, in case {n}?", f"Switch the name over {n}.") for n in range(40)]
    single = [chat(f"{long} {n}?", f"Ask the desk of house {n} to do it {n * 7} times.") for n in range(40)]
    fill(project, [*talks, *single, *distinct(40)])
    manifest = build_snapshot(project, Recipe(drop=(), split=(0.5, 0.25, 0.25)))
    assert manifest["certificate"]["compared"]["equal_question"] == 40
    assert manifest["certificate"]["crossing"]["equal_question"] == 0


def test_a_first_question_that_most_rows_share_is_a_template_and_ties_nothing(project, fill):
    asked = "Please read the text below and tell me what you think about it"
    fill(project, [chat(asked, f"Gladly, {n}.", f"Text {row.prompt}", row.answer) for n, row in enumerate(distinct(80))])
    manifest = build_snapshot(project, PLAIN)
    assert manifest["certificate"]["compared"]["equal_question"] == 0


def rows(project, manifest, split) -> list[dict]:
    import pyarrow.parquet as pq

    return pq.read_table(split_file(project, manifest["id"], split)).to_pylist()
