"""Judges, baselines, verdicts: how a choice is made and what may be said of it."""

from ..intervals import Interval
from .adaptation import Adaptation
from .adapting import adapt
from .choice import Result
from .comparison import compare
from .judges import CrossValidation
from .leave_one_out import LeftOut, leave_one_domain_out
from .scores import ClassScores, MaskScores, Scores, evaluate, metric_named, scores_of
from .sealed import SealedTest
from .study import Study
from .verdict import Verdict

__all__ = [
    "Adaptation",
    "ClassScores",
    "CrossValidation",
    "Interval",
    "LeftOut",
    "MaskScores",
    "Result",
    "Scores",
    "SealedTest",
    "Study",
    "Verdict",
    "adapt",
    "compare",
    "evaluate",
    "leave_one_domain_out",
    "metric_named",
    "scores_of",
]
