"""Placeholder: a slot in an answer that nobody filled in, such as [Your Name]."""

from __future__ import annotations

import re

from pipelines.checks import Batch, Evidence, Measurements, check
from pipelines.checks._prose import prose
from pipelines.checks._turns import Findings, matches_at, records_with, turns_with

_THING = (
    r"name|date|time|year|month|day|title|company|organi[sz]ation|institution|employer|position|department|address|street|city|town|country"
    r"|state|zip(?: code)?|e-?mail|phone|telephone|number|amount|price|product|service|website|url|link|location|venue|recipient|recruiter"
    r"|sender|person|manager|supervisor|client|customer|contact|communications contact|university|school|signature|topic|subject"
    r"|description|duration|platform|event|project|role|figure|coordinates|reason|brand|author|insert"
)
_SLOT = (
    r"(?<![\w\])$\\!])\[(?:"
    r"(?i:insert|your|enter|provide|specify|describe|fill in|add|ihre?|dein|votre|tu|su|uw|jouw|il tuo|la tua)"
    r"(?i:[ _][^\[\]\n]{1,60})"  # [insert …]
    rf"|(?i:(?:[a-z][a-z'’/&-]*[ _]){{0,4}}(?:{_THING})s?(?: (?:and|or|of)(?: [a-z]+)?| here)?)"  # [Company Name], [date and time]
    r"|[^\[\]\n]{0,8}(?:姓名|名字|名称|公司|日期|地址|电话|邮箱|时间|地点|职位|学校|城市)"
    r")\](?![(\[:=\w])"
)
_PATTERN = (
    rf"{_SLOT}"
    r"|(?<![$\w{])\{\{ ?[A-Za-z_][\w .-]{0,50} ?\}\}(?!\})"
    r"|<(?i:insert|your|enter|add)(?i:[ _-][^<>\n]{1,50})>"
    rf"|<(?i:(?:[a-z]+[ _]){{1,3}}(?:{_THING}))>|\$\{{(?i:(?:[a-z]+_){{0,2}}(?:{_THING}))\}}"
    r"|(?:(?<=:)|(?<=: ))_{5,}(?!\w)"
    r"|(?<![\"'“])(?i:lorem ipsum)"
    r"|(?:(?<=^)|(?<=[\s(\[]))(?:TODO|FIXME|TBD)(?=:|\]|$)"
    r"|\bX{4,}\b|\bX{2,}[.,]X{2}\b|(?<=[$€£])X{2,}\b|\bX{3}(?=-X{3})"
    r"|(?<![A-Za-z])[XxＸ]{2,3}(?=公司|先生|女士|大学|中学|学校|市|省|区|路|年|月|日|元)"
)
_ALONE = (
    r"(?i)\A\s*[\[(<*-]*(?:to ?do|tbd|tba|tbc|n/a|to be (?:done|added|completed|written|confirmed|determined|announced)"
    r"|(?:see|as|same as) (?:above|below|before)"
    r"|siehe (?:oben|unten)|s\. ?o\.|folgt|voir ci-dessus|véase arriba|vedi sopra|zie boven|同上|待定"
    r"|placeholder|asdf)[\])>*.!… -]*\s*\z"
)
"""RE2: all of an answer, left for later or pointing to another one."""
_TRIGGER = rf"{_ALONE}|" r"(?i)\[[^\[\]\n]{3,70}\]|\{\{|<(?:insert|your|enter|add)|lorem ipsum|TODO|FIXME|\[TBD|TBD|xxx|[$€£]xx|[xＸ]{2}\pL"
_TRIGGER += r"|<(?:[a-z]+[ _]){1,3}[a-z]+>|\$\{|: ?_{5,}|xx[.,]xx"
_FIRST = re.compile(r"[\[{<$_lLTFXxＸ]")
"""Every slot begins with one of these."""
_ASKS_FOR_SLOTS = r"(?i)template|placeholder|fill[- ]in|\[|\{\{|vorlage|platzhalter|modèle|plantilla|sjabloon|模板|填空"


@check(title="Placeholders nobody filled in", unit="placeholders", group="text", flag_above=0, version=3)
def placeholder(batch: Batch) -> Measurements:
    """Number of open slots in the answers: [Your Name], {{customer}}, <insert date>, TODO:, XXXX, lorem ipsum.

    The model would learn to send them to people. Fill them in, or drop the row. Counted too are answers that are nothing else: "tbd",
    "see above". Not counted: Markdown links, code, and slots in rows whose prompt asks for a template or holds brackets itself. Knows
    English, Chinese and some German, French, Spanish, Italian and Dutch slots.
    """
    slot = re.compile(_PATTERN, re.MULTILINE)
    turns = list(turns_with(batch, _TRIGGER, roles=["assistant"]))
    alone = re.compile(_ALONE.replace(r"\z", r"\Z"))
    asked = records_with(batch, "prompt", _ASKS_FOR_SLOTS, (turn.record for turn in turns))
    found = Findings(len(batch))
    for turn in turns:
        if alone.match(turn.content):
            found.add(turn.record, Evidence(turn.turn, 0, len(turn.content), note="not filled in"))
            continue
        if turn.record in asked:
            continue
        for match in matches_at(_FIRST, slot, prose(turn.content)):
            found.add(turn.record, Evidence(turn.turn, *match.span(), note="not filled in"))
    return found.measurements()
