"""The demo takes as many steps as a machine can make in its time."""

import pytest

from pipelines.demo import affordable_steps


@pytest.mark.parametrize(
    ("usual", "low", "high", "steps"),
    [
        (60, 2.0, 8.0, 60),  # 75 fit
        (60, 10.0, 14.4, 25),
        (60, 60.0, 60.0, 20),  # fewer show nothing
        (12, 60.0, 60.0, 12),
    ],
)
def test_a_slow_machine_makes_fewer_steps_but_enough_to_learn(usual, low, high, steps):
    assert affordable_steps(usual, low, high) == steps
