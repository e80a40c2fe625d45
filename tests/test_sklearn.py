import numpy as np
import pytest
from sklearn.datasets import load_digits, make_classification
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from regraft.errors import InputError
from regraft.methods import METHODS
from regraft.sklearn import TransferClassifier


@parametrize_with_checks([TransferClassifier()])
def test_keeps_scikit_learns_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def vectors():
    return make_classification(120, 10, n_informative=5, random_state=0)


def test_works_in_a_pipeline_and_in_cross_validation(vectors):
    scores = cross_val_score(make_pipeline(StandardScaler(), TransferClassifier()), *vectors, cv=3)
    assert scores.mean() > 0.7


def test_works_in_a_grid_search(vectors):
    search = GridSearchCV(TransferClassifier(), {"method": ["Majority", "NearestMean", "LinearProbe"]}, cv=3)
    assert search.fit(*vectors).best_params_["method"] != "Majority"


def test_compares(vectors):
    fitted = TransferClassifier("compare").fit(*vectors)
    assert fitted.study_.transfer is None
    assert fitted.score(*vectors) > 0.7


def test_takes_recipes_and_images():
    digits = load_digits()
    images = (digits.images[:200] * 15).astype(np.uint8)
    fitted = TransferClassifier(METHODS["NearestMean"](), backbone="glyphs").fit(images, digits.target[:200])
    assert fitted.score((digits.images[200:400] * 15).astype(np.uint8), digits.target[200:400]) > 0.7


def test_labels_come_back_as_they_were_given():
    X = np.array([[0.0], [0.1], [1.0], [1.1]])
    for y in (np.array([True, True, False, False]), np.array(["b", "b", "a", "a"]), np.array([7, 7, -1, -1])):
        predicted = TransferClassifier().fit(X, y).predict(X)
        assert predicted.dtype == y.dtype
        assert (predicted == y).all()


def test_unknown_method_is_named(vectors):
    with pytest.raises(InputError, match="did you mean LinearProbe"):
        TransferClassifier("LinearProb").fit(*vectors)
