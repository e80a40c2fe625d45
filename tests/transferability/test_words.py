import pytest
import torch

from regraft.transferability import Transferability, reading


def found(bnb, anb, bnb_plus=0.0, anb_plus=0.0, noise=0.0002, repeats=5):
    """Curves of three cuts around baseB = 0.8, as differences from it; repeats differ by little."""
    generator = torch.Generator().manual_seed(0)

    def points(differences):
        drawn = noise * torch.randn(repeats, 3, generator=generator, dtype=torch.float64)
        return 0.8 + torch.as_tensor(differences, dtype=torch.float64).expand(3) + drawn

    return Transferability(
        (1, 2, 3),
        ("stem", "parts", "whole"),
        torch.full((repeats,), 0.8, dtype=torch.float64),
        {"BnB": points(bnb), "BnB+": points(bnb_plus), "AnB": points(anb), "AnB+": points(anb_plus)},
        None,
        100,
        "birds",
        "beetles",
        "toy",
    )


def test_the_signature_of_the_paper():
    told = reading(found(bnb=[0, -0.05, 0], anb=[0, -0.08, -0.2], anb_plus=0.02))
    assert told[0].startswith("Co-adaptation begins at stage 2 (parts): re-learning what is above it")
    assert "loses 5.0 points [" in told[0]
    assert told[1].startswith("Specialisation begins at stage 2 (parts): A's frozen layers up to it lose 3.")
    assert "up to stage 3 (whole) 20.0 points" in told[1]
    assert told[2].startswith("Fine-tuning takes back")
    assert "AnB+ is above baseB, by +2.0 points [" in told[2]
    assert "5 repeats" in told[3]
    assert "Holm" in told[3]


@pytest.mark.parametrize("noise", [0.002, 0.1])
def test_where_there_is_nothing_no_evidence_is_told(noise):
    told = reading(found(bnb=0, anb=0, noise=noise))
    assert told[0].startswith("Co-adaptation: no evidence.")
    assert told[1].startswith("Specialisation: no evidence.")
    assert "no evidence that AnB+ differs from baseB" in told[2]


def test_a_drop_that_repeats_do_not_agree_on_is_none():
    assert "no evidence" in reading(found(bnb=0, anb=[0, 0, -0.05], noise=0.1))[1]


def test_layers_of_a_that_are_better_than_those_of_b():
    told = reading(found(bnb=0, anb=[0, 0.1, 0.05]))[1]
    assert told.startswith("Specialisation: no evidence.")
    assert "serve B better than B's own, the most up to stage 2 (parts): AnB is +10.0 points" in told


def test_tuning_that_harms_is_told():
    told = reading(found(bnb=0, anb=0, anb_plus=-0.1))[2]
    assert "AnB+ is below baseB, by −10.0 points" in told
    assert "takes back" not in told


def test_the_fall_of_a_curve():
    fall = found(bnb=0, anb=[0, -0.1, -0.2]).fall("AnB")
    assert fall.value == pytest.approx(0.2, abs=0.005)
    assert fall.low > 0.19
