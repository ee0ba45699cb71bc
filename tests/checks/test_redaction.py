"""Identity numbers and addresses, and the stand-ins that take the place of personal details."""

import json

import pytest

from pipelines.checks import all_checks
from pipelines.curation.mending import mend
from pipelines.records import Message, Record
from tests.checks.measuring import answer, evidence, flags, marked, measure

KEY = "ghp_4Tq9XbWm2KzR7vLdHs1NcYe8PfUa3GjB6oEk"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SSN 536-90-4399, thanks", "536-90-4399"),
        ("Meine Steuer-ID ist 36 574 261 809.", "36 574 261 809"),
        ("NI number QQ? No: AB 12 34 56 C.", "AB 12 34 56 C"),
        ("mon numéro est 2 95 10 99 126 111 93", "2 95 10 99 126 111 93"),
        ("DNI 54362315K", "54362315K"),
        ("codice fiscale RCCMNL83S18D969H", "RCCMNL83S18D969H"),
        ("BSN: 111222333", "111222333"),
        ("AHV 756.9217.0769.85", "756.9217.0769.85"),
        ("CPF 390.533.447-05", "390.533.447-05"),
        ("身份证 360426199101010071", "360426199101010071"),
    ],
)
def test_identity_numbers_with_right_check_digits_are_found_and_replaced(text, number):
    row = answer(text)
    assert marked("national_id", row) == [number]
    (mended,) = mend(all_checks()["national_id"], [row], [evidence("national_id", row)])
    assert number not in mended.edit[-1]["content"]


@pytest.mark.parametrize(
    "text", ["Order 111222333", "536-90-43991", "ISBN 978-0-306-40615-7", "36 574 261 809 items", "54362315A", "078-05-1120", "1999-10-12"]
)
def test_other_numbers_are_no_identity_numbers(text):
    assert marked("national_id", answer(text)) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Send it to 181 Thompson St, New York, NY 10012 today.", "181 Thompson St, New York, NY 10012"),
        ("Ich bin in der Hauptstraße 12a, 10115 Berlin.", "Hauptstraße 12a, 10115 Berlin"),
        ("Écrivez au 12 rue de la Paix, 75002 Paris.", "12 rue de la Paix, 75002 Paris"),
        ("Naar Keizersgracht 174, 1016 DW Amsterdam.", "Keizersgracht 174, 1016 DW Amsterdam"),
        ("We are at 10 Baker Street, London NW1 6XE.", "10 Baker Street, London NW1 6XE"),
        ("I live at 42 Elm Street with my dog.", "42 Elm Street"),
    ],
)
def test_postal_addresses_are_found(text, address):
    assert marked("postal_address", answer(text)) == [address]


@pytest.mark.parametrize(
    "text", ["Sherlock Holmes of 221B Baker Street.", "In 1990 Wall Street crashed.", "Take 5 Big Steps Way up.", "Der Weg 5 ist gesperrt."]
)
def test_a_street_alone_is_no_address(text):
    assert marked("postal_address", answer(text)) == []


@pytest.mark.parametrize(
    ("check", "text", "after"),
    [
        (
            "email_address",
            "Write to ann@firm.org or bob@firm.org, best ANN@firm.org.",
            "Write to person1@example.org or person2@example.org, best person1@example.org.",
        ),
        ("phone_number", "Call +49 30 901820 or (415) 555-0182.", "Call +49 00 000001 or (000) 000-0002."),
        ("ip_address", "It came from 93.184.216.34.", "It came from 203.0.113.1."),
        ("iban", "Pay to GB82 WEST 1234 5698 7654 32.", "Pay to GB00 0000 0000 0000 0000 01."),
        ("payment_card", "Card 4539 1488 0343 6467.", "Card 0000 0000 0000 0001."),
        ("secret", f"The token is {KEY}.", "The token is REDACTED_SECRET_1."),
    ],
)
def test_stand_ins_take_the_place_of_details_and_are_not_found_again(check, text, after):
    row = answer(text)
    (mended,) = mend(all_checks()[check], [row], [evidence(check, row)])
    assert mended is not None
    assert mended.edit[-1]["content"] == after
    assert flags(check, answer(after)) == [False]


def test_the_same_detail_gets_the_same_stand_in_all_through_a_conversation():
    call = json.dumps([{"function": {"arguments": '{"to": "ann@firm.org"}', "name": "send"}, "id": "1", "type": "function"}])
    row = Record((Message("user", "Mail bob@firm.org and ann@firm.org."), Message("assistant", "Done: ann@firm.org.", tool_calls=call)))
    turns = all_checks()["email_address"].fix.mend(row.conversation, evidence("email_address", row))
    assert turns[0].content == "Mail person1@example.org and person2@example.org."
    assert turns[1].content == "Done: person2@example.org."
    assert "person2@example.org" in turns[1].tool_calls and "ann@" not in turns[1].tool_calls


PASSAGE = (
    "Patients received the new drug for blood pressure.\n\n"
    + "The treatment group of 124 patients improved in 37.6 percent of cases after twelve weeks. " * 8
)


@pytest.mark.parametrize(
    ("told", "flagged"),
    [("37.6", False), ("38", False), ("124", False), ("12", False), ("61", True), ("1,240", True)],
)
def test_a_number_that_the_passage_does_not_hold_is_flagged(told, flagged):
    text = f"The new drug improved blood pressure: patients of the treatment group improved in {told} percent of cases after twelve weeks."
    assert flags("unsupported_number", answer(text, f"{PASSAGE}\n\nDoes the drug work?")) == [flagged]


def test_without_a_passage_or_in_an_essay_numbers_are_not_measured():
    essay = "In 1886 railways, castles, operas and debts occupied Ludwig of Bavaria completely, historians claim nowadays."
    rows = [answer("It was built in 1886.", "When was it built?"), answer(essay, f"{PASSAGE}\n\nTell me something else.")]
    assert measure("unsupported_number", *rows).values == [None, None]
