"""Held-out accuracy on the source."""

import numpy as np
import pytest

from regraft.selection.label_free import SourceAccuracy


def test_it_is_the_share_that_is_right(trial):
    one = trial(h=25)
    p, y = one.held_out.said.numpy(), one.held_out.samples.y.numpy()
    by_hand = np.mean([row.argmax() == label for row, label in zip(p, y, strict=True)])
    assert SourceAccuracy()(one) == pytest.approx(by_hand)
    assert 0 < by_hand < 1
