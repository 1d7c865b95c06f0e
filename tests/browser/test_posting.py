"""Posting from the page, and watching the article arrive."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import INJECTION, Open
from tests.pipeline import Pipeline

COUNTED_MS = 60_000


def fill(page: Page, publication: str, key: str, content: str) -> None:
    page.get_by_label("Publication", exact=True).fill(publication)
    page.get_by_label("API key").fill(key)
    page.get_by_label("Article", exact=True).fill(content)
    page.get_by_role("button", name="Post it").click()


def test_a_post_is_counted_before_your_eyes(open_page: Open, pipeline: Pipeline) -> None:
    """Stored, then counted, then shown, without loading the page again; the key is in no address and kept nowhere."""
    page = open_page("/publication?name=Touchline+%26+Terrace")
    before = int(page.locator(".sums b").first.inner_text())
    with page.expect_request("**/post/enqueue") as posted:
        fill(page, "Touchline & Terrace", pipeline.key, "Zinedine Zidane met Roger Federer in Geneva on Monday.")
    assert posted.value.headers["x-api-key"] == pipeline.key
    news = page.get_by_role("status")
    expect(news).to_contain_text(f"has {before + 1} articles now", timeout=COUNTED_MS)
    expect(page.locator(".sums b").first).to_have_text(str(before + 1))
    assert pipeline.key not in page.url
    assert page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])") == '[{},{},""]'


def test_a_new_publication_appears(open_page: Open, pipeline: Pipeline) -> None:
    """Its first article, posted from the first page, and hostile at that."""
    page = open_page("/")
    fill(page, f" New {INJECTION}", pipeline.key, f"Roger Federer met Zinedine Zidane. {INJECTION}")
    expect(page.get_by_role("status")).to_contain_text("has 1 article now", timeout=COUNTED_MS)
    assert page.title() == "Who is mentioned where · namedrop"
    page.goto("/search?q=new%20%3C")
    expect(page.get_by_role("link", name=f"New {INJECTION}").first).to_be_visible()


def test_a_wrong_key_is_refused_in_words(open_page: Open) -> None:
    """And the article is still there to be sent again."""
    page = open_page("/", complaints_expected="status of 401")
    fill(page, "Perihelion", "wrong", "Some text.")
    expect(page.get_by_role("status")).to_have_text("The API key is wrong.")
    expect(page.get_by_label("Article", exact=True)).to_have_value("Some text.")
    fill(page, "Perihelion", "wröng→", "Some text.")
    expect(page.get_by_role("status")).to_have_text("The API key is wrong.")


def test_a_refusal_names_the_field(open_page: Open, pipeline: Pipeline) -> None:
    """What the browser lets through and the gateway does not."""
    page = open_page("/", complaints_expected="status of 422")
    fill(page, "Perihelion", pipeline.key, "   ")
    expect(page.get_by_role("status")).to_contain_text("content: ")
    expect(page.get_by_role("status")).to_contain_text("must not be blank")


def test_the_live_figures_move(open_page: Open, pipeline: Pipeline) -> None:
    """Posts per second rises while posts come in, and a dead letter is shown once there is one."""
    page = open_page("/")
    rate, letters = page.locator("[data-figure='posts_per_second']"), page.locator("[data-figure='dead_letters']")
    expect(rate).not_to_have_text("–")
    before = int(letters.inner_text())
    pipeline.produce("posts", [b"no JSON"])
    expect(letters).to_have_text(str(before + 1), timeout=COUNTED_MS)
    expect(letters).to_have_class("alarm")
    expect(rate).not_to_have_text("0", timeout=COUNTED_MS)
    expect(page.locator("[data-figure='lag.saver']")).to_have_text("0", timeout=COUNTED_MS)
    expect(page.locator("[data-figure='lag.extractor']")).to_have_text("0", timeout=COUNTED_MS)
