"""Recipe: what a curated set is made from. Changing it recomputes no measurement."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from pipelines.checks import Check, all_checks
from pipelines.errors import WorkbenchError
from pipelines.store.project import Project


def _default_drop() -> tuple[str, ...]:
    """Repeats of another row, and every check whose finding makes a row useless or harmful to learn from."""
    return tuple(name for name, check in all_checks().items() if check.severity == "error" or check.group == "duplicates")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Thresholds, what to leave out, and how to split."""

    thresholds: dict[str, float] = field(default_factory=dict)
    """By check; a check not named here uses its own."""
    disabled: tuple[str, ...] = ()
    """Checks that raise no issues."""
    drop: tuple[str, ...] = field(default_factory=_default_drop)
    """Checks whose flagged rows are left out of a snapshot unless a person decided to keep them."""
    undecided: Literal["keep", "drop"] = "keep"
    """What happens to rows that nobody decided and no check in `drop` flags."""
    split: tuple[float, float, float] = (0.8, 0.1, 0.1)
    """Shares of train, validation and test."""
    group_by: str | None = None
    """A column of the source (such as customer_id) whose equal values must stay in one split."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises WorkbenchError on unknown checks or impossible ratios."""
        unknown = sorted({*self.thresholds, *self.disabled, *self.drop} - set(all_checks()))
        if unknown:
            raise WorkbenchError(f"There is no check named {', '.join(unknown)}. The checks are: {', '.join(all_checks())}.")
        if len(self.split) != 3 or any(s < 0 for s in self.split) or abs(sum(self.split) - 1) > 1e-6 or self.split[0] <= 0:
            raise WorkbenchError(
                f"The split {self.split} must be three shares that add up to 1, with some for training, such as 0.8,0.1,0.1."
            )

    def threshold(self, check: Check) -> float:
        """The threshold in force for a check."""
        return self.thresholds.get(check.name, check.threshold)

    @property
    def enabled(self) -> dict[str, Check]:
        """The checks that raise issues, by name."""
        return {name: check for name, check in all_checks().items() if name not in self.disabled}

    def to_json(self) -> dict[str, Any]:
        """All settings as JSON values."""
        return asdict(self) | {"disabled": sorted(self.disabled), "drop": sorted(self.drop), "split": list(self.split)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Recipe:
        """The inverse of to_json. Checks that no longer exist are ignored."""
        known = all_checks()
        return cls(
            thresholds={k: float(v) for k, v in values.get("thresholds", {}).items() if k in known},
            disabled=tuple(k for k in values.get("disabled", ()) if k in known),
            drop=tuple(k for k in values["drop"] if k in known) if "drop" in values else _default_drop(),
            undecided=values.get("undecided", "keep"),
            split=tuple(values.get("split", (0.8, 0.1, 0.1))),
            group_by=values.get("group_by"),
            seed=int(values.get("seed", 0)),
        )


def load_recipe(project: Project) -> Recipe:
    """The project's recipe, or the default one."""
    return Recipe.from_json(project.setting("recipe", {}))


def save_recipe(project: Project, recipe: Recipe) -> None:
    """Makes a recipe the project's."""
    project.set_setting("recipe", recipe.to_json())
