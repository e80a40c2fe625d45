import pytest
import torch
from sklearn.preprocessing import StandardScaler

from regraft.errors import InputError
from regraft.preprocessing.vectors import Standardised


def test_is_scikit_learns_scaler():
    x = torch.randn(20, 5) * torch.tensor([1, 10, 1e-6, 1e6, 3]) + 100
    rule = Standardised().fit(x)
    expected = StandardScaler().fit_transform(x.double().numpy())
    torch.testing.assert_close(rule(x), torch.from_numpy(expected), atol=1e-6, rtol=1e-6)


def test_a_constant_column_becomes_zero():
    rule = Standardised().fit(torch.tensor([[0.1, 5.0], [0.1, 7.0]]))
    assert rule(torch.tensor([[0.1, 6.0]])).tolist() == [[0.0, 0.0]]


def test_asks_to_be_fitted():
    with pytest.raises(InputError, match="not fitted"):
        Standardised()(torch.ones(1, 1))
