"""Judges, baselines, verdicts: how a choice is made and what may be said of it."""

from .adaptation import Adaptation
from .adapting import adapt
from .choice import Result
from .comparison import compare
from .intervals import Interval
from .judges import CrossValidation
from .scores import ClassScores, MaskScores, Scores, evaluate, metric_named, scores_of
from .sealed import SealedTest
from .study import Study
from .verdict import Verdict

__all__ = [
    "Adaptation",
    "ClassScores",
    "CrossValidation",
    "Interval",
    "MaskScores",
    "Result",
    "Scores",
    "SealedTest",
    "Study",
    "Verdict",
    "adapt",
    "compare",
    "evaluate",
    "metric_named",
    "scores_of",
]
