"""The text and the reader say the same, where that can be told by a program."""

import re
from pathlib import Path

from reader import log

HERE = Path(__file__).parent
FORMAT = (HERE / "../../docs/FORMAT.md").read_text(encoding="utf-8")


def test_every_label_the_reader_uses_is_in_the_table():
    listed = set(re.findall(r"^\| `coffer/1/(\S+)` \|", FORMAT, re.MULTILINE))
    source = "".join(path.read_text(encoding="utf-8") for path in (HERE / "reader").glob("*.py"))
    used = set(re.findall(r'\b(?:info|label)\("([^"]+)"', source)) | {"header-mac", "account-entry-mac"}
    assert len(used) > 20 and used <= listed


def test_the_verbs_of_the_log_are_those_of_the_table():
    table = re.search(r"\n\| Verbs \| Members \|\n\|---\|---\|\n((?:\|.*\n)+)", FORMAT)[1]
    verbs = {}
    for row in table.splitlines():
        names, members = row.strip("| ").split(" | ")
        numbers = set() if members == "none" else set(map(int, re.findall(r"\d+", members)))
        verbs.update(dict.fromkeys(re.findall(r"`([^`]+)`", names), numbers))
    for verb in log.WITH_OR_WITHOUT_TENANT:
        assert verbs.pop(verb) == {10}
    for verb in log.WITH_OR_WITHOUT_RECORD:
        assert verbs.pop(verb) == {10, 11}
    assert verbs == log.ABOUT


def test_every_section_that_is_referred_to_exists():
    sections = set(re.findall(r"^#+ (\d+(?:\.\d+)?)\.? ", FORMAT, re.MULTILINE))
    assert len(sections) > 50
    sources = [*(HERE / "reader").glob("*.py"), *(HERE / "../../crates").glob("*/src/**/*.rs")]
    for path in sources:
        for cited in re.findall(r"docs/FORMAT\.md §([0-9.]*[0-9])", path.read_text(encoding="utf-8")):
            assert cited in sections, f"{path} refers to §{cited}"
