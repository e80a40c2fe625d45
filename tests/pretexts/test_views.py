"""What is changed about samples."""

import torch

from regraft.pretexts.views import corrupted


def test_a_column_keeps_its_values_and_only_a_share_is_others():
    torch.manual_seed(0)
    x = torch.arange(400.0)[:, None] * torch.ones(4) + torch.arange(4.0) * 1000
    out = corrupted(x, 0.3)
    assert ((out // 1000) == torch.arange(4.0)).all()
    assert 0.25 < (out != x).float().mean() < 0.35
