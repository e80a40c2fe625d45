"""What the documents say is so."""

import re
from pathlib import Path

import pytest

from regraft.cli import COMMANDS
from regraft.methods import METHODS
from regraft.pretexts import PRETEXTS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_code_runs(capsys):
    (code,) = re.findall(r"<!-- runs in the tests -->\n```python\n(.*?)```", README, re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    assert "Handed over" in capsys.readouterr().out


def test_every_method_is_in_the_docs():
    page = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    for method in METHODS.values():
        assert f"::: {method.__module__}.{method.__name__}\n" in page


def test_every_pretext_task_is_in_the_docs():
    page = (ROOT / "docs" / "pretraining.md").read_text(encoding="utf-8")
    for task in PRETEXTS.values():
        assert f"::: {task.__module__}.{task.__name__}\n" in page


def test_every_command_is_in_the_docs():
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for command in COMMANDS:
        assert f"## regraft {command}" in page


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        generated = (page.parent.name, target) == (
            "docs",
            "figures.md",
        )  # benchmarks/README.md, by mkdocs.yml
        assert generated or (page.parent / target).exists(), target


def test_what_docs_refer_to_exists():
    from importlib import import_module

    for page in (ROOT / "docs").glob("*.md"):
        for name in re.findall(r"^::: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
            module, _, noun = name.rpartition(".")
            assert getattr(import_module(module), noun).__doc__, name


def test_ci_runs_what_the_readme_says():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    install_and_test = "pip install -e '.[test]' && pytest"
    assert f"```console\n{install_and_test}\n```" in README
    assert install_and_test in script
    assert "```console\npip install . && regraft demo\n```" in README
    assert 'pip install "$checkout" && regraft demo' in script
