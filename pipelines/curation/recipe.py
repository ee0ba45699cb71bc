"""Recipe: what a curated set is made from. Changing it recomputes no measurement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pipelines.checks import Check, all_checks
from pipelines.errors import WorkbenchError
from pipelines.rules.rule_file import known_checks
from pipelines.store.project import Project


def _default_drop(known: Mapping[str, Check] | None = None) -> tuple[str, ...]:
    """Repeats of another row, and every check or rule whose finding makes a row useless or harmful to learn from."""
    checks = all_checks() if known is None else known
    return tuple(name for name, check in checks.items() if check.severity == "error" or check.group == "duplicates")


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
    known: Mapping[str, Check] = field(default_factory=all_checks, repr=False, compare=False)
    """Every check there is, and the project's rules. Not a setting: it says what the names above can be."""

    def __post_init__(self) -> None:
        """Raises WorkbenchError on unknown checks or impossible ratios."""
        unknown = sorted({*self.thresholds, *self.disabled, *self.drop} - set(self.known))
        if unknown:
            raise WorkbenchError(f"There is no check named {', '.join(unknown)}. The checks are: {', '.join(self.known)}.")
        if len(self.split) != 3 or any(not s >= 0 for s in self.split) or abs(sum(self.split) - 1) > 1e-6 or self.split[0] <= 0:
            raise WorkbenchError(
                f"The split {self.split} must be three shares that add up to 1, with some for training, such as 0.8,0.1,0.1."
            )

    def threshold(self, check: Check) -> float:
        """The threshold in force for a check."""
        return self.thresholds.get(check.name, check.threshold)

    @property
    def enabled(self) -> dict[str, Check]:
        """The checks that raise issues, by name."""
        return {name: check for name, check in self.known.items() if name not in self.disabled}

    def to_json(self) -> dict[str, Any]:
        """All settings as JSON values."""
        return {
            "thresholds": dict(self.thresholds),
            "disabled": sorted(self.disabled),
            "drop": sorted(self.drop),
            "undecided": self.undecided,
            "split": list(self.split),
            "group_by": self.group_by,
            "seed": self.seed,
            "known": sorted(self.known),
        }

    @classmethod
    def from_json(cls, values: dict[str, Any], known: Mapping[str, Check] | None = None) -> Recipe:
        """The inverse of to_json; `known` adds the project's own checks and rules. What no longer exists is ignored.

        A check or rule that came after the recipe was saved is left out, or not, as it would be by default: nobody has chosen about it.
        """
        known = all_checks() if known is None else known
        newer = {name: check for name, check in known.items() if name not in values.get("known", known)}
        return cls(
            thresholds={k: float(v) for k, v in values.get("thresholds", {}).items() if k in known},
            disabled=tuple(k for k in values.get("disabled", ()) if k in known),
            drop=(*(k for k in values["drop"] if k in known), *_default_drop(newer)) if "drop" in values else _default_drop(known),
            undecided=values.get("undecided", "keep"),
            split=tuple(values.get("split", (0.8, 0.1, 0.1))),
            group_by=values.get("group_by"),
            seed=int(values.get("seed", 0)),
            known=known,
        )


def load_recipe(project: Project) -> Recipe:
    """The project's recipe, or the default one."""
    return Recipe.from_json(project.setting("recipe", {}), known_checks(project))


def save_recipe(project: Project, recipe: Recipe) -> None:
    """Makes a recipe the project's."""
    project.set_setting("recipe", recipe.to_json())


def strict_recipe(recipe: Recipe) -> Recipe:
    """The recipe that also leaves out every row with a finding that is serious or worth a look: it keeps what the report calls ready."""
    findings = {name for name, check in recipe.enabled.items() if check.severity != "info"}
    return replace(recipe, drop=tuple(sorted({*recipe.drop, *findings})))
