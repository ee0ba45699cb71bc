"""Checks of the language that prompts and answers are in."""

import pytest

from pipelines.checks._languages import language
from tests.checks.measuring import answer, evidence, flags, measure

GERMAN = "Öffnen Sie Domains und legen Sie einen Eintrag mit diesem Namen an. Die ganze Zeile kommt in das Feld Wert."
ENGLISH = "Open Domains and add an entry with this name. The whole line goes into the field called value."
FRENCH = "Ouvrez Domaines et ajoutez une entrée avec ce nom. La ligne entière va dans le champ appelé valeur."
CHINESE = "请打开域名页面，添加一条同名记录，整行内容填入数值栏，保存后等待十分钟即可生效。"
JAPANESE = "ドメインのページを開いて、この名前のレコードを追加してください。値の欄に行全体を入れます。"
ASKS_ENGLISH = "Where do I put the line that my consultant has given me for the mail server?"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (GERMAN, "de"), (ENGLISH, "en"), (FRENCH, "fr"), (CHINESE, "zh"), (JAPANESE, "ja"),
        ("도메인 페이지를 열고 이 이름으로 항목을 추가하십시오. 값 필드에 줄 전체를 넣습니다.", "ko"),
        ("Abra Dominios y añada una entrada con este nombre. La línea entera va en el campo llamado valor.", "es"),
        ("Åpne Domener og legg til en oppføring med dette navnet. Hele linjen skal inn i feltet som heter verdi.", "da"),
        ("OPEN DOMAINS AND ADD AN ENTRY WITH THIS NAME. THE WHOLE LINE GOES INTO THE FIELD.", "en"),
        (f'{{"category": "domain_dns", "needs_human": false, "reply": "{GERMAN}"}}', "de"),
        (f"{GERMAN}\n```python\nfor each in the_list_of_names: print(each, end=' and ')\n```", "de"),
        ("for (int i = 0; i < n; i++) { total += price[i]; } return total;", None),
        ("Ja, gut.", None),
        ("1234 5678 https://example.org/the/way/to/the/end", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_language_of_a_text(text, code):
    found = language(text)
    assert (found and found.code) == code


@pytest.mark.parametrize(
    ("prompt", "text", "flagged"),
    [
        (ASKS_ENGLISH, GERMAN, True),
        (ASKS_ENGLISH, FRENCH, True),
        (ASKS_ENGLISH, CHINESE, True),
        ("这一行应该填在哪里？请告诉我具体的操作步骤。", ENGLISH, True),
        ("Wohin mit der Zeile, die mir mein Berater für den Mailserver gegeben hat?", ENGLISH, True),
        (ASKS_ENGLISH, ENGLISH, False),
        ("Wohin mit der Zeile, die mir mein Berater für den Mailserver gegeben hat?", GERMAN, False),
        ("Translate this into German: open Domains and add an entry with this name.", GERMAN, None),
        ("请把下面这句话翻译成英文：打开域名页面，添加一条记录。", ENGLISH, None),
        ("How would you say that in French? Open Domains and add an entry.", FRENCH, None),
        (f"Kürze bitte den folgenden Text auf einen Satz:\n\n{ENGLISH}", ENGLISH, False),
        ("写一个包含“whole”这个词的句子，要求语法正确并且有意思。", ENGLISH, False),
        ("Hi", GERMAN, None),
        (ASKS_ENGLISH, "Ja, klar.", None),
    ],
)
def test_answer_language(prompt, text, flagged):
    assert flags("answer_language", answer(text, prompt)) == [flagged]


def test_answer_language_heeds_the_system_prompt():
    assert flags("answer_language", answer(GERMAN, ASKS_ENGLISH, system="You answer in German.")) == [None]


def test_answer_language_names_both():
    assert [e.note for e in evidence("answer_language", answer(GERMAN, ASKS_ENGLISH))] == ["the prompt is English, the answer German"]


def test_language_minority():
    usual = [answer("ok", f"{ASKS_ENGLISH} This is case number {i} of the whole list.") for i in range(30)]
    odd = [
        answer("ok", GERMAN),
        answer("ok", CHINESE),
        answer("ok", f"Translate this into English for me:\n\n{GERMAN}"),
        answer("ok", "hi"),
    ]
    found = measure("language_minority", *usual, *odd)
    assert found.values[:30] == [0.0] * 30
    assert [value if value is None else value > 0.8 for value in found.values[30:]] == [True, True, False, None]
    assert found.evidence[30][0].note == "German; 91 % of the prompts are English"


def test_language_minority_is_not_measured_without_a_majority():
    mixed = [answer("ok", f"{text} {i}") for i in range(12) for text in (GERMAN, FRENCH, CHINESE)]
    assert set(measure("language_minority", *mixed).values) == {None}
    assert set(measure("language_minority", *mixed[:9]).values) == {None}
