"""Every word that a page asks for exists, in both languages, and nobody keeps words for nothing."""

from __future__ import annotations

import re
from pathlib import Path

import emulator
from emulator.pages.i18n import words

PAGES = Path(emulator.__file__).parent / "pages"
# Words whose keys are put together from a value: `reason_` and the reason, for example.
COMPOSED = ("kind_", "grain_", "wire_", "reason_", "refused_")


def _asked_for() -> set[str]:
    templates = "".join(path.read_text() for path in PAGES.glob("templates/*.html"))
    scripts = "".join(path.read_text() for path in PAGES.glob("static/*.js"))
    return set(re.findall(r"\bt\.(\w+)", templates)) | set(re.findall(r"\bwords\.(\w+)", scripts))


def test_every_word_exists_in_both_languages() -> None:
    english, russian = words("en"), words("ru")
    assert _asked_for() <= english.keys() == russian.keys()
    for key in english:
        assert english[key], key
        assert re.search("[А-Яа-яЁё]", russian[key]), key
        assert not re.search("[А-Яа-яЁё]", english[key]), key


def test_no_word_is_kept_for_nothing() -> None:
    left = words("en").keys() - _asked_for()
    listed = {"count", "sum", "avg", "min", "max"}  # the measures, which the report page lists
    assert {key for key in left if not key.startswith(COMPOSED) and not key.isupper()} == listed
