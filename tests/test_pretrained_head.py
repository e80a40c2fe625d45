import pytest
import torch
from torch import nn

from regraft.backbones import module_backbone, shortened
from regraft.domain import Domain
from regraft.errors import InputError
from regraft.methods import METHODS
from regraft.output import Classes
from regraft.pretrained_head import PretrainedHead
from regraft.problem import Problem
from regraft.training import Training, run_key

CRANES = PretrainedHead(torch.eye(3), torch.zeros(3), ("crane", "owl", "crane"), "birds and machines")


def cranes(x, y=("crane", "owl")):
    return Domain(torch.tensor(x), y, output=Classes(("crane", "owl")))


def test_the_samples_say_which_sense_is_meant():
    machine, owl, bird = [0.1, 0.2, 0.9], [0.0, 1.0, 0.0], [0.9, 0.2, 0.1]
    assert CRANES.rows(cranes([machine, owl])) == {"crane": 2, "owl": 1}
    assert CRANES.rows(cranes([bird, owl])) == {"crane": 0, "owl": 1}
    # by all samples of the class, not by one of them, and not by those of others
    assert (
        CRANES.rows(cranes([bird, machine, machine, bird, bird], ["crane"] * 3 + ["owl"] * 2))["crane"] == 2
    )
    assert CRANES.rows(cranes([owl], ["owl"])) == {"crane": 0, "owl": 1}


@pytest.mark.parametrize(
    ("weight", "bias"),
    [(torch.eye(2), torch.zeros(3)), (torch.eye(3), torch.zeros(2)), (torch.ones(3), torch.ones(3))],
)
def test_rows_without_names_are_refused(weight, bias):
    with pytest.raises(InputError, match=r"a head of 3 class names has weights of shape .* give a row"):
        PretrainedHead(weight, bias, ("a", "b", "c"), "birds")


def test_other_features_are_refused():
    with pytest.raises(InputError, match="the old head takes 3 features, and the network gives 2"):
        CRANES.rows(Domain([[0.0, 1.0]], ["owl"]))


def test_a_layer_without_a_bias_has_one_of_zeros_and_others_are_refused():
    layer = nn.Linear(4, 2, bias=False)
    head = PretrainedHead.of(layer, ["a", "b"])
    assert torch.equal(head.bias, torch.zeros(2))
    nn.init.zeros_(layer.weight)
    assert head.weight.abs().sum() > 0
    with pytest.raises(InputError, match="this is a ReLU: give the last one"):
        PretrainedHead.of(nn.ReLU(), ["a", "b"])


@pytest.fixture
def headed():
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 3))
    phi = module_backbone(net)
    phi.old_head = CRANES
    return phi


def test_it_sits_behind_the_last_stage_and_nowhere_else(headed):
    assert headed[:2].old_head is None
    assert shortened(headed, 2).old_head is None
    assert headed.rewired([]).old_head is None
    for k in range(len(headed) + 1):
        prefix, suffix = headed.cut(k)
        assert suffix.old_head is CRANES
        assert suffix.behind(prefix).old_head is CRANES


def test_a_trained_network_has_none_any_more(headed):
    problem = Problem(target_labelled=cranes([[0.1, 0.2, 0.9], [0.0, 1.0, 0.0]]))
    tuned = METHODS["FineTune"](epochs=1, least_steps=2, held_out=0.0).fit(problem, headed)
    assert tuned.backbone.old_head is None
    assert METHODS["NearestMean"]().fit(problem, headed).backbone.old_head is CRANES


def test_it_is_no_part_of_what_is_stored_and_is_part_of_what_is_trained(headed):
    without = headed.prepared_by(headed.preprocessing)
    without.old_head = None
    assert headed.fingerprint() == without.fingerprint()
    assert headed.state_dict().keys() == without.state_dict().keys()
    problem = Problem(target_labelled=cranes([[0.0, 0.0, 1.0]], ["crane"]))
    other = without.copied()
    other.old_head = PretrainedHead(2 * CRANES.weight, CRANES.bias, CRANES.names, "birds")
    keys = {run_key({}, problem, phi, Training()) for phi in (headed, without, other)}
    assert len(keys) == 3
