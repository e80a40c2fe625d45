"""The head that the network was pretrained with, for a target whose classes it knows by name."""

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from ...backbone import Backbone
from ...errors import InputError
from ...heads import Linear
from ...method import Method
from ...model import Model
from ...output import Classes
from ...pretrained_head import PretrainedHead
from ...problem import Problem
from ...text import some_of
from ...training import Training


@final
@dataclass(frozen=True, kw_only=True)
class OldHead(Method):
    """f(x)_c = φ(x)ᵀ w_s(c) + b_s(c),  s(c) = the class of the source that is called as c is

    w and b are those of the head of pretraining, of which the rows of the target's classes are kept as they
    are: its softmax is the old one, given that the answer is among them. Nothing is trained; labels only say
    which class is meant where several of the source bear one name. So what is held out scores it fairly
    however few labels there are, and classes without a sample are told too. It helps where pretraining has
    seen thousands of samples of the very classes, and a handful of labels can only know less. It harms where
    a name means something else there, where the target looks different (drawings of what the source knew as
    photos), and with many labels, which a probe learns from and this does not.

    >>> import torch
    >>> from regraft import Domain
    >>> from regraft.backbones import module_backbone
    >>> phi = module_backbone(torch.nn.Identity())
    >>> phi.old_head = PretrainedHead(torch.eye(3), torch.zeros(3), ("owl", "crow", "emu"), "birds")
    >>> data = Domain([[0.0, 0.1, 0.9], [0.9, 0.0, 0.1]], ["Emu", "Owl"])
    >>> OldHead().fit(Problem(target_labelled=data), phi).predict([[5.0, 9.0, 6.0]])
    ['Emu']
    """

    reference: ClassVar[str] = "as ImageNet-R is scored: Hendrycks et al., ICCV 2021, arXiv:2006.16241"
    map: ClassVar[tuple[str, ...]] = ("M02",)
    outputs: ClassVar[frozenset[str]] = frozenset({Classes.kind})

    def learn(self, problem: Problem, backbone: Backbone, training: Training) -> Model:
        seen = problem.domains["target_labelled"]
        assert isinstance(seen.x, Tensor)
        old, names = old_head_of(backbone), seen.classes.names
        rows = old.rows(seen.with_(x=seen.x.flatten(1)))
        if unknown := [name for name in names if name not in rows]:
            raise InputError(
                f"the old head of {backbone.name} has no class of its own for {some_of(unknown)}: "
                "rename what is the same, or take FineTune with head='old', which starts from what it has"
            )
        of = [rows[name] for name in names]
        head = Linear.of(old.weight[of], old.bias[of])
        return Model(backbone, head, seen.classes, provenance={"head": old.told(rows)})


def old_head_of(backbone: Backbone) -> PretrainedHead:
    """The head that the backbone was pretrained with, where it carries one."""
    if backbone.old_head is None:
        raise InputError(
            f"{backbone.name} carries no head with named classes: take weights with their classifier, "
            "a model of Regraft's with a linear head, or set backbone.old_head"
        )
    return backbone.old_head
