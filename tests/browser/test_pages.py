"""What people see: each page, paging, filters, searching."""

import re
from urllib.parse import quote_plus

import httpx
from playwright.sync_api import Page, expect

from tests.browser.conftest import INJECTION, Open
from tests.pipeline import Pipeline

PERIHELION = "/publication?name=Perihelion"


def names(page: Page) -> list[str]:
    """The first column of the chart, or the headings of the cards."""
    return page.locator(".chart tbody th, .cards h2").all_inner_texts()


def counts(page: Page) -> list[int]:
    return [int(count.replace(",", "")) for count in page.locator(".chart tbody td.number").all_inner_texts()]


def test_publications_are_cards(open_page: Open, pipeline: Pipeline) -> None:
    """Those with the most articles first, each with its counts and top names, as the read API tells them."""
    page = open_page("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Who is mentioned where")
    cards = page.locator(".cards > li")
    expect(cards).to_have_count(12)
    url = pipeline.the("gateway").url
    first = httpx.get(f"{url}/publications", params={"order": "articles"}).json()["publications"][0]
    expect(cards.first.get_by_role("heading")).to_have_text(first["name"])
    expect(cards.first).to_contain_text(f"{first['articles']:,} articles · {first['mentions']:,} mentions")
    top = httpx.get(f"{url}/publications/{first['key']}/entities", params={"limit": 5}).json()["entities"]
    assert cards.first.locator("li a").all_inner_texts() == [entity["text"] for entity in top]


def test_the_cards_turn_both_ways(open_page: Open) -> None:
    """The second page has the rest, nothing twice, and leads back to the first."""
    page = open_page("/")
    first = names(page)
    expect(page.get_by_role("link", name="Previous")).to_have_count(0)
    page.get_by_role("link", name="Next").click()
    expect(page).to_have_url(re.compile("cursor="))
    second = names(page)
    assert not set(first) & set(second)
    expect(page.get_by_role("link", name="Next")).to_have_count(0)
    page.get_by_role("link", name="Previous").click()
    expect(page.locator(".cards > li")).to_have_count(12)
    assert names(page) == first


def test_a_publications_names_page_by_page(open_page: Open) -> None:
    """Most mentioned first through all pages, each once, and the same ones on the way back."""
    page = open_page("/")
    page.get_by_role("link", name="Perihelion").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Perihelion")
    forwards, tallies = [names(page)], counts(page)
    while (link := page.get_by_role("link", name="Next")).count():
        link.click()
        page.wait_for_load_state()
        forwards.append(names(page))
        tallies += counts(page)
    assert len(forwards) > 2
    assert tallies == sorted(tallies, reverse=True)
    backwards = [forwards[-1]]
    while (link := page.get_by_role("link", name="Previous")).count():
        link.click()
        page.wait_for_load_state()
        backwards.append(names(page))
    assert backwards == forwards[::-1]


def test_only_one_kind_of_name(open_page: Open) -> None:
    """The filter leaves that kind, says which is chosen, and holds on the next page; All takes it away."""
    page = open_page(PERIHELION)
    everything = names(page)
    page.get_by_role("navigation", name="Kind of name").get_by_role("link", name="People", exact=True).click()
    expect(page.locator("[aria-current]")).to_have_text("People")
    page.get_by_role("link", name="Next").click()
    expect(page.locator("[aria-current]")).to_have_text("People")
    assert set(page.locator(".chart .tag").all_inner_texts()) == {"Person"}
    page.get_by_role("link", name="All", exact=True).click()
    expect(page.locator("[aria-current]")).to_have_text("All")
    assert names(page) == everything


def test_bars_show_the_counts(open_page: Open) -> None:
    """As long as their counts, coloured by label."""
    page = open_page(PERIHELION)
    tallies = counts(page)
    widths = [
        float((bar.get_attribute("width") or "").removesuffix("%")) for bar in page.locator(".chart rect + rect").all()
    ]
    assert widths == [round(100 * count / tallies[0], 1) for count in tallies]
    colours = {
        (row.locator(".tag").inner_text(), row.locator("rect + rect").evaluate("bar => getComputedStyle(bar).fill"))
        for row in page.locator(".chart tbody tr").all()
    }
    labels = {label for label, _ in colours}
    assert len(labels) > 2
    assert len({colour for _, colour in colours}) == len(colours) == len(labels)


def test_a_word_cloud_is_drawn(open_page: Open, pipeline: Pipeline) -> None:
    """It loads as a picture, by label too, and is kept by the browser for a minute."""
    page = open_page(f"{PERIHELION}&label=PERSON")
    picture = page.get_by_role("img", name="The most mentioned names")
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("picture => picture.naturalWidth") == 480
    answer = httpx.get(f"{pipeline.the('gateway').url}{picture.get_attribute('src')}")
    assert answer.headers["Cache-Control"] == "max-age=60"
    assert set(re.findall(r'class="([a-z-]+)"', answer.text)) == {"label-person"}


def test_who_mentions_an_entity(open_page: Open, pipeline: Pipeline) -> None:
    """From a card to the entity's page, with its publications and how often."""
    page = open_page("/search?q=angela%20m")
    page.get_by_role("link", name="Angela Merkel").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Angela Merkel")
    expected = httpx.get(f"{pipeline.the('gateway').url}/entities/angela merkel?limit=25").json()["mentions"]
    assert len(expected) >= 10
    assert names(page) == [" ".join(each["publication"]["name"].split()) for each in expected]
    assert counts(page) == [each["count"] for each in expected]


def test_searching_finds_what_begins_so(open_page: Open) -> None:
    """Publications and names, from the field on every page, and with the keyboard alone."""
    page = open_page(PERIHELION)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("searchbox").focus()
    page.keyboard.type("the gaz")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("What begins with “the gaz”")
    expect(page.locator("section").filter(has_text="Publications").get_by_role("listitem")).to_have_count(10)
    page.goto("/search?q=zzzz")
    expect(page.get_by_role("main")).to_contain_text("Nothing so far")


def test_what_is_not_there_is_a_page_too(open_page: Open) -> None:
    """404 in words, with the way back, and the name as text."""
    page = open_page(f"/publication?name={quote_plus('<b>Nobody</b>')}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not here")
    expect(page.get_by_role("main")).to_contain_text("'<b>Nobody</b>'")
    page.get_by_role("link", name="All publications").click()
    expect(page.locator(".cards > li")).to_have_count(12)


def test_an_article_that_injects_script_stays_text(open_page: Open) -> None:
    """As a publication and as an entity, in every place that shows it; nothing of it runs."""
    for path in (
        "/search?q=%3Cimg",
        "/entity?name=Angela+Merkel",
        f"/publication?name={quote_plus(INJECTION)}",
        f"/entity?name={quote_plus(INJECTION)}",
        f"/publication?name=Perihelion&label={quote_plus('<script>document.title=1</script>')}",
    ):
        page = open_page(path)
        expect(page.locator("[data-figure='lag.saver']")).not_to_have_text("–")
        assert page.locator("main img[onerror], main script").count() == 0
        assert page.title() not in {"caught", "1"}
        assert "caught" not in page.title() or INJECTION in page.title()
    page = open_page(f"/publication?name={quote_plus(INJECTION)}")
    expect(page.get_by_role("heading", level=1)).to_have_text(INJECTION)


def test_odd_publications_have_pages_and_pictures(open_page: Open) -> None:
    """`..`, and one that looks like the rest of an address."""
    for name in ("..", "a/b?c=d#e&f"):
        page = open_page("/entity?name=Angela+Merkel")
        page.get_by_role("link", name=name, exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        assert (
            page.locator(".cloud img").evaluate("picture => picture.decode().then(() => picture.naturalWidth)") == 480
        )


def test_the_documentation_asks_nobody_else(open_page: Open) -> None:
    """No content delivery network: /docs works where the gateway is all there is."""
    page = open_page("/docs")
    expect(page.locator(".opblock-summary-path").filter(has_text="wordcloud.svg")).to_be_visible()


def test_a_strip_without_figures_says_so(open_page: Open) -> None:
    """The last ones don't stay as if they were true."""
    page = open_page("/", complaints_expected="ERR_INTERNET_DISCONNECTED")
    strip = page.get_by_role("region", name="The pipeline now")
    expect(strip).to_contain_text("Live")
    page.context.set_offline(True)
    expect(strip).to_contain_text("Not live")
    assert set(strip.locator("dd").all_inner_texts()) == {"–"}
    page.context.set_offline(False)
    expect(page.locator("[data-figure='lag.saver']")).not_to_have_text("–")


def test_a_strict_policy(pipeline: Pipeline) -> None:
    """Nothing inline, nothing from anywhere else, in nobody's frame."""
    policy = httpx.get(pipeline.the("gateway").url).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
