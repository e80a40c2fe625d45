import pytest

from regraft.methods import METHODS


def test_lists_every_method_with_its_objective(run):
    told = run("methods").output
    for name, method in METHODS.items():
        assert name in told
        assert method.objective_line() in told


@pytest.mark.parametrize("name", METHODS)
def test_explains_each(run, name):
    told = run("methods", name.lower()).output
    assert METHODS[name].reference in told
    assert METHODS[name].objective_line() in told
