"""Several processes that train one network: each takes its share of a batch, and they agree on the step."""

from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from .domain import Domain
from .errors import InputError
from .problem import Problem


@dataclass(frozen=True)
class Processes:
    """This process among its group; a group of one where `torch.distributed` was not initialised."""

    rank: int = 0
    number: int = 1

    @classmethod
    def here(cls) -> "Processes":
        if distributed.is_available() and distributed.is_initialized():
            return cls(distributed.get_rank(), distributed.get_world_size())
        return cls()

    @property
    def first(self) -> bool:
        """Whether it is this one that writes files."""
        return self.rank == 0

    def part(self, batch: Problem) -> tuple[Problem, float]:
        """The rows of this process, and which share of the batch they are.

        >>> from regraft.domain import Domain
        >>> whole = Problem(target=Domain([[0.0], [1.0], [2.0]]))
        >>> part, share = Processes(1, 2).part(whole)
        >>> part.target.x.tolist(), round(share, 2)
        ([[1.0]], 0.33)
        """
        if self.number == 1:
            return batch, 1.0
        shares = {len(range(self.rank, len(d), self.number)) / len(d) for d in batch.domains.values()}
        if min(len(d) for d in batch.domains.values()) < self.number or max(shares) - min(shares) > 1e-9:
            sizes = ", ".join(f"{len(d)} of {role}" for role, d in batch.domains.items())
            raise InputError(
                f"a batch has {sizes}, which {self.number} processes cannot share alike: "
                "choose a batch size that is a multiple of their number"
            )
        return batch.mapped(self._rows), shares.pop()

    def _rows(self, domain: Domain) -> Domain:
        return domain[torch.arange(self.rank, len(domain), self.number)]

    def summed(self, tensors: list[Tensor], share: float) -> None:
        """Replace each tensor by its sum over the processes, each times the share of its process."""
        if self.number == 1 or not tensors:
            return
        together = torch.cat([t.detach().reshape(-1).float() for t in tensors]) * share
        distributed.all_reduce(together)
        for tensor, summed in zip(tensors, together.split([t.numel() for t in tensors]), strict=True):
            tensor.detach().copy_(summed.view_as(tensor))

    def wait(self) -> None:
        """Until all are here."""
        if self.number > 1:
            distributed.barrier()
