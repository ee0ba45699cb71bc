"""The card's code as one text, and what it may never do."""

import re

import pytest

from workbench.components.review_card import FOLDER, card_code
from workbench.components.review_card.modules import joined_modules

MODULES = sorted(FOLDER.glob("*.js"))


def test_modules_keep_their_own_names_apart(tmp_path):
    (tmp_path / "a.js").write_text("const LIMIT = 1;\nexport function a() {\n  return LIMIT;\n}\n")
    (tmp_path / "b.js").write_text(
        'import { a } from "./a.js";\nconst LIMIT = 2;\nexport default function b() {\n  return a() + LIMIT;\n}\n'
    )
    code = joined_modules(tmp_path, "b.js")
    assert code.count("const LIMIT") == 2 and code.count("export") == 1 and code.index("LIMIT = 1") < code.index("LIMIT = 2")


def test_modules_that_import_each_other_are_refused(tmp_path):
    (tmp_path / "a.js").write_text('import { b } from "./b.js";\nexport const a = 1;\n')
    (tmp_path / "b.js").write_text('import { a } from "./a.js";\nexport const b = 1;\n')
    with pytest.raises(ValueError, match=re.escape("a.js -> b.js -> a.js")):
        joined_modules(tmp_path, "a.js")


def test_the_card_is_one_text_with_one_export():
    code = card_code()
    assert len(re.findall(r"^export ", code, re.MULTILINE)) == 1 and not re.findall(r"^import ", code, re.MULTILINE)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_text_never_becomes_markup_and_nothing_is_fetched(module):
    source = module.read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|fetch\(\"|XMLHttpRequest|https?://", source
    )


@pytest.mark.parametrize("style", sorted(FOLDER.glob("*.css")), ids=lambda path: path.name)
def test_the_style_sheet_loads_nothing_from_elsewhere(style):
    assert not re.search(r"url\(|@import", style.read_text(encoding="utf-8"))
