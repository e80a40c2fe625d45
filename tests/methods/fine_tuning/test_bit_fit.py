from regraft.methods.fine_tuning.bit_fit import BitFit


def test_only_the_biases_and_the_head_move(tuned_only):
    assert tuned_only(BitFit(epochs=1, least_steps=20, held_out=0.0, stage_rate=1e-2), "biases")
