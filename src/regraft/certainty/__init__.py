"""How sure a model may be: calibrated probabilities, labels that cannot be ruled out, novelty."""

from .answers import Answers
from .certainty import Certainty
from .conformal import conformal_quantile, coverage_band
from .novelty import Novelty
from .temperature import fitted_temperature

__all__ = ["Answers", "Certainty", "Novelty", "conformal_quantile", "coverage_band", "fitted_temperature"]
