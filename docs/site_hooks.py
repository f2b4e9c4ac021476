"""What the site needs beyond docs/: the READMEs as its first pages, and the benchmarks' files.

MkDocs calls these functions while it builds (`hooks` in mkdocs.yml).
"""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
HOMES = {"README.md": "index.md", "README.zh-CN.md": "zh.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Returns the site's files with the READMEs, the curves and the logs among them."""
    for name, home in HOMES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        text = text.replace("](docs/", "](").replace('"docs/', '"')
        for old, new in HOMES.items():
            text = text.replace(f"]({old})", f"]({new})")
        files.append(File.generated(config, home, content=text))
    for path in [*ROOT.glob("bench/results/*.svg"), *ROOT.glob("bench/logs/*.log")]:
        name = path.relative_to(ROOT).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Returns a page whose links to benchmark files stay within the site."""
    return markdown.replace("](../bench/", "](bench/")
