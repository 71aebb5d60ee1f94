"""`/docs` in a real browser, against the local system."""
# mypy: disable-error-code="import-not-found"

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from local.system import System
from tests.serving import ROOT, digits_manifest, store_version

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.check

FETCHES = [
    block
    for page in ("README.md", "docs/clients.md")
    for block in re.findall(r"^```js\n(.*?)^```", (ROOT / page).read_text(), re.DOTALL | re.MULTILINE)
]
SCREENSHOT = ROOT / "build/check/docs.png"
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
"""a browser that runs as any user, on any machine, and asks nobody for anything by itself"""


@dataclass
class Seen:
    """What a page did while it was used."""

    page: "Page"
    errors: list[str] = field(default_factory=list)
    """said on the console, or thrown"""
    requests: list[str] = field(default_factory=list)
    """URLs"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A system that serves the digits."""
    store = tmp_path_factory.mktemp("docs") / "store"
    store_version(store, digits_manifest())
    with System(store=store.as_uri()) as system:
        yield system.url


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator["Browser"]:
    """The browser, with nothing of a person's in it; it is gone before other tests need an event loop."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (`make test`, which only reads this, has none)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def seen(browser: "Browser", server: str) -> Iterator[Seen]:
    """The page, opened."""
    page = browser.new_page(viewport={"width": 1280, "height": 1024})
    found = Seen(page)
    page.on("console", lambda message: found.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    page.on("request", lambda request: found.requests.append(request.url))
    page.goto(f"{server}/docs")
    page.locator(".opblock").first.wait_for()
    yield found
    page.close()


def _opened(page: "Page", path: str) -> "Locator":
    """Unfold an operation, and press "Try it out"."""
    operation = page.locator(".opblock-post").filter(has=page.locator(f'[data-path="{path}"]'))
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    return operation


def _executed(operation: "Locator") -> tuple[str, str]:
    """Press "Execute"; tell the status and the body that the page shows then."""
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response")
    return answer.locator(".response-col_status").inner_text().strip(), answer.locator("pre").first.inner_text()


def test_the_page_shows_every_operation(seen: Seen, server: str) -> None:
    """Without an error, and without a word to another host."""
    paths = seen.page.request.get(f"{server}/openapi.json").json()["paths"]
    assert seen.page.title() == "Weir"
    assert seen.page.locator(".opblock").count() == sum(len(verbs) for verbs in paths.values())
    assert not seen.errors
    assert set(seen.requests) == {f"{server}/docs", f"{server}/openapi.json"}


@pytest.mark.parametrize(
    ("mount", "outputs"),
    [
        ("/cascade", ["probabilities", "label", "exit_level", "confidence", "path"]),
        ("", ["probabilities", "label"]),
    ],
    ids=["cascade", "end-to-end"],
)
def test_the_example_gives_a_prediction(seen: Seen, server: str, mount: str, outputs: list[str]) -> None:
    """As it stands there: "Try it out", "Execute"; a picture of the page then is kept."""
    status, body = _executed(_opened(seen.page, f"{mount}/v2/models/{{model}}/infer"))
    SCREENSHOT.parent.mkdir(parents=True, exist_ok=True)
    seen.page.screenshot(path=SCREENSHOT, full_page=True)
    assert status == "200"
    answer = json.loads(body)
    assert answer["model_name"] == "mnist-sample"
    assert [output["name"] for output in answer["outputs"]] == outputs
    assert not seen.errors
    assert seen.requests[2:] == [f"{server}{mount}/v2/models/mnist-sample/infer"]


def test_a_picture_gives_a_prediction(seen: Seen, tmp_path: Path) -> None:
    """A file that is chosen in the page."""
    Image.new("L", (28, 28)).save(tmp_path / "blank.png")
    operation = _opened(seen.page, "/v2/models/{model}/infer")
    operation.get_by_label("Request content type").select_option("image/png")
    operation.locator("input[type=file]").set_input_files(tmp_path / "blank.png")
    status, body = _executed(operation)
    assert (status, json.loads(body)["outputs"][0]["shape"]) == ("200", [1, 10])
    assert not seen.errors


@pytest.mark.parametrize("block", FETCHES, ids=["README", "clients"])
def test_fetch_gives_a_prediction(seen: Seen, block: str) -> None:
    """The documents' own lines, from a page of the same origin."""
    with seen.page.expect_console_message() as said:
        seen.page.evaluate(f"async () => {{{block}}}")
    told = said.value.args[0].json_value()
    outputs = told["outputs"] if isinstance(told, dict) else [{"name": "label", "data": told}]
    assert {output["name"]: output["data"] for output in outputs}["label"][0] in "0123456789"
    assert not seen.errors


@pytest.mark.parametrize(
    ("model", "body", "status", "message"),
    [
        ("nobody", None, "404", "the model is published under the alias champion. Got: nobody"),
        ("mnist-sample", '{"inputs": []}', "400", "the inputs are image. Got: []"),
    ],
)
def test_a_refusal_is_shown(seen: Seen, model: str, body: str | None, status: str, message: str) -> None:
    """With its status and our message."""
    operation = _opened(seen.page, "/v2/models/{model}/infer")
    operation.get_by_placeholder("model").fill(model)
    if body:
        operation.locator("textarea.body-param__text").fill(body)
    shown, text = _executed(operation)
    assert shown.startswith(status)
    assert json.loads(text) == {"error": message}
