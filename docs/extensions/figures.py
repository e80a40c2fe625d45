"""The measured figures, which live beside the benchmarks, as a page of the documentation."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    measured = Path(config.config_file_path).parent / "benchmarks" / "README.md"
    files.append(File.generated(config, "figures.md", abs_src_path=str(measured)))
    return files
