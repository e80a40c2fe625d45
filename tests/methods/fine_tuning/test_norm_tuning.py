from regraft.methods.fine_tuning.norm_tuning import NormTuning


def test_only_the_norms_and_the_head_move(tuned_only):
    assert tuned_only(NormTuning(epochs=1, least_steps=20, held_out=0.0, stage_rate=1e-2), "norms")


def test_biases_are_another_kind(tuned_only):
    assert not tuned_only(NormTuning(epochs=1, least_steps=20, held_out=0.0, stage_rate=1e-2), "biases")
