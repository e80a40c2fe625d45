"""What was painted over."""

import numpy as np
import pytest
import torch

from regraft.backbones import small_convnet
from regraft.domain import Domain
from regraft.pretexts.prediction.inpainting import Inpainting, boxes
from regraft.pretexts.reconstruction.reconstruction import painted_over
from regraft.problem import Problem
from regraft.training import Step


def test_boxes_lie_anywhere():
    torch.manual_seed(0)
    inside = boxes(200, (5, 8), 0.5)
    assert set(inside.sum((1, 2, 3)).tolist()) == {2 * 4}
    assert len({tuple(one.nonzero()[0].tolist()) for one in inside}) == 4 * 5


def test_it_is_the_squared_error_in_the_box():
    luck = torch.Generator().manual_seed(0)
    x = torch.randint(256, (5, 3, 8, 10), dtype=torch.uint8, generator=luck)
    task = Inpainting(block=0.5)
    network = task.start(small_convnet((8, 10), width=2), x).eval()
    torch.manual_seed(1)
    told = task.objective(network, Step(Problem(unlabelled=Domain(x)), 0.0))["block"].item()
    torch.manual_seed(1)
    gone = boxes(5, (8, 10), 0.5)
    made = network.head(network.backbone(painted_over(x, gone, network.head.mean))).detach().double().numpy()
    seen = x.double().numpy()
    aim = (seen - seen.mean((0, 2, 3), keepdims=True)) / seen.std((0, 2, 3), keepdims=True)
    inside = np.broadcast_to(gone.numpy(), aim.shape)
    assert told == pytest.approx(((aim - made) ** 2)[inside].mean(), rel=1e-4)


def test_what_is_needed_to_complete_letters_tells_them(gain):
    more, _ = gain(Inpainting(epochs=0, least_steps=120, batch_size=64))
    assert more > 0.05
