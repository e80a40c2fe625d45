"""A language of few topics, whose words keep company with words of their own topic."""

import pytest
import torch

from regraft.backbones import small_text
from regraft.domain import Domain
from regraft.preprocessing.tokens import Tokens
from regraft.training import Training
from regraft.watch import Watch

TOPICS, WORDS, LENGTH = 4, 60, 10


def language(n, seed):
    luck = torch.Generator().manual_seed(seed)
    topic = torch.arange(n) % TOPICS
    words = torch.randint(WORDS, (n, LENGTH), generator=luck)
    said = [" ".join(f"t{t}w{w}" for w in row) for t, row in zip(topic.tolist(), words.tolist(), strict=True)]
    return Domain(said, [f"topic {t}" for t in topic.tolist()])


@pytest.fixture(scope="session")
def gain_on_texts():
    """By how much a probe on few labels gains over the features of a random network, and the run."""

    def of(task):
        pool, labelled = language(600, 0).unlabelled(), language(60, 1)
        network = small_text(Tokens(most_words=512, longest=32).fit(pool.x), width=32, depth=1)
        watch = Watch.of(pool, labelled, network, Training())
        made = task.pretrain(pool, network)
        return watch(made.backbone)["accuracy"] - watch(network)["accuracy"], made

    return of
