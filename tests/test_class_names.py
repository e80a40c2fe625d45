import pytest

from regraft.class_names import same_classes


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("grand piano", "Grand_Piano"),
        ("yin-yang", "yin yang"),
        ("cafe\u0301", "CAFÉ"),
        ("owl ", "Owl"),
        ("ß", "SS"),
    ],
)
def test_spellings_of_one_name_are_one_class(theirs, ours):
    assert same_classes(["emu", theirs], [ours]) == {ours: (1,)}


def test_other_words_are_other_classes():
    assert same_classes(["ant", "night owl", "co", "1"], ["ants", "owl", "c o", "1.0"]) == {}


def test_the_letter_goes_before_the_first_name_and_that_before_synonyms():
    source = ["projectile, missile", "Missile, rocket", "missile"]
    assert same_classes(source, ["missile"]) == {"missile": (2,)}
    assert same_classes(source[:2], ["missile"]) == {"missile": (1,)}
    assert same_classes(source[:1], ["missile"]) == {"missile": (0,)}


def test_a_name_with_a_comma_may_be_meant_as_a_whole():
    assert same_classes(["red, round", "red"], ["Red, Round", "red"]) == {"Red, Round": (0,), "red": (1,)}


def test_one_name_of_several_classes_gives_all_of_them():
    assert same_classes(["crane", "owl", "crane"], ["Crane"]) == {"Crane": (0, 2)}


def test_a_class_that_several_claim_is_nobodys():
    assert same_classes(["ant, emmet", "owl"], ["Ant", "emmet", "owl"]) == {"owl": (1,)}
    assert same_classes(["crane", "crane, bird"], ["Crane", "bird"]) == {"Crane": (0,)}
    assert same_classes(["crane", "crane, bird"], ["crane", "bird"]) == {"crane": (0,), "bird": (1,)}
