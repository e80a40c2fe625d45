import torch

from regraft.methods.features.linear_probe import LinearProbe
from regraft.methods.fine_tuning.starting import probed
from regraft.training import Training


def test_the_head_starts_as_the_linear_probe_and_can_be_trained(problem, network, fresh):
    head = probed(network, problem, Training())
    expected = LinearProbe().fit(problem, network).logits(fresh)
    torch.testing.assert_close(head(network.features(fresh.x)).double(), expected, atol=1e-4, rtol=1e-4)
    assert head.weight.dtype == torch.float32
    assert head.weight.requires_grad
