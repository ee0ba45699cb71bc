"""Monitor: tells the story of a run while it trains, and listens for a request to stop."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.errors import WorkbenchError
from pipelines.jobs import Emit
from pipelines.training.checkpoints import mark_complete
from pipelines.training.losses import RowLosses

FIRST, LAST = 0.05, 0.97
"""The share of a run's progress that lies before and up to the end of the steps."""
STOP = "stop"
"""A file of this name in the run's folder asks the run to save and stop."""


class Monitor:
    """What a run reports, step by step. `callback()` plugs it into the trainer."""

    def __init__(self, folder: Path, emit: Emit, losses: RowLosses, dataset_hash: str, *, eval_share: float, began_at: float) -> None:
        self.folder, self.emit, self.losses, self.dataset_hash = folder, emit, losses, dataset_hash
        self.eval_share = eval_share
        """Cost of all evaluations as a share of the cost of all steps."""
        self.began_at = began_at
        """When the run began, as if it had never been interrupted."""
        self.durations: list[float] = []
        """Seconds of each step done by this process."""
        self.was_stopped = False
        """Whether the user asked to save and stop."""
        self._begun = time.perf_counter()
        self._tokens = 0.0

    @property
    def seconds_per_step(self) -> float | None:
        """Median over the steps; the first is left out when there are others, because it also warms up."""
        counted = self.durations[1:] or self.durations
        return statistics.median(counted) if counted else None

    def step_begins(self) -> None:
        """Starts the clock of a step."""
        self._begun = time.perf_counter()

    def step_ends(self) -> None:
        """Stops the clock of a step: evaluation and saving come after it."""
        self.durations.append(time.perf_counter() - self._begun)

    def trained(self, step: int, total: int, epoch: float, logs: dict[str, float]) -> None:
        """Reports a step. Raises WorkbenchError when the loss is no longer a number."""
        if not math.isfinite(logs["loss"]):
            raise WorkbenchError(
                f"At step {step} the loss is no longer a number: the learning rate is too high. Train again with a lower one."
            )
        tokens = logs.get("num_tokens", self._tokens) - self._tokens
        self._tokens += tokens
        left = (total - step) * (self.seconds_per_step or 0.0) * (1 + self.eval_share)
        self.emit(
            fraction=FIRST + (LAST - FIRST) * step / max(total, 1),
            message=f"step {step} of {total}, loss {logs['loss']:.2f}",
            step=step,
            epoch=epoch,
            loss=logs["loss"],
            learning_rate=logs.get("learning_rate"),
            grad_norm=logs.get("grad_norm"),
            token_accuracy=logs.get("mean_token_accuracy"),
            tokens_per_second=tokens / self.durations[-1] if self.durations else None,
            eta_seconds=left,
        )

    def evaluated(self, step: int, total: int, epoch: float, logs: dict[str, float]) -> None:
        """Reports a look at the validation rows."""
        loss = logs["eval_loss"]
        self.emit(
            fraction=FIRST + (LAST - FIRST) * step / max(total, 1),
            message=f"step {step} of {total}, validation loss {loss:.2f}",
            step=step,
            epoch=epoch,
            eval_loss=loss,
            eval_token_accuracy=logs.get("eval_mean_token_accuracy"),
        )

    def callback(self) -> Any:
        """The monitor as a TrainerCallback. In a run over several cards all processes have one; only the first reports."""
        from transformers import TrainerCallback

        monitor = self

        class MonitorCallback(TrainerCallback):
            def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
                monitor.step_begins()

            def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
                monitor.step_ends()
                if _first_process_says(lambda: (monitor.folder / STOP).exists()) and state.global_step < state.max_steps:
                    monitor.was_stopped = control.should_save = control.should_training_stop = True

            def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
                if logs is None or not state.is_world_process_zero:
                    return
                if "loss" in logs:
                    monitor.trained(state.global_step, state.max_steps, state.epoch or 0.0, logs)
                elif "eval_loss" in logs:
                    monitor.evaluated(state.global_step, state.max_steps, state.epoch or 0.0, logs)

            def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
                losses = gathered(monitor.losses)
                if state.is_world_process_zero:
                    folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
                    (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle nobody needs: the settings are in run.json
                    seconds = time.time() - monitor.began_at
                    mark_complete(
                        folder, state.global_step, monitor.dataset_hash, losses.to_json(), seconds=seconds, processes=args.world_size
                    )

        return MonitorCallback()


def gathered(losses: RowLosses) -> RowLosses:
    """The losses of all processes of the run. Every process has to call it."""
    from accelerate import PartialState
    from accelerate.utils import gather_object

    if PartialState().num_processes == 1:
        return losses
    return losses.merge(gather_object([losses.to_json()]))


def _first_process_says(question: Callable[[], bool]) -> bool:
    """The first process's answer, for all of them: two that looked at a file at different moments would wait for each other for ever."""
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list

    state = PartialState()
    if state.num_processes == 1:
        return question()
    answer = [question() if state.is_main_process else None]
    broadcast_object_list(answer)
    return bool(answer[0])
