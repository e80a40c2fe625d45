"""What recipes share that continue a model of which the source is gone."""

from ..backbone import Backbone
from ..errors import InputError
from ..method import Method
from ..model import Model
from ..problem import Problem


def of_source_model(method: Method, problem: Problem, backbone: Backbone) -> Model:
    """The model that is left of the source; InputError where the backbone is not its own.

    Behind a cut both are without the stages before it (`Method.at_the_cut`).
    """
    model = problem.source_model
    assert isinstance(model, Model)  # else nothing knows what is asked (`Problem.output`)
    if backbone.fingerprint() != model.backbone.fingerprint():
        raise InputError(
            f"{type(method).__name__} continues the source's model ({model.summary}), and {backbone.name} is "
            "not its network: give source_model.backbone"
        )
    return model
