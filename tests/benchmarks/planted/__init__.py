"""Planted rows: real rows of public data sets with one defect put into some of them, for each check.

The defects are written as people and programs make them, not as the checks look for them; a check may well miss some.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from pipelines.records import Message, Record
from tests.benchmarks.planted.conflicts import other_number, recased, reworded
from tests.benchmarks.planted.personal import address, card, email, iban, ip_address, national_id, phone, secret
from tests.benchmarks.planted.rows import (
    ALPACA,
    BANKING,
    CODE,
    GSM8K,
    PAIRS,
    PUBMED,
    ROLEPLAY,
    TOOLS,
    Plant,
    Planting,
    beginning,
    in_answers,
    is_one_of,
    saying,
)
from tests.benchmarks.planted.structure import emptied, in_turns, out_of_order, same_pair, unanswered, with_control_tokens, wrong_arguments
from tests.benchmarks.planted.styles import (
    SYSTEM_PROMPT,
    as_json,
    broken,
    closing_with,
    dated,
    drifted,
    in_another_language,
    in_german,
    mistyped_system,
    of_length,
    other_format,
    plain_prose,
    unsupported,
    with_list,
    with_system,
)
from tests.benchmarks.planted.texts import (
    cut_off,
    echoing,
    garbled,
    link,
    mixed_scripts,
    repeating,
    unmarked,
    with_blanks,
    with_html,
    with_lone_bracket,
    with_open_fence,
    with_unseen_character,
)


def plantings() -> dict[str, Planting]:
    """By check, how its defect is planted. Checks that need a sentence encoder are not among them: see `data/sample` and `verified`."""
    say = saying
    return {
        "ai_boilerplate": Planting(ALPACA, say(
            "As an AI language model, I don't have personal opinions.", "My training data only goes up to 2021.", "Please note that I am just an AI.",
            "I hope this helps! Let me know if you have any other questions as an AI assistant.", "As of my last knowledge update, nothing had changed.",
            "I, as a large language model, cannot feel it.", "As an artificial intelligence, I do not eat.", "Being an AI, I have no body.")),
        "answer_format": Planting(ALPACA, in_answers(other_format), in_answers(plain_prose)),
        "answer_language": Planting(ALPACA, in_another_language(question=False), in_answers(plain_prose)),
        "answer_length_outlier": Planting(ALPACA, lambda r, c: of_length(r, c, "assistant"), in_answers(plain_prose)),
        "bullet_style": Planting(ALPACA, with_list("*"), with_list("-")),
        "citation_style": Planting(PUBMED, closing_with("(Moreau et al., 2019)", "(Keller, 2014)", "(see Okafor & Rossi, 2008)"), closing_with("[1]", "[3]", "[2, 4]")),
        "conflicting_answers": Planting(GSM8K, other_number, adds=True),
        "control_tokens": Planting(ALPACA, with_control_tokens),
        "date_style": Planting(ROLEPLAY, dated("{day:02}.{number:02}.{year}"), dated("{month} {day}, {year}")),
        "document_reference": Planting(ALPACA, beginning(
            "According to the document,", "Based on the provided context,", "As stated in the passage above,", "The text says that",
            "As described in the attached report,", "From the given excerpt we learn that", "The article mentions that", "Per the source material,")),
        "email_address": Planting(ALPACA, say(email)),
        "empty_turn": Planting(ALPACA, in_turns(emptied)),
        "end_mark_missing": Planting(ALPACA, in_answers(unmarked), in_answers(plain_prose)),
        "exact_duplicate": Planting(ALPACA, recased, adds=True),
        "final_answer_style": Planting(GSM8K, in_answers(lambda a, c: a.replace("#### ", c.choice(("The answer is ", "Answer: ", "So the result is "))))),
        "form_of_address": Planting(ALPACA, in_german(
            "Du kannst dein Passwort auf deiner Kontoseite selbst ändern.", "Melde dich einfach noch einmal mit deinem Namen an.",
            "Dann schickst du uns bitte deine Nummer.", "Hast du den Router schon neu gestartet? Das hilft dir meistens."), in_german(
            "Sie können Ihr Passwort auf Ihrer Kontoseite selbst ändern.", "Bitte melden Sie sich noch einmal mit Ihrem Namen an.",
            "Dann schicken Sie uns bitte Ihre Nummer.", "Haben Sie den Router schon neu gestartet? Das hilft Ihnen meistens.")),
        "heading_style": Planting(ALPACA, in_answers(lambda a, c: f"**{c.choice(('Overview', 'Steps', 'Dosage'))}**\n\n{a}\n\n**Summary**\n\nSee above."),
                                  in_answers(lambda a, c: f"## {c.choice(('Overview', 'Steps', 'Dosage'))}\n\n{a}\n\n## Summary\n\nSee above.")),
        "html_residue": Planting(ALPACA, in_answers(with_html)),
        "iban": Planting(ALPACA, say(iban)),
        "identical_preference": Planting(PAIRS, same_pair),
        "invalid_json": Planting(BANKING, broken, as_json),
        "invisible_character": Planting(ALPACA, in_answers(with_unseen_character)),
        "ip_address": Planting(ALPACA, say(ip_address)),
        "json_schema_drift": Planting(BANKING, drifted, as_json),
        "language_minority": Planting(ALPACA, in_another_language(question=True)),
        "last_turn_not_answer": Planting(ALPACA, in_turns(lambda t, c: [*t, Message("user", c.choice(("Thank you!", "And in winter?", "Why?")))])),
        "mixed_scripts": Planting(ALPACA, in_answers(mixed_scripts)),
        "mojibake": Planting(ALPACA, say(garbled)),
        "national_id": Planting(ALPACA, say(national_id)),
        "near_duplicate": Planting(ALPACA, reworded, adds=True),
        "no_answer": Planting(ALPACA, in_turns(lambda t, c: [m for m in t if m.role != "assistant"])),
        "number_style": Planting(PUBMED, closing_with("The mean was 1.234,5 units.", "It cost 12.500,00 in all.", "A value of 3,75 was found in 1.020 cases."),
                                 closing_with("The mean was 1,234.5 units.", "It cost 12,500.00 in all.", "A value of 3.75 was found in 1,020 cases.")),
        "other_answer": Planting(ALPACA, is_one_of(
            "Bring the water to a boil, add a pinch of salt, and stir the pasta now and then for nine minutes.",
            "The committee meets on the first Monday of each month in the old town hall near the river.",
            "Prune the roses in early spring, just above an outward-facing bud, with clean and sharp shears."), adds=True),
        "payment_card": Planting(ALPACA, say(card)),
        "phone_number": Planting(ALPACA, say(phone)),
        "placeholder": Planting(ALPACA, say(
            "Dear [Customer Name],", "Regards, [Your Name]", "Your order {{order_id}} is on its way.", "Call us at <phone number>.", "TODO: add the source.",
            "Lorem ipsum dolor sit amet, consectetur adipiscing elit.", "Signed: ________", "The price is XX.XX euros.", "Visit [insert link here].", "Hello ${first_name}!")),
        "postal_address": Planting(ALPACA, say(address)),
        "prompt_echo": Planting(ALPACA, echoing),
        "prompt_length_outlier": Planting(ALPACA, lambda r, c: of_length(r, c, "user")),
        "quote_style": Planting(ROLEPLAY, closing_with("She called it “a good day”.", "He said “never again” twice.", "It is known as “the pit”."),
                                closing_with('She called it "a good day".', 'He said "never again" twice.', 'It is known as "the pit".')),
        "refusal": Planting(ALPACA, is_one_of(
            "I'm sorry, but I can't help with that request.", "I cannot assist you with this.", "Unfortunately, I am not able to provide that information.",
            "I must decline to answer.", "Sorry, that is not something I can do.", "I apologize, but as an AI I cannot comply.", "I won't be able to help with this one.",
            "It would not be appropriate for me to answer that.", "I don't feel comfortable answering this question.", "As an AI developed by a company, I can't discuss it.")),
        "repetition": Planting(ALPACA, in_answers(repeating)),
        "role_order": Planting(ALPACA, in_turns(out_of_order)),
        "secret": Planting(ALPACA, say(secret)),
        "spelling_variety": Planting(ROLEPLAY, closing_with("We organise the colour scheme.", "Her favourite theatre was in the centre.", "They analysed the behaviour."),
                                     closing_with("We organize the color scheme.", "Her favorite theater was in the center.", "They analyzed the behavior.")),
        "stray_whitespace": Planting(ALPACA, in_answers(with_blanks)),
        "system_prompt_missing": Planting(ALPACA, with_system(None), with_system(SYSTEM_PROMPT)),
        "system_prompt_variant": Planting(ALPACA, mistyped_system, with_system(SYSTEM_PROMPT)),
        "tool_arguments_invalid": Planting(TOOLS, wrong_arguments()),
        "tool_call_unanswered": Planting(TOOLS, in_turns(unanswered)),
        "truncated_answer": Planting(ALPACA, in_answers(cut_off), in_answers(plain_prose)),
        "unbalanced_bracket": Planting(PUBMED, in_answers(with_lone_bracket)),
        "unbalanced_fence": Planting(CODE, in_answers(with_open_fence)),
        "unit_style": Planting(PUBMED, closing_with("The dose was 5mg.", "It weighed 70kg.", "They took 250ml."), closing_with("The dose was 5 mg.", "It weighed 70 kg.", "They took 250 ml.")),
        "unknown_role": Planting(ALPACA, in_turns(lambda t, c: [replace(t[0], role=c.choice(("customer", "narrator", "agent_2"))), *t[1:]])),
        "unsupported_number": Planting(PUBMED, unsupported),
        "url_only": Planting(ALPACA, in_answers(lambda a, c: c.choice((link(c), f"{link(c)}\n{link(c)}", f"<{link(c)}>", f"[{link(c)}]({link(c)})")))),
        "usual_phrase_missing": Planting(ROLEPLAY, in_answers(lambda a, c: f"{a.rstrip()} That is all."), in_answers(lambda a, c: f"{a.rstrip()}\n\nKind regards\nYour Harbour team")),
    }  # fmt: skip


def planted(rows: Sequence[tuple[Record, Record]], plant: Plant, count: int, choose: random.Random) -> dict[int, Record]:
    """`count` of the rows, or as many as can have the defect, with it: by their number. Each row comes as it was and as it is prepared."""
    made: dict[int, Record] = {}
    for number in choose.sample(range(len(rows)), len(rows)):
        if len(made) == count:
            break
        changed = plant(rows[number][0], choose)
        if changed is not None and changed != rows[number][1]:
            made[number] = changed
    return made
