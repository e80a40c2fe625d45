"""Everything a method may see while fitting."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from jaxtyping import Int
from torch import Tensor, nn

from .domain import Domain
from .errors import InputError
from .output import Output

LABELLED = ("target_labelled", "source")
UNLABELLED = ("target", "unlabelled")
# who plays the two domains where a pool of the task is given: what carries labels from a source to a target
# carries them from the labelled samples to the pool
OF_A_POOL = {"source": "target_labelled", "target": "unlabelled"}


@dataclass(frozen=True, eq=False)
class Problem:
    """What is given, by the role it plays. Held-out folds are in none of these.

    target_labelled: labelled samples of the task we care about.
    target: unlabelled samples of the distribution that will be predicted.
    source: labelled samples we borrow from.
    unlabelled: a pool of the same task, or one that may come from elsewhere.
    source_model: what is left when the source data are gone, a `Model`.
    descriptions: a vector for each class name, for classes without samples.
    tasks: several problems at once.

    Labels cannot leak through it: an unlabelled role refuses them.

    >>> photos = Domain([[0.0], [1.0]], ["owl", "crow"])
    >>> sorted(Problem(target_labelled=photos).given)
    ['target_labelled']
    >>> Problem(target=photos)
    Traceback (most recent call last):
    regraft.errors.InputError: Problem.target must be unlabelled: pass target.unlabelled()
    """

    target_labelled: Domain | None = None
    target: Domain | None = None
    source: Domain | None = None
    unlabelled: Domain | None = None
    source_model: nn.Module | None = None
    descriptions: dict[str, Tensor] | None = None
    tasks: dict[str, "Problem"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, domain in self.domains.items():
            if name in LABELLED and domain.y is None:
                raise InputError(f"Problem.{name} must be labelled: pass a domain with y")
            if name in UNLABELLED and domain.y is not None:
                raise InputError(f"Problem.{name} must be unlabelled: pass {name}.unlabelled()")

    @property
    def domains(self) -> dict[str, Domain]:
        """The domains that are given, by role."""
        parts = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: part for name, part in parts.items() if isinstance(part, Domain)}

    @property
    def given(self) -> frozenset[str]:
        """The names of the parts that are there."""
        return frozenset(f.name for f in fields(self) if getattr(self, f.name))

    @property
    def labelled(self) -> Domain:
        """The labelled samples: of the task itself, or else of a source."""
        for name in LABELLED:
            if (domain := self.domains.get(name)) is not None:
                return domain
        raise InputError("the problem has no labels: give target_labelled or source")

    @property
    def output(self) -> Output:
        """The kind of answer that is asked for: that of the labels, or of what is left of a source."""
        if self.source_model is None or self.domains.keys() & set(LABELLED):
            return self.labelled.asked
        known = getattr(self.source_model, "output", None)
        if not isinstance(known, Output):
            raise InputError(
                f"source_model is {type(self.source_model).__name__}: give a Model, such as regraft.load(…) "
                "of a saved one"
            )
        return known

    def restricted(self, rows: Int[Tensor, " m"], role: str = "target_labelled") -> "Problem":
        """The same problem with only these rows of one part: of the labelled target a training fold."""
        return self.having(role, self.domains[role][rows])

    def having(self, role: str, domain: Domain) -> "Problem":
        """The same problem with another domain in that role."""
        changed: dict[str, Any] = {role: domain}
        return replace(self, **changed)

    def casting(self, needs: frozenset[str]) -> dict[str, str]:
        """Which part plays each role that a method needs: the part of that name; or, where a method that
        needs a source and a target has no such two, the labelled samples the source and the pool the target.

        >>> photos = Domain([[0.0], [1.0]], ["owl", "crow"])
        >>> pooled = Problem(target_labelled=photos, unlabelled=photos.unlabelled())
        >>> sorted(pooled.casting(frozenset({"source", "target"})).items())
        [('source', 'target_labelled'), ('target', 'unlabelled')]
        """
        given = self.given
        pooled = needs == OF_A_POOL.keys() and not needs <= given and given >= set(OF_A_POOL.values())
        return {role: OF_A_POOL[role] if pooled else role for role in needs}

    def cast(self, needs: frozenset[str]) -> "Problem":
        """The problem as a method with these needs sees it, every domain in the role that it plays there."""
        domains = self.domains
        played = {role: domains[part] for role, part in self.casting(needs).items() if part in domains}
        others: dict[str, Any] = dict.fromkeys(domains)
        return replace(self, **others | played)

    def needed(self, needs: frozenset[str]) -> "Problem":
        """The same problem without the domains that play no part for a method with these needs."""
        return self.only(frozenset(self.casting(needs).values()))

    def only(self, roles: frozenset[str]) -> "Problem":
        """The same problem without the domains that play no part in `roles`."""
        others: dict[str, Any] = dict.fromkeys(self.domains.keys() - roles)
        return replace(self, **others)

    def mapped(self, seen: Callable[[Domain], Domain]) -> "Problem":
        """The same problem with every domain replaced by what `seen` makes of it."""
        return self.mapped_by_role(lambda role, domain: seen(domain))

    def mapped_by_role(self, seen: Callable[[str, Domain], Domain]) -> "Problem":
        """`mapped`, for what also depends on the role that a domain plays."""
        changed: dict[str, Any] = {role: seen(role, domain) for role, domain in self.domains.items()}
        return replace(self, **changed)
