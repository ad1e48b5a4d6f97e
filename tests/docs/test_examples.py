"""Every configuration that a document shows can be used as it stands."""

from __future__ import annotations

import re
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from adapters.base import Options
from adapters.registry import open_adapter
from app.config import load_config
from tests.docs.test_docs import DOCUMENTS

# Sections that go without saying.
COMPANY = '\n[connectors.company]\ntitle = "Company databases"\n'
SHOP = '\n[sources.shop]\nurl = "sqlite:///shop.db"\ntokens = ["a-token"]\n'
EXAMPLES = {
    f"{document.name}-{number}": text
    for document in DOCUMENTS
    if document.name != "adapters.md"  # whose adapter is not installed here; see tests/kit
    for number, text in enumerate(
        re.findall(r"```toml\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    )
}


@pytest.mark.parametrize("text", EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_is_a_configuration(text: str, tmp_path: Path) -> None:
    said = tomllib.loads(text)
    path = tmp_path / "connector.toml"
    whole = text + ("connectors" not in said) * COMPANY + ("sources" not in said) * SHOP
    path.write_text(whole, encoding="utf-8")
    names = re.findall(r"\$\{(\w+)\}", text)
    config = load_config(path, {name: f"a-value-of-{name.lower()}" for name in names})
    assert config.sources
    for source in config.sources.values():
        with closing(open_adapter(source.url, Options())):
            pass
