"""What a linear probe says of samples that it has not seen: for questions about data, not about methods."""

from jaxtyping import Bool, Float
from torch import Tensor

from ..backbone import Backbone
from ..candidates import Candidate
from ..domain import Domain
from ..errors import InputError
from ..features import Store
from ..methods import METHODS
from ..output import Classes
from ..problem import Problem
from ..training import Training
from .entries import Entry
from .judges import CrossValidation
from .judging import judged


def opinion(
    labelled: Domain, backbone: Backbone, training: Training, store: Store
) -> tuple[Float[Tensor, "n k"], Bool[Tensor, " n"]] | None:
    """(P(class | sample) by cross-validated logistic regression on the features, which samples were judged).

    None where nothing can be told apart: without labels, with one class, with single samples alone.

    >>> import torch
    >>> from regraft.backbones import vectors
    >>> birds = Domain(torch.cat([torch.randn(20, 2), torch.randn(20, 2) + 9]), ["owl"] * 20 + ["crow"] * 20)
    >>> p, asked = opinion(birds, vectors(), Training(), Store())
    >>> p.argmax(1)[:3].tolist(), bool(asked.all())
    ([1, 1, 1], True)
    """
    if labelled.y is None or not isinstance(labelled.output, Classes) or labelled.output.width < 2:
        return None
    try:
        splits = CrossValidation(seed=training.seed).splits(labelled)
    except InputError:
        return None
    probe = Candidate(METHODS["LinearProbe"](), backbone, "what a second reader would say")
    entry = Entry.at_the_cut(probe, Problem(target_labelled=labelled), store, training)
    result = judged(entry, splits)
    return result.expected, result.judged
