"""Regraft: what carries over to a task with few labels, how much it really helps, and the model.

>>> import regraft as rg
>>> rg.Domain([[0.0], [1.0]], ["owl", "crow"]).output.names
('crow', 'owl')
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from . import sklearn as sklearn
    from .backbone import Backbone as Backbone
    from .backbones import open_backbone as open_backbone
    from .clustering import Clusters as Clusters
    from .clustering import cluster as cluster
    from .domain import Domain as Domain
    from .errors import InputError as InputError
    from .export import export_onnx as export_onnx
    from .features import Store as Store
    from .features import embed as embed
    from .method import Method as Method
    from .methods import METHODS as METHODS
    from .model import Model as Model
    from .model_folder import load as load
    from .output import Classes as Classes
    from .output import Mask as Mask
    from .output import MultiLabel as MultiLabel
    from .output import Real as Real
    from .planner import plan as plan
    from .pooling import pooled as pooled
    from .pretext import Pretext as Pretext
    from .pretexts import PRETEXTS as PRETEXTS
    from .pretraining import Pretraining as Pretraining
    from .pretraining import pretrain as pretrain
    from .problem import Problem as Problem
    from .readers import read_images as read_images
    from .readers import read_masks as read_masks
    from .readers import read_table as read_table
    from .readers import read_texts as read_texts
    from .selection import Adaptation as Adaptation
    from .selection import CrossValidation as CrossValidation
    from .selection import Study as Study
    from .selection import adapt as adapt
    from .selection import compare as compare
    from .selection import leave_one_domain_out as leave_one_domain_out
    from .shift import Shift as Shift
    from .shift import measure_shift as measure_shift
    from .surgery import transfer_weights as transfer_weights
    from .tasks import learn_tasks as learn_tasks
    from .tasks import tasks_worth_labelling as tasks_worth_labelling
    from .training import Training as Training
    from .transferability import Transferability as Transferability
    from .transferability import transferable as transferable

# name -> module: torch is imported when the first of them is used, so that `regraft --help` is quick
_WHERE = {
    "Backbone": "backbone",
    "open_backbone": "backbones",
    "Clusters": "clustering",
    "cluster": "clustering",
    "Domain": "domain",
    "InputError": "errors",
    "export_onnx": "export",
    "Store": "features",
    "embed": "features",
    "Method": "method",
    "METHODS": "methods",
    "Model": "model",
    "load": "model_folder",
    "Classes": "output",
    "Mask": "output",
    "MultiLabel": "output",
    "Real": "output",
    "plan": "planner",
    "Pretext": "pretext",
    "PRETEXTS": "pretexts",
    "Pretraining": "pretraining",
    "pretrain": "pretraining",
    "Problem": "problem",
    "read_images": "readers",
    "read_masks": "readers",
    "read_table": "readers",
    "read_texts": "readers",
    "pooled": "pooling",
    "Adaptation": "selection",
    "CrossValidation": "selection",
    "Study": "selection",
    "adapt": "selection",
    "compare": "selection",
    "leave_one_domain_out": "selection",
    "Shift": "shift",
    "measure_shift": "shift",
    "transfer_weights": "surgery",
    "learn_tasks": "tasks",
    "tasks_worth_labelling": "tasks",
    "Training": "training",
    "Transferability": "transferability",
    "transferable": "transferability",
}

__all__ = [*_WHERE, "sklearn"]


def __getattr__(name: str) -> Any:
    if name == "sklearn":
        return import_module(".sklearn", __name__)
    if name in _WHERE:
        return getattr(import_module(f".{_WHERE[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
