from hypothesis import given
from hypothesis import strategies as st

from pipelines.records import Message, Record, canonical_json, messages_from_json
from pipelines.store.tables import flatten_turns, records_to_table, row_to_record

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
messages = st.lists(
    st.builds(
        Message,
        role=st.sampled_from(["system", "user", "assistant", "tool", "bot"]),
        content=text,
        name=st.none() | text,
        reasoning_content=st.none() | text,
        weight=st.none() | st.just(0),
    ),
    max_size=4,
).map(tuple)
records = st.builds(
    Record,
    messages=messages,
    kind=st.sampled_from(["chat", "preference", "unpaired"]),
    tools=st.none() | text,
    chosen=messages,
    rejected=messages,
    label=st.none() | st.booleans(),
    meta=st.dictionaries(text, text, max_size=2),
)


def test_meta_is_outside_the_id():
    turns = (Message("user", "Where is my parcel?"), Message("assistant", "On its way."))
    assert Record(turns, meta={"ticket": 7}).id == Record(turns).id


def test_order_role_and_kind_are_inside_the_id():
    question, answer = Message("user", "a"), Message("assistant", "b")
    ids = {
        Record((question, answer)).id,
        Record((answer, question)).id,
        Record((question, Message("tool", "b"))).id,
        Record((question, answer), kind="unpaired", label=True).id,
        Record((question, answer), kind="unpaired", label=False).id,
        Record((question, answer), tools="[]").id,
    }
    assert len(ids) == 6


def test_the_id_of_a_known_record_never_changes():
    # Ids are stored in projects; this value was made by the first release.
    assert Record((Message("user", "hi"), Message("assistant", "yo"))).id == "81494348281572aba744749af24d756e"


def test_canonical_json_ignores_the_order_of_keys():
    assert canonical_json({"b": 1, "a": "é"}) == '{"a":"é","b":1}'


@given(st.lists(records, max_size=5))
def test_records_survive_arrow_and_json(originals):
    rows = records_to_table(originals).to_pylist()
    assert [row_to_record(row) for row in rows] == originals
    assert [row["id"] for row in rows] == [r.id for r in originals]
    for record in originals:
        assert messages_from_json([m.to_json() for m in record.messages]) == record.messages


@given(st.lists(records, max_size=5))
def test_flattened_turns_are_the_conversations_in_order(originals):
    turns = flatten_turns(records_to_table(originals)).to_pylist()
    expected = [(i, j, m.role, m.content) for i, r in enumerate(originals) for j, m in enumerate(r.conversation)]
    assert [(t["record"], t["turn"], t["role"], t["content"]) for t in turns] == expected


def test_prompt_answer_and_system_of_a_longer_conversation():
    record = Record(
        (
            Message("system", "Be brief."),
            Message("user", "1?"),
            Message("assistant", "one"),
            Message("user", "2?"),
            Message("assistant", "two"),
        )
    )
    assert (record.system, record.prompt, record.answer) == ("Be brief.", "1?\n\none\n\n2?", "two")


def test_reasoning_and_weight_are_inside_the_id_only_where_a_turn_has_them():
    plain, thought, unlearned = (
        Message("assistant", "yo"),
        Message("assistant", "yo", reasoning_content="hm"),
        Message("assistant", "yo", weight=0),
    )
    assert len({Record((Message("user", "hi"), turn)).id for turn in (plain, thought, unlearned)}) == 3
    assert plain.to_json() == {"role": "assistant", "content": "yo"}
