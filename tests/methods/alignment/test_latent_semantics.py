"""LatentSemantics."""

import numpy as np
import scipy.sparse
import torch
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.preprocessing import Normalizer
from torch import nn

from regraft.backbones import open_backbone, words
from regraft.domain import Domain
from regraft.features import embed
from regraft.methods.alignment.latent_semantics import LatentSemantics, rareness
from regraft.methods.features.linear_probe import LinearProbe
from regraft.problem import Problem
from regraft.training import Training

TOPICS, VOCABULARY = 2, 300


def reviews(n, seed):
    """Counts of words: each topic has half of the vocabulary, and a tenth of the words are everybody's."""
    luck = np.random.default_rng(seed)
    y = np.arange(n) % TOPICS
    rate = np.full((TOPICS, VOCABULARY), 0.02)
    rate[0, : VOCABULARY // 2] = rate[1, VOCABULARY // 2 :] = 0.045
    rate[:, ::10] = 0.5
    return Domain(scipy.sparse.csr_array(luck.poisson(rate[y])), ["sea" if c == 0 else "sand" for c in y])


def as_they_are():
    """Vectors that nothing scales."""
    return open_backbone(nn.Identity(), domain=Domain(torch.zeros(2, 5)))


def test_rareness_is_the_inverse_document_frequency_of_scikit_learn():
    counts = reviews(50, 1).x.matrix
    first, rest = (torch.from_numpy(part.toarray()) for part in (counts[:20], counts[20:]))
    expected = TfidfTransformer(smooth_idf=True).fit(counts).idf_
    np.testing.assert_allclose(rareness((first, rest)).numpy(), expected)


def test_the_head_learns_from_weighted_words_beside_their_principal_components():
    few, pool = reviews(30, 1), reviews(120, 2).unlabelled()
    recipe = LatentSemantics(components=5, share=0.7)
    model = recipe.fit(Problem(target_labelled=few, unlabelled=pool), words())
    of_few, of_pool = (embed(model.backbone, domain).x.double().numpy() for domain in (few, pool))
    rare = TfidfTransformer(smooth_idf=True).fit(np.concatenate([of_few, of_pool]))
    weighted = [rare.transform(z).toarray() for z in (of_few, of_pool)]
    space = PCA(5, svd_solver="full").fit(np.concatenate(weighted))
    seen = [np.hstack([w, 0.7 * Normalizer().transform(space.transform(w))]) for w in weighted]
    by_hand = LinearProbe().fit(
        Problem(target_labelled=Domain(seen[0], few.labels, few.output)), as_they_are()
    )
    ours, theirs = model.logits(pool), by_hand.logits(Domain(seen[1]))
    torch.testing.assert_close(ours.float(), theirs.float(), atol=2e-3, rtol=1e-3)


def test_each_side_lies_around_its_own_mean():
    lab, field = reviews(40, 1), reviews(60, 2).unlabelled()
    recipe = LatentSemantics(components=5, own_mean=True)
    both = recipe.fit_both(Problem(source=lab, target=field), words(), Training())
    of_lab, of_field = (embed(both.target.backbone, domain).x.double().numpy() for domain in (lab, field))
    rare = TfidfTransformer(smooth_idf=True).fit(np.concatenate([of_lab, of_field]))
    weighted = [rare.transform(z).toarray() for z in (of_lab, of_field)]
    axes = PCA(5, svd_solver="full").fit(np.concatenate(weighted)).components_
    seen = [np.hstack([w, 0.5 * Normalizer().transform((w - w.mean(0)) @ axes.T)]) for w in weighted]
    labelled = Domain(seen[0], lab.labels, lab.output)
    by_hand = LinearProbe().fit(Problem(target_labelled=labelled), as_they_are())
    for ours, theirs in ((both.target.logits(field), seen[1]), (both.source.logits(lab), seen[0])):
        torch.testing.assert_close(ours.float(), by_hand.logits(Domain(theirs)).float(), atol=2e-3, rtol=1e-3)


def test_own_means_harm_where_a_class_is_more_frequent_on_one_side():
    lab, field = reviews(200, 1), reviews(400, 2)
    y = field.labels.numpy()
    rows = np.sort(np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:20]]))
    field = field[torch.from_numpy(rows)]
    problem = Problem(source=lab, target=field.unlabelled())
    pooled, own = (
        (LatentSemantics(own_mean=own, share=2.0).fit(problem, words()).logits(field).argmax(1) == field.y)
        .float()
        .mean()
        for own in (False, True)
    )
    assert own < pooled - 0.02


def test_what_no_word_tells_is_on_no_axis_and_harms_nothing():
    """Rows of zeros have no direction."""
    few, pool = reviews(30, 1), reviews(120, 2).unlabelled()
    model = LatentSemantics().fit(Problem(target_labelled=few, unlabelled=pool), words())
    assert model.logits(scipy.sparse.csr_array((3, VOCABULARY))).isfinite().all()


def test_words_that_no_label_has_are_known_by_their_company():
    few, pool, test = reviews(8, 1), reviews(600, 2).unlabelled(), reviews(400, 3)
    problem = Problem(target_labelled=few, unlabelled=pool)
    right, alone = (
        (recipe.fit(problem, words()).logits(test).argmax(1) == test.y).float().mean()
        for recipe in (LatentSemantics(), LinearProbe())
    )
    assert right > alone + 0.05


def test_where_no_column_is_ever_0_all_count_the_same():
    x = torch.rand(20, 4) + 0.1
    assert torch.equal(rareness((x[:5], x[5:])), torch.ones(4).double())
