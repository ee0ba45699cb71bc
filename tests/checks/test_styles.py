"""Checks that learn how a set writes dates, numbers, lists and the like, and find the answers that write them otherwise."""

import pytest

from pipelines.checks import all_checks
from pipelines.store.tables import records_to_table
from tests.checks.measuring import SmallSet, answer, evidence, flags, marked, measure

USUAL_AND_OTHER = {
    "date_style": ("The invoice of 2024-05-03 is due.", "The invoice of May 3, 2024 is due.", "May 3, 2024"),
    "number_style": ("It costs 1,234.50 in all.", "It costs 1.234,50 in all.", "1.234,50"),
    "unit_style": ("Give 5 mg twice a day.", "Give 5mg twice a day.", "5mg"),
    "quote_style": ("Press the button “Save” now.", 'Press the button "Save" now.', '"Save"'),
    "heading_style": ("## Dosage\nTwo tablets a day.", "**Dosage**\nTwo tablets a day.", "**Dosage**"),
    "bullet_style": ("Take:\n- bread\n- milk", "Take:\n* bread\n* milk", "*"),
    "citation_style": ("It lowers the risk [3].", "It lowers the risk (Smith et al., 2020).", "(Smith et al., 2020)"),
    "spelling_variety": ("The colour of the tumour changes.", "The color of the tumor changes.", "color"),
}
GERMAN = "Wie kann ich das Passwort meines Kontos ändern, wenn ich es vergessen habe und keine E-Mail bekomme?"


@pytest.mark.parametrize("check", USUAL_AND_OTHER)
def test_the_answer_that_writes_it_otherwise_is_flagged_and_pointed_at(check):
    usual, other, place = USUAL_AND_OTHER[check]
    rows = [answer(f"{usual} Case {n}.") for n in range(40)]
    assert flags(check, *rows, answer(other), answer("Nothing of the kind.")) == [False] * 40 + [True, None]
    spot = measure(check, *rows, answer(other)).evidence[-1][0]
    assert other[spot.start : spot.end] == place
    assert "98 %" in spot.note


@pytest.mark.parametrize("check", USUAL_AND_OTHER)
def test_without_a_majority_or_in_a_small_set_nothing_is_flagged(check):
    usual, other, _ = USUAL_AND_OTHER[check]
    half = [answer(f"{text} Case {n}.") for n in range(30) for text in (usual, other)]
    assert not any(flags(check, *half))
    assert set(flags(check, *[answer(usual)] * 10, answer(other))) == {None}


def test_an_answer_that_uses_both_ways_deviates_too():
    rows = [answer(f"Due on 2024-05-{n:02}.") for n in range(1, 29)]
    assert flags("date_style", *rows, answer("From 2024-05-03 or 2024-05-04 until May 5, 2024."))[-1]


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ("number_style", "Version 1.2.3, at 10:30, on 03.05.2024, see 1,234 and 1.234."),
        ("date_style", "In May 2024, ratio 3/4, version 2024-05."),
        ("quote_style", '{"a": "b"}'),
        ("unit_style", "Chapter 5a and room 12B."),
        ("citation_style", "Use list[1] and the interval [0, 1]."),
        ("bullet_style", "One - only.\n- a single item"),
    ],
)
def test_what_only_looks_like_it_is_not_measured(check, text):
    assert measure(check, *[answer(text)] * 25).values == [None] * 25


def test_numbered_lists_are_compared_with_numbered_lists():
    rows = [answer(f"Do:\n1. open\n2. close {n}") for n in range(60)]
    found = flags("bullet_style", *rows, answer("Do:\n1) open\n2) close"), answer("Do:\n- open\n- close"))
    assert found[60] is True
    assert found[61] is None


@pytest.mark.parametrize(
    ("usual", "other", "word"),
    [("Bitte ändern Sie es.", "Bitte ändere dein Passwort.", "dein"), ("Ändere dein Passwort.", "Bitte ändern Sie es.", "Sie")],
)
def test_du_and_sie_are_told_apart(usual, other, word):
    rows = [answer(f"{usual} Fall {n}.", GERMAN) for n in range(40)]
    found = measure(
        "form_of_address",
        *rows,
        answer(other, GERMAN),
        answer("Your case, du.", "What is the password of my account, and how can I change it?"),
    )
    assert found.values[40] > 0.85
    assert found.values[41] is None
    spot = found.evidence[40][0]
    assert other[spot.start : spot.end] == word


def test_answers_without_the_usual_sign_off_are_flagged():
    rows = [answer(f"The server number {n} was restarted. It is up again.\n\nKind regards,\nYour Hosting Team") for n in range(30)]
    found = measure("usual_phrase_missing", *rows, answer("The server was restarted. It is up again."), answer('{"reply": "Kind regards"}'))
    assert found.values[29] == 0
    assert found.values[30] > 0.6
    assert found.values[31] is None
    assert "your hosting team" in found.evidence[30][0].note


def test_labels_have_no_opening_or_closing():
    rows = [answer(text) for text in ["card payment"] * 40 + ["lost card", "other"]]
    assert not any(flags("usual_phrase_missing", *rows))


def test_a_missing_system_prompt_is_flagged_where_nearly_all_have_one():
    rows = [answer(f"Answer {n}.", system="You are a support agent.") for n in range(60)]
    assert flags("system_prompt_missing", *rows, answer("No instructions.")) == [False] * 60 + [True]
    assert not any(flags("system_prompt_missing", *rows[:5], answer("No instructions.")))
    assert not any(flags("system_prompt_missing", *[answer(f"Answer {n}.") for n in range(60)], rows[0]))


def test_a_system_prompt_that_differs_by_a_few_characters_is_flagged_and_shown():
    rows = [answer(f"Answer {n}.", system="You are a helpful support agent of Acme.") for n in range(30)]
    odd = answer("Hello.", system="You are a helpfull support agent of Acme")
    other = answer("Hello.", system="Translate what the user writes into French.")
    assert flags("system_prompt_variant", *rows, odd, other, answer("Hi.")) == [False] * 30 + [True, False, None]
    spots = measure("system_prompt_variant", *rows, odd).evidence[-1]
    assert [odd.conversation[0].content[s.start : s.end] for s in spots if s.end] == ["l"]
    assert "“.”" in spots[-1].note


def test_two_common_system_prompts_are_no_variants_of_each_other():
    rows = [answer(f"Answer {n}.", system=f"You are a helpful agent of team {n % 2}.") for n in range(60)]
    assert not any(flags("system_prompt_variant", *rows))


def test_every_style_check_stands_an_empty_set():
    for name in (*USUAL_AND_OTHER, "form_of_address", "usual_phrase_missing", "system_prompt_missing", "system_prompt_variant"):
        assert all_checks()[name].measure(SmallSet(records_to_table([]))).values == []
    assert marked("mixed_scripts", answer("Plain.")) == []


SENTENCES = [answer(f"The pump was started at {i} and ran without a fault until the morning.") for i in range(100)]


def test_an_answer_without_an_end_mark_stands_out_where_all_others_have_one():
    cut = answer("The results of this small study may be explained")
    listed = answer("- pump\n- valve\n- a third part of the line that leads down")
    rows = [*SENTENCES, cut, answer("Call back!"), answer('He said: "It ran without a fault until the morning."'), listed]
    found = flags("end_mark_missing", *rows)
    assert found[100] and not any(found[:100]) and found[102] is False
    assert found[101] is None, "too short to tell"
    assert evidence("end_mark_missing", cut) == []


@pytest.mark.parametrize(
    "end",
    [
        "It went well, and here is what we saw.\n\n- a pump\n- a valve that leads down",
        "The parts are these, as far as we know them: 1. pump 2. valve 3. line",
        "I await your answer and wish you a good night.\n\nYours sincerely,\nJane Austen",
        "I await your answer and wish you a good night. With respect and hope, Your companion",
        "Ich danke Ihnen für die rasche Antwort in der Sache.\n\nMit freundlichen Grüßen,\nAnna Keller",
        'He liked to say it on every occasion: "A pump is a pump." - Paul Rand',
        "Get yourself a pump, and see what it does for your garden. #PumpLove",
        "To find it, multiply the two numbers with each other:\n\n3 x 4 = 12",
        "The sentence says that the pump was not started. Answer: No",
        "The four titles that we would like to propose to you are:\n\nThe Pump and the Valve: A Love Story",
        "The domain of that country, which few people know, is .af",
        "Pump: the big one by the door, it runs\nValve: the small one beside it",
    ],
)
def test_a_list_a_signature_a_result_and_a_title_need_no_end_mark(end):
    assert flags("end_mark_missing", *SENTENCES, answer(end))[-1] is not True


@pytest.mark.parametrize(
    "end",
    [
        "These events can be seen as a build-up of tension that finally boiled over",
        "Continence function remained undisturbed after anastomotic leakage due to rectal resection",
        "In the end, he thanked them and went back to the harbour, where the boat waited for him",
        "- The pump was started in the morning, and it ran without a fault until somebody opened the second valve by hand and",
        "American Journal of Kidney Diseases, 56(2), 352-361. doi:10.1053/j.ajkd.2010.06.011\n[6] Gho, B. C., Sh",
    ],
)
def test_a_sentence_that_lacks_its_end_is_found_whatever_comes_before(end):
    cut = flags("truncated_answer", answer(end)) == [True]
    assert cut or flags("end_mark_missing", *SENTENCES, answer(end))[-1] is True


def test_an_answer_that_is_known_to_stop_in_the_middle_is_not_named_twice():
    stops = answer("The pump was started at nine and ran without a fault until the")
    assert flags("truncated_answer", stops) == [True]
    assert flags("end_mark_missing", *SENTENCES, stops)[-1] is False


def test_where_many_answers_have_no_end_mark_none_is_missed():
    open_ended = [answer(f"Pump {i} started, ran without a fault, stopped in the morning") for i in range(20)]
    assert not any(flags("end_mark_missing", *SENTENCES, *open_ended))
