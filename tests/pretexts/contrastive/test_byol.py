"""BYOL."""

import torch
from torch import nn

from regraft.backbones import small_mlp
from regraft.pretexts.contrastive.byol import BYOL, Following
from regraft.trained import Network


def test_the_teacher_is_the_moving_average():
    network = Network(small_mlp(3, (4,)), nn.Linear(4, 2))
    teacher = Following(network.backbone, network.head)
    before = [p.clone() for p in teacher.parameters()]
    with torch.no_grad():
        for p in network.parameters():
            p += 1
    teacher.follow(network, 0.9)
    for now, was in zip(teacher.parameters(), before, strict=True):
        torch.testing.assert_close(now, was + 0.1)


def test_what_views_share_tells_the_letters(gain):
    more, _ = gain(BYOL(epochs=0, least_steps=150, batch_size=64, flip=False, crop=0.6, memory=0.97))
    assert more > 0.05
