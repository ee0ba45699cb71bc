"""Expression: a rule written as a formula, evaluated without access to anything but the row."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.checks._json_text import read_json
from pipelines.rules.demand import Breach

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = ("text", "words", "characters", "sentences", "lines", "json")
"""What a formula can use: the text, how many of each it has, and its JSON value (None when it is no JSON)."""
METHODS = frozenset(
    (
        *("lower", "upper", "title", "capitalize", "casefold", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix"),
        *("startswith", "endswith", "split", "rsplit", "splitlines", "partition", "rpartition", "count", "find", "rfind", "index"),
        *("isalpha", "isdigit", "isdecimal", "isnumeric", "isalnum", "isupper", "islower", "istitle", "isspace", "isascii"),
        *("get", "keys", "values", "items"),
    )
)
"""What can be asked of a text or a JSON value. None of them makes more than it is given: join, replace and padding are left out."""
MOST_CHARACTERS = 500
"""Of a formula."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula that must come out true, such as `words < 80 and 'refund' not in text.lower()`.

    Evaluated by the library simpleeval: no imports, no attributes but the methods in METHODS, no text formatting, lengths bounded.
    """

    formula: str

    def breaches(self, texts: pa.ChunkedArray) -> dict[int, list[Breach]]:
        """The texts for which it is false or cannot be worked out."""
        found = {}
        for i, text in enumerate(texts.to_pylist()):
            reason = self._failure(text)
            if reason:
                found[i] = [Breach(reason)]
        return found

    def _failure(self, text: str) -> str | None:
        try:
            return None if _evaluated(self.formula, text) else f"{self.formula} is not true"
        except Exception as error:
            return f"{self.formula} cannot be worked out: {error}"


def _evaluated(formula: str, text: str) -> Any:
    import simpleeval

    counts = {
        "words": len(re.findall(r"\w+(?:['’.-]\w+)*", text)),
        "characters": len(text),
        "sentences": len(re.findall(r"[.!?…。！？]+(?:\s|$)|(?<=\S)$", text.strip())),
        "lines": text.count("\n") + 1,
    }
    functions = {
        "len": len,
        "min": min,
        "max": max,
        "abs": abs,
        "round": round,
        "str": str,
        "sorted": sorted,
        "any": any,
        "all": all,
        "sum": sum,
    }
    evaluator = simpleeval.EvalWithCompoundTypes(names={"text": text, "json": read_json(text).value, **counts}, functions=functions)
    for formatting in (ast.JoinedStr, ast.FormattedValue):
        del evaluator.nodes[formatting]
    evaluator.operators[ast.Mod] = _remainder
    tree = evaluator.parse(formula)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr not in METHODS:
            raise simpleeval.FeatureNotAvailable(f"{node.attr} cannot be used here")
    return evaluator.eval(formula, previously_parsed=tree)


def _remainder(left: Any, right: Any) -> Any:
    if isinstance(left, (str, bytes)):  # "%9999999999d" % 1
        raise TypeError("% is for numbers")
    return left % right


def formula_fault(formula: str) -> str | None:
    """Why a formula cannot be used, or None: it is tried on an empty text, where only an unknown name or bad syntax is a fault."""
    import simpleeval

    if len(formula) > MOST_CHARACTERS:
        return f"it is longer than {MOST_CHARACTERS} characters"
    try:
        _evaluated(formula, "")
    except (SyntaxError, simpleeval.NameNotDefined, simpleeval.FunctionNotDefined, simpleeval.FeatureNotAvailable) as error:
        return str(getattr(error, "msg", None) or error)
    except Exception:
        return None
    return None
