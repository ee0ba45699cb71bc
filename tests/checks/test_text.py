"""Checks of the text itself: garbled, left over, repeated, cut off."""

import pytest
from ftfy.badness import is_bad
from hypothesis import given
from hypothesis import strategies as st

from tests.checks.measuring import answer, evidence, flags, marked, measure, turns


@pytest.mark.parametrize(
    ("text", "found", "note"),
    [
        ("her fiancÃ© Cal", "fiancÃ©", "probably fiancé"),
        ("itâ€™s fine", "itâ€™s", "probably it’s"),
        ("ÐŸÑ€Ð¸Ð²ÐµÑ‚", "ÐŸÑ€Ð¸Ð²ÐµÑ‚", "probably Привет"),
        ("voilÃ  ici", "voilÃ", "probably voilà"),
        ("a caf� in Hull", "caf�", "a character was lost here"),
        ("naïve café, Größe, 你好, Ürün, ¿Qué?, 10 €, 5 °C, x²", None, None),
        ("« Bonjour », dit-il – déjà vu…", None, None),
        ("Â, Ã und Õ sind Buchstaben", None, None),
        ("box: ┌─┐", None, None),
    ],
)
def test_mojibake(text, found, note):
    assert marked("mojibake", answer(text)) == ([found] if found else [])
    assert [e.note for e in evidence("mojibake", answer(text))] == ([note] if note else [])


@given(st.text(st.sampled_from("ÃÂâ€™é ïœŒaZ中.\x85ﬁ√±вЂ°ØÙ²×ÐГ╔ā"), max_size=12))
def test_mojibake_lets_no_bad_text_pass_unseen(text):
    import pyarrow as pa
    import pyarrow.compute as pc

    from pipelines.checks.mojibake import SUSPECT

    if is_bad(text):
        assert pc.match_substring_regex(pa.array([text]), SUSPECT).to_pylist() == [True]


@pytest.mark.parametrize(
    ("text", "prompt", "found"),
    [
        ("Take two.<br>Then rest.</p>", "What now?", ["<br>", "</p>"]),
        ("Johnson &amp; Johnson, 5&nbsp;kg, don&#39;t", "Wer?", ["&amp;", "&nbsp;", "&#39;"]),
        ("Grüße<br />aus Hull", "Schreib mir.", ["<br />"]),
        ("Use `<br>` or:\n```\n<p>x</p>\n```", "What now?", []),
        ("| a | b<br>c |\n|---|---|", "What now?", []),
        ("Wrap it in <p>…</p>.", "How do I write an HTML paragraph?", []),
        ("<!DOCTYPE html><body><p>x</p></body>", "Write a page.", []),
        ("if a <b and c> d", "What now?", []),
        ("std::vector<int> and AT&T; R&D", "What now?", []),
    ],
)
def test_html_residue(text, prompt, found):
    assert marked("html_residue", answer(text, prompt)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dear [Name], yours, [Your Name]", ["[Name]", "[Your Name]"]),
        ("Hello {{customer_name}}!", ["{{customer_name}}"]),
        ("We meet on <insert date>.", ["<insert date>"]),
        ("[insert brief description]", ["[insert brief description]"]),
        ("The webinar is on [date and time] for [duration].", ["[date and time]", "[duration]"]),
        ("TODO: say more", ["TODO"]),
        ("Order XXXX for $XX", ["XXXX", "XX"]),
        ("此致，[您的姓名]", ["[您的姓名]"]),
        ("我在XX公司工作", ["XX"]),
        ("Mit Grüßen, [Ihr Name]", ["[Ihr Name]"]),
        ("lorem ipsum dolor", ["lorem ipsum"]),
        ("Call us at <phone number>. Hello ${first_name}!", ["<phone number>", "${first_name}"]),
        ("Signed: ________ It costs XX.XX euros.", ["________", "XX.XX"]),
        ("<title> and <b>name</b>, ${count} of them, a line ____ to fill", []),
        ("tbd", ["tbd"]),
        (" See above. ", [" See above. "]),
        ("[TODO]", ["[TODO]"]),
        ("n/a", ["n/a"]),
        ("同上", ["同上"]),
        ("See above the line for the valve.", []),
        ("see [the name](https://x.org) and [Smith][1]", []),
        ("[x] done, [ ] open, [1], [sic]", []),
        ("row[name] = table[index]", []),
        ("```\n[Your Name] {{x}} TODO: y\n```", []),
        ("the interval [a, b] and \\frac{{x}}{y}", []),
        ("my to-do list, Super Bowl XXX", []),
        ("[Chorus] la la [Applause]", []),
        ('he typed "lorem ipsum"', []),
    ],
)
def test_placeholder(text, found):
    assert marked("placeholder", answer(text)) == found


def test_placeholder_accepts_what_the_prompt_asked_for():
    assert flags("placeholder", answer("Dear [Name],", "Write a letter template."), answer("Hi [Ann]", "Greet [Ann].")) == [False, False]


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("Pay now, now, now, now, now, now, now, now, now, now, now.", True),
        ("We can help with the mailbox. " * 6, True),
        ("我们会尽快处理您的问题。" * 6, True),
        ('{"reply": "' + "Open it and press go. " * 6 + '"}', True),
        (
            "A good start of a long answer with many words in it that says quite different things all the time. "
            + "and so on and on " * 20,
            True,
        ),
        ("Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, merrily, life is but a dream.", False),
        ("1+2+3+4+5+6+7+8+9 and 1+2+3+4+5+6+7+8 and 1+2+3+4+5+6+7", False),
        ("- the cost of a room\n- the cost of a flight\n- the cost of a taxi\n- the cost of a meal", False),
        ("Ja.", False),
        ("", False),
    ],
)
def test_repetition(text, flagged):
    assert flags("repetition", answer(text)) == [flagged]


def test_repetition_marks_the_loop_in_characters_not_bytes():
    text = "Größe – schön. " + "über und über " * 8
    assert marked("repetition", answer(text)) == [("über und über " * 8).strip()]


def test_repetition_points_at_the_worst_turn():
    record = turns(("user", "a"), ("assistant", "Fine."), ("user", "b"), ("assistant", "no no no no no no no no no no"))
    assert [e.turn for e in evidence("repetition", record)] == [3]


@pytest.mark.parametrize(
    ("prompt", "text", "value"),
    [
        ("What is the capital city of France?", "What is the capital city of France? It is Paris.", 1.0),
        ("What is the capital city of France?", "Question: what is the capital city of France\nParis", 1.0),
        ("What is the capital city of France?", "What is the capital city of France?", 1.0),
        ("请问法国的首都是哪里？", "请问法国的首都是哪里？巴黎。", 1.0),
        ("What is the capital city of France?", "The capital city of France is Paris.", 0.0),
        ("If 3 crows eat 30 worms in one hour, how many is that each?", "If 3 crows eat 30 worms in one hour, each eats 10.", 0.0),
        ("设计一个国际旅行社的网站", "为了设计一个国际旅行社的网站，我们需要考虑", 0.0),
        ("Good morning!", "Good morning! How are you?", None),
    ],
)
def test_prompt_echo(prompt, text, value):
    assert measure("prompt_echo", answer(text, prompt)).values == [value]


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("https://example.org/a?b=c", True),
        (" <https://example.org> ", True),
        ("[Anleitung](https://example.org/hilfe)", True),
        ("- https://a.org\n- www.b.org", True),
        ("See https://example.org", False),
        ("https://example.org explains it", False),
        ("www", False),
        ("", False),
    ],
)
def test_url_only(text, flagged):
    assert flags("url_only", answer(text)) == [flagged]


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ("Its memory serves as a reminder to us all of the importance of", True),
        ("It has three parts: the hull, the mast, the sail,", True),
        ("There are several ways to do that:\n\n1. Education:", True),
        ("The queue was long. The neighbour's son was spared because of", True),
        ("You can pick any of the coins you like. While Bitcoin", True),
        ("Wir haben das geprüft. Der Server steht jetzt in einem anderen", True),
        ("在2016年，他带领阿根廷获得了美洲杯亚军。他在比赛中表现得非常出色并且", True),
        ("这个问题有几种不同的解决办法，例如重新启动服务器、", True),
        ('{"category": "ssl", "reply": "Open Domains > DNS and', True),
        ('{"category": "ssl", "reply": "We have looked at the certificate of your shop. Please open Domains > DNS and then the"}', True),
        ("First, open the lid.\n\nThen, take out the old bulb.\n\nFinally, put the new bulb into the hol", True),
        ("Its memory serves as a reminder to us all.", False),
        ("这个问题有几种不同的解决办法，例如重新启动服务器。", False),
        ("1. Apple\n2. Google\n3. Microsoft and its many partners in the world of business", False),
        ("Natalia sold 48/2 = 24 clips in May. That makes 72 altogether.\n#### 72", False),
        ("pending_cash_withdrawal_at_the_machine_of_the_bank", False),
        ("I remain your friend in all things. Yours sincerely, Jane Austen", False),
        ('"The only way to do great work is to love what you do." - Steve Jobs', False),
        ("You can do it like this. Try:\n```python\nfor x in\n```", False),
        ("SELECT name FROM customers WHERE city = 'Hull' ORDER BY name LIMIT 3;", False),
        ('{"category": "ssl", "reply": "The certificate of your shop is new. Nothing is left to do, so close the ticket."}', False),
        ("Mehr dazu steht auf der Seite. Siehe https://example.org/hilfe", False),
        ("| a | b |\n|---|---|\n| the length of the hull | 12 m |", False),
        ("Yes", False),
    ],
)
def test_truncated_answer(text, flagged):
    assert flags("truncated_answer", answer(text)) == [flagged]


def test_truncated_answer_says_where_it_stops():
    (found,) = evidence("truncated_answer", answer("Thank you for waiting so long. We are now looking at the"))
    assert found.note == 'stops after "now looking at the"'
