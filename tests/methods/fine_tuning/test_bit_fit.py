import torch

from regraft.methods.fine_tuning.bit_fit import BitFit
from regraft.schedule import chosen


def test_only_the_biases_and_the_head_move(problem, network):
    model = BitFit(epochs=1, least_steps=20, held_out=0.0, stage_rate=1e-2).fit(problem, network)
    allowed = {id(p) for stage in model.backbone.stages for p in chosen(stage, "biases")}
    pairs = list(zip(model.backbone.parameters(), network.parameters(), strict=True))
    moved = {id(new) for new, old in pairs if not torch.equal(new, old)}
    assert moved == allowed
    assert 0 < len(allowed) < len(pairs)
    buffers = zip(model.backbone.buffers(), network.buffers(), strict=True)
    assert all(torch.equal(new, old) for new, old in buffers)
