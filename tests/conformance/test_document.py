"""docs/conformance.md against the tables."""

import re

from tests.conformance.document import PAGE, SUITES, page


def test_the_page_is_made_of_the_tables() -> None:
    """`python -m tests.conformance.document` has been run since the last change of a table."""
    assert PAGE.read_text() == page()


def test_each_case_is_one_line_of_its_own() -> None:
    """No two cases of a suite have the same name, and each that differs says why in a sentence."""
    for suite in SUITES:
        names = [case.about for case in suite.cases]
        assert len(set(names)) == len(names), sorted({name for name in names if names.count(name) > 1})
        assert all(case.why_not.endswith(".") for case in suite.cases if case.why_not)


def test_a_case_agrees_exactly_if_its_status_is_the_one_that_is_wanted() -> None:
    """Of cases that want a status alone, no more than that decides."""
    for suite in SUITES:
        for case in suite.cases:
            if wanted := re.match(r"(\d{3})(?!,)\b", case.wants):
                assert (int(wanted[1]) == case.status) == (not case.why_not), (suite.name, case.about)


def test_the_tables_are_broad() -> None:
    """They hold hundreds of cases, most of which Weir agrees with."""
    cases = [case for suite in SUITES for case in suite.cases]
    assert len(cases) > 500
    assert len([case for case in cases if case.why_not]) < len(cases) / 5
