"""Write `docs/conformance.md` from the tables of this folder: `python -m tests.conformance.document`."""

from http import HTTPStatus

from tests.conformance import (
    test_kserve,
    test_mlserver,
    test_open_inference_protocol,
    test_tensorflow_serving,
    test_triton,
)
from tests.conformance.cases import Case, Suite
from tests.serving import ROOT

PAGE = ROOT / "docs/conformance.md"
SUITES = (
    test_open_inference_protocol.SUITE,
    test_triton.SUITE,
    test_kserve.SUITE,
    test_mlserver.SUITE,
    test_tensorflow_serving.SUITE,
)

_INTRODUCTION = """\
# Conformance

What the public test suites of other servers ask, and what Weir answers. `python -m tests.conformance.document` writes
this page from the tables in `tests/conformance/`, whose cases are in our own words; `make test` sends each case to the
functions, those of V2 to both mounts, and fails when an answer or this page differs. No case is answered with a 5xx.

The published clients run as well: in `make test` Triton's, synchronous and asyncio, with gzip; in `make check` KServe's
for V1 and V2, `mlserver infer`, and schemathesis with the protocol's own OpenAPI document.

| suite | cases | Weir agrees | Weir does otherwise |
|---|--:|--:|--:|
"""


def page() -> str:
    """Write the page."""
    rows = []
    for suite in SUITES:
        otherwise = len([case for case in suite.cases if case.why_not])
        count = len(suite.cases)
        rows.append(f"| [{suite.name}]({suite.url}) | {count} | {count - otherwise} | {otherwise} |\n")
    return _INTRODUCTION + "".join(rows) + "".join(_section(suite) for suite in SUITES)


def _section(suite: Suite) -> str:
    differences = [case for case in suite.cases if case.why_not]
    agreements = [case for case in suite.cases if not case.why_not]
    lines = [f"\n## {suite.name}\n"]
    if differences:
        lines += ["\n| Weir does otherwise | wanted | Weir | why |\n|---|---|---|---|\n"]
        lines += [
            f"| {_cell(case.about)} | {_cell(case.wants)} | {_status(case)} | {case.why_not} |\n"
            for case in differences
        ]
    lines += ["\n| Weir agrees | wanted | Weir |\n|---|---|---|\n"]
    lines += [f"| {_cell(case.about)} | {_cell(case.wants)} | {_status(case)} |\n" for case in agreements]
    return "".join(lines)


def _status(case: Case) -> str:
    return f"{case.status} {HTTPStatus(case.status).phrase}"


def _cell(text: str) -> str:
    """Write a text as a cell: paths as code, and no bar or line that would end the cell."""
    words = [f"`{word}`" if "/" in word and len(word) > 1 else word for word in text.split(" ")]
    return " ".join(words).replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(page())
