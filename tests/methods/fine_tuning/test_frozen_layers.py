import torch

from regraft.backbones import vectors
from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.fine_tuning.frozen_layers import FrozenLayers
from regraft.selection import evaluate


def test_only_the_stages_behind_the_cut_move(problem, network):
    for trained in (0, 1, 2, 3):
        model = FrozenLayers(trained=trained, epochs=1, least_steps=5, held_out=0.0).fit(problem, network)
        moved = [
            any(not torch.equal(a, b) for a, b in zip(new.parameters(), old.parameters(), strict=True))
            for new, old in zip(model.backbone.stages, network.stages, strict=True)
        ]
        # the first stage has no parameters
        assert moved == [False, trained >= 2, trained >= 1]


def test_at_rate_zero_it_is_the_linear_probe(problem, network, fresh):
    model = FrozenLayers(rate=0.0, stage_rate=0.0, least_steps=5, held_out=0.0).fit(problem, network)
    torch.testing.assert_close(
        model.logits(fresh), LinearProbe().fit(problem, network).logits(fresh), atol=1e-4, rtol=1e-4
    )


def test_borrowing_beats_the_columns(problem, network, fresh):
    borrowed = evaluate(FrozenLayers(least_steps=50).fit(problem, network), fresh).value("accuracy")
    alone = evaluate(LinearProbe().fit(problem, vectors()), fresh).value("accuracy")
    assert borrowed > alone + 0.2
