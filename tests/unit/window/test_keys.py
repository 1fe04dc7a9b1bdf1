"""The table of keys: nothing twice, and the documentation prints it."""

from collections import Counter
from pathlib import Path

from etpicker_plugin.window.keys import GROUPS, KEYS, help_rows, name_of, shown_keys

ROOT = Path(__file__).resolve().parents[3]


def test_no_key_of_the_window_means_two_things():
    pages = {**GROUPS["Pages"], **GROUPS["On the page *Live*"]}
    always = [
        key
        for name, binding in KEYS.items()
        if name not in pages or name.startswith("page_")
        for key in binding.keys
    ]
    assert [key for key, count in Counter(always).items() if count > 1] == []
    # What a page binds itself must not be the window's, but for what its list takes,
    # and what the window lends it: on *Live* a right-click says that there is none.
    own = {k for n, b in pages.items() if not n.startswith("page_") for k in b.keys}
    assert own & set(always) == {"Del", "Backspace", "N"}


def test_names_are_found_by_key_and_shown_as_people_read_them():
    assert name_of("PgUp", GROUPS["Moving about"]) == "far_up"
    assert name_of("7", GROUPS["Picks"]) == "class"
    assert name_of("7", GROUPS["Moving about"]) is None
    assert shown_keys(KEYS["next"]) == "Ctrl + Page Down or ."
    assert shown_keys(KEYS["class"]) == "1 … 9"


def test_the_documentation_has_every_row():
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("tables", ROOT / "docs" / "tables.py")
    tables = module_from_spec(spec)
    spec.loader.exec_module(tables)
    page = (ROOT / "docs" / "window.md").read_text(encoding="utf-8")
    shown = tables.on_page_markdown(page)
    for heading, rows in help_rows():
        assert f"| {heading} |" in shown
        for keys, text in rows:
            assert f"| {keys} | {text} |" in shown
