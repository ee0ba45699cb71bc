"""YAML reader: the rules of a file, or one clear sentence with the line that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from pipelines.checks import Severity
from pipelines.errors import WorkbenchError
from pipelines.records import canonical_json
from pipelines.rules.demand import Demand, Forbidden, Glossary, Length, ReadingLevel, Required, Term, Unit
from pipelines.rules.expression import Expression, formula_fault
from pipelines.rules.json_demand import Labels, Place, Schema, schema_fault
from pipelines.rules.rule import ID, Condition, Example, Rule, Target
from pipelines.rules.text_pattern import TextPattern, fault_of, of_phrases

_LINE = "__line__"
MOST_RULES, MOST_VALUES = 1_000, 200_000


def read_rules(text: str, *, name: str = "rules.yaml") -> list[Rule]:
    """The rules of a YAML text, in order. Raises WorkbenchError naming the line for anything that is not understood."""
    listed = _listed(text, name)
    rules: list[Rule] = []
    for given in listed:
        rule = _rule(given, name)
        if any(rule.id == other.id for other in rules):
            raise _error(name, given, f'there are two rules with the id "{rule.id}". Give one of them another id.')
        rules.append(rule)
    return rules


def rule_lines(text: str, id: str) -> range | None:
    """The lines (from 0) on which a rule stands, without blank lines and comments behind it; None when none are its alone."""
    import yaml

    root = yaml.compose(text, Loader=yaml.SafeLoader)
    listed = next((value for key, value in root.value if key.value == "rules"), None) if isinstance(root, yaml.MappingNode) else None
    if not isinstance(listed, yaml.SequenceNode) or listed.flow_style:
        return None
    lines = text.splitlines()
    starts = [item.start_mark.line for item in listed.value]
    for item, start, stop in zip(listed.value, starts, [*starts[1:], listed.end_mark.line + (listed.end_mark.column > 0)], strict=True):
        if any(key.value == "id" and value.value == id for key, value in item.value):
            while stop > start + 1 and not lines[stop - 1].split("#")[0].strip():
                stop -= 1
            return range(start, stop) if lines[start].lstrip().startswith("-") else None
    return None


def _listed(text: str, name: str) -> list[dict[str, Any]]:
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        loaded = _plain(node) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise WorkbenchError(f"{name} line {line}: this is not YAML: {error.problem}.") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise WorkbenchError(f"{name}: this is not YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(loaded, dict) or not isinstance(listed := loaded.get("rules", []), list) or set(loaded) - {"rules", _LINE}:
        raise WorkbenchError(f'{name} line 1: it begins with "rules:", and the rules follow as a list.')
    for each in listed:
        if not isinstance(each, dict):
            raise WorkbenchError(f'{name}: each rule is a list item with its own fields, such as "- id: no-slang".')
    if len(listed) > MOST_RULES:
        raise WorkbenchError(f"{name} holds {len(listed):,} rules; {MOST_RULES:,} are the most.")
    return listed


def _plain(node: Any, left: list[int] | None = None) -> Any:
    """The values of a YAML tree; each mapping knows its line. Names that occur twice in a mapping are refused.

    Anchors are followed as long as fewer than MOST_VALUES values come of it: a short file can otherwise unfold without end.
    """
    import yaml

    left = [MOST_VALUES] if left is None else left
    left[0] -= 1
    if left[0] < 0:
        raise yaml.YAMLError(f"it unfolds to more than {MOST_VALUES:,} values")
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {_LINE: node.start_mark.line + 1}
        for key, value in node.value:
            if key.value in found:
                raise yaml.MarkedYAMLError(problem=f'"{key.value}" stands here a second time', problem_mark=key.start_mark)
            found[str(key.value)] = _plain(value, left)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each, left) for each in node.value]
    return yaml.SafeLoader("").construct_object(node)


def _without_lines(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_lines(v) for k, v in value.items() if k != _LINE}
    return [_without_lines(v) for v in value] if isinstance(value, list) else value


def _error(name: str, given: Mapping[str, Any], words: str) -> WorkbenchError:
    of = f' (rule "{given["id"]}")' if isinstance(given.get("id"), str) else ""
    return WorkbenchError(f"{name} line {given.get(_LINE, 1)}{of}: {words}")


def _rule(given: dict[str, Any], name: str) -> Rule:
    def wrong(words: str) -> WorkbenchError:
        return _error(name, given, words)

    id = given.get("id")
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise wrong("a rule needs an id of small letters, digits and hyphens, such as no-slang.")
    kinds = [kind for kind in DEMANDS if kind in given]
    if len(kinds) != 1:
        raise wrong(f"a rule asks for exactly one thing. This one has {' and '.join(kinds) or 'none'}; there are: {', '.join(DEMANDS)}.")
    unknown = sorted(set(given) - _COMMON - {kinds[0]} - _MODIFIERS.get(kinds[0], set()) - {_LINE})
    if unknown:
        known = ", ".join(sorted(_COMMON | {kinds[0]} | _MODIFIERS.get(kinds[0], set())))
        raise wrong(f'"{unknown[0]}" is not a field of such a rule. Its fields are: {known}.')
    severity, on = given.get("severity", "warning"), given.get("on", "answer")
    if severity not in get_args(Severity):
        raise wrong(f"severity is one of {', '.join(get_args(Severity))}.")
    if on not in get_args(Target):
        raise wrong(f"on is one of {', '.join(get_args(Target))}.")
    decisive = _without_lines({k: v for k, v in given.items() if k not in ("title", "severity", "message", "tests", "replace")})
    return Rule(
        id=id,
        title=_text(given.get("title") or id.replace("-", " ").capitalize(), "title", wrong),
        demand=DEMANDS[kinds[0]](given, wrong),
        severity=severity,
        on=on,
        message=_text(given.get("message", ""), "message", wrong),
        when=_condition(given.get("when"), wrong),
        examples=_examples(given.get("tests"), wrong),
        stand_in=_text(given["replace"], "replace", wrong) if "replace" in given else None,
        definition=canonical_json(decisive),
    )


Wrong = Callable[[str], WorkbenchError]
_COMMON = {"id", "title", "severity", "on", "when", "message", "tests"}
_MODIFIERS = {
    "forbid": {"match_case", "replace"},
    "forbid_pattern": {"replace"},
    "require": {"match_case"},
    "require_any": {"match_case"},
    "schema": {"place"},
    "labels": {"field"},
}


def _text(value: Any, field: str, wrong: Wrong) -> str:
    if not isinstance(value, str):
        raise wrong(f"{field} is a text.")
    return value.strip()


def _texts(value: Any, field: str, wrong: Wrong) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if any(isinstance(v, bool) for v in values):
        raise wrong(f"{field} is a text, or a list of texts. Put yes, no, on, off, true and false in quotation marks.")
    texts = [str(v) if isinstance(v, (int, float)) else v for v in values]
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise wrong(f"{field} is a text, or a list of texts.")
    return texts


def _pattern(value: Any, field: str, wrong: Wrong) -> TextPattern:
    text = _text(value, field, wrong)
    if not text or (fault := fault_of(text)):
        raise wrong(f"{field} is not a pattern that can be searched: {fault if text else 'it is empty'}.")
    return TextPattern(text)


def _condition(given: Any, wrong: Wrong) -> Condition:
    if given is None:
        return Condition()
    fields = {"prompt_matches": "prompt", "answer_matches": "answer", "system_matches": "system"}
    if not isinstance(given, dict) or not set(given) - {_LINE} or set(given) - {*fields, _LINE}:
        raise wrong(f"when holds one or more of {', '.join(fields)}, each a pattern.")
    return Condition(**{fields[k]: _pattern(v, f"when.{k}", wrong) for k, v in given.items() if k != _LINE})


def _examples(given: Any, wrong: Wrong) -> tuple[Example, ...]:
    if given is None:
        return ()
    if not isinstance(given, dict) or set(given) - {"pass", "fail", _LINE}:
        raise wrong("tests holds pass and fail, each a list of texts (or of {prompt, answer}).")
    return tuple(_example(each, kind == "pass", wrong) for kind in ("pass", "fail") for each in _as_list(given.get(kind)))


def _as_list(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _example(given: Any, passes: bool, wrong: Wrong) -> Example:
    if isinstance(given, dict):
        if set(given) - {"prompt", "answer", _LINE}:
            raise wrong("an example is a text, or has a prompt and an answer.")
        return Example(_text(given.get("answer", ""), "answer", wrong), passes, _text(given.get("prompt", ""), "prompt", wrong))
    if not isinstance(given, str):
        raise wrong("an example is a text; put it in quotation marks.")
    return Example(given, passes)


def _whole(value: Any, field: str, wrong: Wrong) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise wrong(f"{field} is a whole number from 0.")
    return value


def _range(given: dict[str, Any], kind: str, wrong: Wrong) -> tuple[int, int | None]:
    value = given[kind]
    if not isinstance(value, dict) or set(value) - {"min", "max", _LINE} or not set(value) - {_LINE}:
        raise wrong(f"{kind} holds min, max or both.")
    least, most = _whole(value.get("min"), f"{kind}.min", wrong) or 0, _whole(value.get("max"), f"{kind}.max", wrong)
    if most is not None and least > most:
        raise wrong(f"{kind}: min is greater than max.")
    return least, most


def _length(unit: Unit) -> Callable[[dict[str, Any], Wrong], Demand]:
    return lambda given, wrong: Length(unit, *_range(given, unit, wrong))


def _required(given: dict[str, Any], wrong: Wrong, kind: str, *, any_of: bool) -> Demand:
    phrases = _texts(given[kind], kind, wrong)
    patterns = tuple(of_phrases([phrase], match_case=bool(given.get("match_case"))) for phrase in phrases)
    return Required(patterns, tuple(f'"{phrase}"' for phrase in phrases), any_of=any_of)


def _schema(given: dict[str, Any], wrong: Wrong) -> Demand:
    schema, place = _without_lines(given["schema"]), given.get("place", "whole")
    if place not in get_args(Place):
        raise wrong(f"place is one of {', '.join(get_args(Place))}.")
    if not isinstance(schema, dict) or (fault := schema_fault(schema)):
        raise wrong(f"schema is not a JSON Schema: {fault if isinstance(schema, dict) else 'it is no object'}.")
    return Schema(canonical_json(schema), place)


def _labels(given: dict[str, Any], wrong: Wrong) -> Demand:
    field = given.get("field")
    return Labels(tuple(_texts(given["labels"], "labels", wrong)), _text(field, "field", wrong) if field is not None else None)


def _glossary(given: dict[str, Any], wrong: Wrong) -> Demand:
    terms = given["glossary"]
    if (
        not isinstance(terms, list)
        or not all(isinstance(t, dict) and set(t) - {_LINE} == {"use", "instead_of"} for t in terms)
        or not terms
    ):
        raise wrong("glossary is a list of {use: term, instead_of: [other terms]}.")
    return Glossary(
        tuple(Term(_text(t["use"], "use", wrong), of_phrases(_texts(t["instead_of"], "instead_of", wrong), inflected=True)) for t in terms)
    )


def _expression(given: dict[str, Any], wrong: Wrong) -> Demand:
    formula = _text(given["expression"], "expression", wrong)
    if not formula or (fault := formula_fault(formula)):
        raise wrong(f"expression cannot be worked out: {fault if formula else 'it is empty'}.")
    return Expression(formula)


DEMANDS: dict[str, Callable[[dict[str, Any], Wrong], Demand]] = {
    "forbid": lambda given, wrong: Forbidden(
        of_phrases(_texts(given["forbid"], "forbid", wrong), match_case=bool(given.get("match_case")))
    ),
    "forbid_pattern": lambda given, wrong: Forbidden(_pattern(given["forbid_pattern"], "forbid_pattern", wrong)),
    "require": lambda given, wrong: _required(given, wrong, "require", any_of=False),
    "require_any": lambda given, wrong: _required(given, wrong, "require_any", any_of=True),
    "require_pattern": lambda given, wrong: Required(
        (_pattern(given["require_pattern"], "require_pattern", wrong),), ("a text of the required form",)
    ),
    "glossary": _glossary,
    "labels": _labels,
    "schema": _schema,
    "characters": _length("characters"),
    "words": _length("words"),
    "sentences": _length("sentences"),
    "reading_level": lambda given, wrong: ReadingLevel(*_range(given, "reading_level", wrong)),
    "expression": _expression,
}
"""What a rule can ask for, by its field in the file."""
