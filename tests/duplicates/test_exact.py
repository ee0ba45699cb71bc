import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.duplicates.canonical import canonical
from pipelines.duplicates.exact import exact_groups
from pipelines.errors import Cancelled


def test_a_group_is_named_after_its_first_row():
    texts = pa.array(["Reset my card", "Where is my card?", "RESET  my card\n", "where is my card?", "", None, "Straße", "STRASSE"])
    assert exact_groups(texts).tolist() == [0, 1, 0, 1, 4, 4, 6, 6]


def test_no_rows_make_no_groups():
    assert exact_groups(pa.array([], pa.string())).tolist() == []
    assert exact_groups(pa.chunked_array([], pa.large_string())).tolist() == []


@given(st.lists(st.text(alphabet="aAbBéÉ \t\u00a0ßſ.", max_size=4)), st.integers(0, 40))
def test_groups_are_what_canonical_forms_say_whatever_the_chunks(texts, cut):
    forms = [canonical(text) for text in texts]
    column = pa.chunked_array([texts[:cut], texts[cut:]], type=pa.large_string())
    groups = exact_groups(column)
    assert groups.dtype == np.int64
    assert groups.tolist() == [forms.index(form) for form in forms]


def test_cancelling_ends_the_search():
    def emit(**_):
        raise Cancelled

    with pytest.raises(Cancelled):
        exact_groups(pa.array(["a"] * 10), emit=emit)
