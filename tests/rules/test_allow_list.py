"""What a project allows is no leak: the privacy checks pass over it, and over nothing else."""

import pytest

from pipelines.curation.fixes import apply_fix
from pipelines.curation.issues import issues
from pipelines.errors import WorkbenchError
from pipelines.rules.allow_list import allowed, save_allowed
from pipelines.scan import scan
from tests.conftest import chat

CHECKS = ["email_address", "phone_number", "repetition"]


@pytest.fixture
def rows(project, fill):
    fill(
        project,
        [
            chat("How do I reach you?", "Write to help@harbour.io, or to ann.lee@harbour.io, or call +49 30 901820."),
            chat("Who else?", "Write to bo.berg@web.de, or call +49 (0)30 90 18 20."),
            chat("And by post?", "Come by, we are open until noon every day of the week."),
        ],
    )
    return project


def found(project) -> dict[tuple[int, str], int]:
    """Number of details by row and check."""
    scan(project, checks=CHECKS)
    return {(issue["sources"][0]["row"], issue["check"]): len(issue["evidence"]) for issue in issues(project)}


def test_all_is_found_when_nothing_is_allowed(rows):
    assert found(rows) == {(1, "email_address"): 2, (1, "phone_number"): 1, (2, "email_address"): 1, (2, "phone_number"): 1}


@pytest.mark.parametrize(
    ("entries", "left"),
    [
        (["help@harbour.io"], {(1, "email_address"): 1, (1, "phone_number"): 1, (2, "email_address"): 1, (2, "phone_number"): 1}),
        (["*@Harbour.io"], {(1, "phone_number"): 1, (2, "email_address"): 1, (2, "phone_number"): 1}),
        (["+4930901820", "harbour.io"], {(1, "email_address"): 2, (2, "email_address"): 1, (2, "phone_number"): 1}),
        (["+49*30901820", "[x]", "*.de"], {(1, "email_address"): 2}),
    ],
)
def test_what_is_allowed_is_passed_over_whole_and_however_it_is_written(rows, entries, left):
    save_allowed(rows, entries)
    assert found(rows) == left


def test_another_list_measures_the_privacy_checks_anew_and_no_other(rows):
    found(rows)
    before = {folder.name: folder.stat().st_mtime_ns for folder in rows.measurements_folder.iterdir()}
    save_allowed(rows, ["help@harbour.io"])
    found(rows)
    save_allowed(rows, ["*@harbour.io"])
    after = {folder.name: folder.stat().st_mtime_ns for folder in rows.measurements_folder.iterdir()}
    assert {name: after.get(name) for name in before} == before
    assert not [name for name in after if "-allow-" in name]
    assert (1, "email_address") not in found(rows)
    assert save_allowed(rows, []) == []
    assert found(rows)[1, "email_address"] == 2


def test_a_fix_leaves_what_is_allowed(rows):
    save_allowed(rows, ["help@harbour.io"])
    found(rows)
    assert apply_fix(rows, "email_address")["fixed"] == 2
    assert found(rows) == {(1, "phone_number"): 1, (2, "phone_number"): 1}


def test_the_list_is_kept_without_blanks_and_repeats_and_never_allows_all(rows):
    assert save_allowed(rows, [" a@b.de ", "", "a@b.de", "c@d.fr"]) == allowed(rows) == ["a@b.de", "c@d.fr"]
    with pytest.raises(WorkbenchError, match="would allow everything"):
        save_allowed(rows, ["**"])
    assert allowed(rows) == ["a@b.de", "c@d.fr"]
