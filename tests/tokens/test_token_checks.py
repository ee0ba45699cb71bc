"""How long rows are for the model a project names: counted by the bytes of a tokenizer whose tokens are bytes."""

import json

import pytest

from pipelines import cli
from pipelines.curation.fixes import apply_fix
from pipelines.curation.issues import issues
from pipelines.curation.recipe import load_recipe
from pipelines.curation.report import render_report, report
from pipelines.curation.selection import selection_counts
from pipelines.curation.token_summary import count_seconds, token_summary
from pipelines.errors import WorkbenchError
from pipelines.records import Message, Record
from pipelines.rules.rule_file import known_checks
from pipelines.scan import scan, token_job
from pipelines.tokens.token_checks import NOTHING_LEARNED, OVER_LENGTH, Reader, reader_of, save_reader
from tests.conftest import chat
from tests.tokens.tokenizers import byte_tokenizer

ROWS = [
    chat("Is it open?", "Yes."),
    chat("Tell me all.", "It is a long story. " * 10),
    chat("Is it closed?", ""),
    Record((Message("user", "And?"), Message("assistant", "No.")), kind="unpaired", label=False),
    chat("First?", "One.", "Second?", "Two, and a little more than that."),
]  # fmt: skip


def tokens(*turns: str) -> int:
    """Counted by hand: each turn is a start mark, its role, a line break, its text, an end mark and a line break."""
    roles = ("user", "assistant")
    return sum(1 + len(roles[i % 2]) + 1 + len(turn.encode()) + 1 + 1 for i, turn in enumerate(turns))


@pytest.fixture
def base(tmp_path):
    byte_tokenizer().save_pretrained(tmp_path / "base")
    return str(tmp_path / "base")


@pytest.fixture
def rows(project, fill):
    fill(project, ROWS)
    return project


def counted(project, base, limit):
    return token_job({"project": str(project.folder), "base": base, "max_length": limit}, project.folder, lambda **_: None)


def found(project, check):
    return {issue["sources"][0]["row"]: issue for issue in issues(project, check)}


def test_lengths_are_those_of_the_models_own_tokenizer_and_template(rows, base):
    assert token_summary(rows) is None
    seen = counted(rows, base, 80)
    lengths = [tokens("Is it open?", "Yes."), tokens("Tell me all.", "It is a long story. " * 10)]
    lengths += [tokens("First?", "One.", "Second?", "Two, and a little more than that.")]
    assert (seen["rows"], seen["tokens"], seen["longest"], seen["over"]) == (3, sum(lengths), lengths[1], 2)
    learned = len("Yes.-") + len("It is a long story. " * 10) + 1 + len("One.-") + len("Two, and a little more than that.-")
    assert seen["learned"] == learned
    assert seen["over_share"] == pytest.approx(sum(max(length - 80, 0) for length in lengths) / sum(lengths))
    assert seen["untrained"] == 2, "one without an answer, one whose answer is not wanted"
    assert (seen["longest_rows"], seen["longest_share"]) == (1, pytest.approx(lengths[1] / sum(lengths)))


def test_what_would_be_cut_off_is_marked(rows, base):
    counted(rows, base, 80)
    over = found(rows, OVER_LENGTH)
    assert sorted(over) == [2, 5]
    (cut,) = over[2]["evidence"]
    before = tokens("Tell me all.") + 1 + len("assistant\n")
    assert (cut["turn"], cut["start"], cut["end"]) == (1, 80 - before, len(ROWS[1].messages[1].content.strip()))
    assert cut["note"].startswith("The model reads 80 tokens; this row has 233. Cut there, it loses 7")
    assert found(rows, OVER_LENGTH)[5]["evidence"][0]["turn"] == 3


def test_a_row_with_nothing_to_learn_is_named_with_the_reason(rows, base):
    counted(rows, base, 80)
    nothing = found(rows, NOTHING_LEARNED)
    assert sorted(nothing) == [3]  # an answer marked as not wanted is left out on purpose
    assert nothing[3]["evidence"][0]["note"] == "Every answer is empty."
    assert selection_counts(rows, load_recipe(rows))["dropped"] == {}


def test_another_limit_or_model_forgets_what_was_counted_and_a_bad_one_changes_nothing(rows, base, tmp_path):
    counted(rows, base, 80)
    assert counted(rows, base, 1000)["over"] == 0
    assert len(list(rows.measurements_folder.glob(f"{OVER_LENGTH}@*"))) == 1
    with pytest.raises(WorkbenchError):
        save_reader(rows, Reader(str(tmp_path / "nowhere")))
    with pytest.raises(WorkbenchError, match="1 or more"):
        Reader(base, 0)
    assert reader_of(rows) == Reader(base, 1000)


def test_a_scan_of_everything_leaves_it_out_and_rows_that_came_later_are_told(rows, base, fill):
    save_reader(rows, Reader(base, 80))
    assert OVER_LENGTH in known_checks(rows)
    assert OVER_LENGTH not in scan(rows, without=("embeddings",))["checks"]
    counted(rows, base, 80)
    fill(rows, [chat("New?", "Yes, new.")], part="0002-test-00000")
    assert token_summary(rows)["uncounted"] == 1
    assert report(rows)["tokens"]["sentences"][-1] == "1 row came in since and is not counted."
    assert counted(rows, base, 80)["uncounted"] == 0


def test_a_mended_row_is_counted_as_it_reads_now(project, fill, base):
    fill(project, [chat("Is it open?", "Yes.    ")])
    scan(project, checks=["stray_whitespace"])
    before = counted(project, base, 100)["tokens"]
    assert apply_fix(project, "stray_whitespace")["fixed"] == 1
    assert token_summary(project)["tokens"] == before - 4


def test_the_report_says_it_in_words_and_draws_it(rows, base):
    assert report(rows)["tokens"] is None
    counted(rows, base, 80)
    seen = report(rows)
    words = seen["tokens"]["sentences"]
    assert words[0].startswith(f"3 rows hold {seen['tokens']['tokens']:,} tokens") and "2 rows are longer than 80 tokens" in words[2]
    assert seen["distributions"][-1]["key"] == "tokens" and sum(bar["count"] for bar in seen["distributions"][-1]["bars"]) == 3
    assert "2 rows are longer than 80 tokens" in render_report(seen, "html") and "2 rows are longer than 80 tokens" in render_report(
        seen, "md"
    )


def test_by_command_as_the_last_time(rows, base, capsys):
    def winnow(*words):
        assert cli.main(["--project", str(rows.folder), *words]) == 0
        return capsys.readouterr()

    said = winnow("tokens", "--base", base, "--max-length", "80")
    assert "2 rows are longer than 80 tokens" in said.out and "about" in said.err
    assert json.loads(winnow("--json", "tokens").out)["over"] == 2
    assert count_seconds(rows) > 0
