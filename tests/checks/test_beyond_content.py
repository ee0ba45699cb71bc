"""Personal data in reasoning and tool calls, which are learned like any answer, is found, replaced and allowed like that in the text."""

import json

import pytest

from pipelines.checks import Batch, all_checks
from pipelines.curation.fixes import apply_fix, preview_fix
from pipelines.curation.issues import issues
from pipelines.records import Message, Record
from pipelines.rules.allow_list import save_allowed
from pipelines.scan import scan
from pipelines.store.tables import records_to_table
from tests.conftest import chat

CALL = json.dumps(
    [
        {
            "id": "call_9fQ2xT7LmZp4Rk8VbN3sWd6YhJ1cG5a",
            "type": "function",
            "function": {
                "name": "send_mail",
                "arguments": json.dumps({"to": ["ann.lee@harbour.io"], "text": "Your number is +49 30 901820."}),
            },
        }
    ]
)
THINKS = Message("assistant", "Done.", reasoning_content="I could write to ann.lee@harbour.io or to bo.berg@web.de first.")
ROWS = [
    chat("Tell Ann.", "I told her."),
    Record(
        (Message("user", "Tell Ann."), Message("assistant", "", tool_calls=CALL), Message("tool", "sent"), Message("assistant", "Done."))
    ),
    Record((Message("user", "Tell ann.lee@harbour.io."), THINKS)),
]


def measured(name, rows=ROWS):
    found = all_checks()[name].measure(Batch(records_to_table(rows)))
    return list(found.values), [[(e.turn, e.start, e.detail) for e in spans] for spans in found.evidence]


def test_each_place_is_counted_and_shown():
    values, evidence = measured("email_address")
    assert values == [0, 1, 3]
    assert evidence[1] == [(1, None, "ann.lee@harbour.io")]
    assert evidence[2] == [(0, 5, ""), (1, None, "ann.lee@harbour.io"), (1, None, "bo.berg@web.de")]
    assert measured("phone_number")[0] == [0, 1, 0]


def test_the_number_of_a_call_is_no_secret():
    assert measured("secret")[0] == [0, 0, 0]


@pytest.mark.parametrize("name", [name for name, check in all_checks().items() if check.group == "privacy"])
def test_every_check_of_personal_data_looks_there(name):
    detail = {
        "email_address": "ann.lee@harbour.io", "phone_number": "+49 30 901820", "iban": "DE89 3704 0044 0532 0130 00",
        "ip_address": "91.64.12.7", "national_id": "my SSN is 536-22-1234", "payment_card": "4929 7226 5379 7141",
        "postal_address": "Lindenstraße 14, 10969 Berlin", "secret": "ghp_a8Kd02LmZq7Xv3Rt9Yb5Nc1Wp6Hs4Jf0Ge2Q",
    }[name]  # fmt: skip
    said = f"It was {detail}, as I recall."
    call = json.dumps([{"id": "c1", "type": "function", "function": {"name": "f", "arguments": json.dumps({"said": said})}}])
    rows = [
        chat("What?", said),
        Record((Message("user", "What?"), Message("assistant", "Nothing.", reasoning_content=said))),
        Record((Message("user", "What?"), Message("assistant", "", tool_calls=call))),
    ]
    assert measured(name, rows)[0] == [1, 1, 1]


def test_a_fix_puts_the_same_stand_in_everywhere(project, fill):
    fill(project, ROWS)
    scan(project, checks=["email_address"])
    assert preview_fix(project, "email_address")["fixable"] == 2
    assert apply_fix(project, "email_address")["fixed"] == 2
    assert [issue["record"] for issue in issues(project, "email_address")] == []


def test_what_may_stay_may_stay_there_too(project, fill):
    fill(project, ROWS)
    save_allowed(project, ["*@harbour.io"])
    scan(project, checks=["email_address"])
    assert [len(issue["evidence"]) for issue in issues(project, "email_address")] == [1]
