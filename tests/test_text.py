from regraft.text import aligned


def test_text_from_files_cannot_steer_the_terminal():
    shown = aligned(["class"], [["owl\x1b]0;x\x07"], ["ow\u202el"], ["a\nb"]])
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert len(shown.splitlines()) == 5
