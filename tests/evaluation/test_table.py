"""The table of an evaluation, word for word."""

from pipelines.evaluation.table import headline, render_table


def estimate(mean, low=None, high=None, n=40):
    return {"mean": mean, "low": low, "high": high, "n": n}


EVALUATION = {
    "run": "run-1", "on_name": "the snapshot's test rows", "n": 40, "rows": 45, "not_drawn": 2,
    "excluded": {"seen in training": 3}, "notes": ["Answers were cut at 96 tokens."],
    "metrics": {
        "json_valid": {"title": "Valid JSON", "direction": "higher", "is_share": True},
        "answer_loss": {"title": "Surprise", "direction": "lower", "is_share": False},
        "stopped": {"title": "Ended by itself", "direction": "higher", "is_share": True},
        "field:x": {"title": "Right x", "direction": "higher", "is_share": True},
    },
    "before": {"json_valid": estimate(0.0, 0.0, 0.0876), "answer_loss": estimate(2.5, 2.25, 2.75), "stopped": estimate(0.5, 0.35, 0.65),
               "field:x": estimate(None, n=0)},
    "after": {"json_valid": estimate(0.975, 0.871, 0.996), "answer_loss": estimate(3.0, 2.5, 3.5), "stopped": estimate(0.5, 0.35, 0.65),
              "field:x": estimate(None, n=0)},
    "difference": {"json_valid": estimate(0.975, 0.84, 0.996), "answer_loss": estimate(0.5, 0.1, 0.9), "stopped": estimate(0.0, -0.1, 0.1),
                   "field:x": estimate(None, n=0)},
    "verdicts": {"json_valid": "better", "answer_loss": "worse", "stopped": "no difference shown", "field:x": "no difference shown"},
}  # fmt: skip

PLAIN = """\
run-1 on 40 rows of the snapshot's test rows, none of them seen in training: 1 of 4 scores are better, 1 of 4 scores are worse.

score                       base model           after training       change
-------------------------------------------------------------------------------------------------------------------
Valid JSON                  0 % (0 to 9)         98 % (87 to 100)     +98 points (+84 to +100)  better
Surprise (lower is better)  2.50 (2.25 to 2.75)  3.00 (2.50 to 3.50)  +0.50 (+0.10 to +0.90)    worse
Ended by itself             50 % (35 to 65)      50 % (35 to 65)      0 points (-10 to +10)     no difference shown
Right x                     not measured         not measured         not measured              no difference shown

In brackets: the 95 % interval. A difference is shown only when the interval of the change does not contain 0 and at least 6 rows were \
compared. Of 4 scores, about one in twenty would seem to differ by chance alone.

Left out of 45 rows: 3 seen in training, 2 not drawn.

Answers were cut at 96 tokens.
"""


def test_the_plain_table_shows_both_models_the_change_and_what_it_means():
    assert render_table(EVALUATION) == PLAIN


def test_the_markdown_table_has_the_same_cells():
    lines = render_table(EVALUATION, "markdown").splitlines()
    assert lines[2:5] == [
        "| score | base model | after training | change |  |",
        "|---|---|---|---|---|",
        "| Valid JSON | 0 % (0 to 9) | 98 % (87 to 100) | +98 points (+84 to +100) | better |",
    ]


def test_without_any_difference_the_headline_says_so():
    assert headline(EVALUATION | {"verdicts": {"stopped": "no difference shown"}}).endswith("no difference shown in any score.")
