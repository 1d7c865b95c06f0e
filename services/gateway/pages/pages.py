"""The web page: what the read routes tell, for people."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from services.gateway import cloud
from services.gateway.auth import ReaderName
from services.gateway.caching import CachedRoute
from services.gateway.pages.render import KINDS, STATIC, page_url, render
from services.gateway.paging import Page
from services.gateway.queries import (
    Order,
    list_publications,
    mentions,
    mentions_by_prefix,
    top_entities,
    top_names,
)
from services.gateway.refusal import Reason, Refusal
from services.gateway.settings import GatewaySettings
from services.gateway.store import Store
from shared.names import canonical_entity, publication_key

CARDS = 12
CARD_NAMES = 5
ROWS = 25
SEARCH_PUBLICATIONS = 20
SEARCH_MENTIONS = 100
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
YEAR_SECONDS = 365 * 24 * 60 * 60

Cursor = Annotated[str | None, Query(max_length=8000)]
Name = Annotated[str, Query(max_length=2000)]
Label = Annotated[str, Query(max_length=64)]


class PageRoute(CachedRoute):
    """A refusal is a page too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_explain(request: Request) -> Response:
            try:
                return await handle(request)
            except Refusal as refusal:
                request.state.reason = refusal.reason
                return problem_page(refusal)
            except RequestValidationError:
                return problem_page(Refusal(422, Reason.INVALID, "This address is not one of ours."))

        return handle_or_explain


class StaticForGood(StaticFiles):
    """Their addresses change with their content."""

    def file_response(self, *arguments: Any, **named: Any) -> Response:
        response = super().file_response(*arguments, **named)
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


def static_files() -> StaticFiles:
    return StaticForGood(directory=STATIC)


def pages_router(settings: GatewaySettings, reader_name: ReaderName, store: Store) -> APIRouter:
    router = APIRouter(
        route_class=PageRoute,
        include_in_schema=False,
        default_response_class=HTMLResponse,
        dependencies=[Depends(reader_name)] if settings.reads_need_key else [],
    )

    @router.get("/")
    async def home(cursor: Cursor = None) -> HTMLResponse:
        """The publications as cards, those with the most articles first."""
        found = await store.ask(partial(list_publications, page=Page(CARDS, cursor), order=Order.ARTICLES))
        names = await asyncio.gather(
            *(store.ask(partial(top_names, key=each.key, count=CARD_NAMES)) for each in found.publications)
        )
        cards = list(zip(found.publications, names, strict=True))
        return page("home.html", cards=cards, paging=neighbours(found, "/"))

    @router.get("/publication")
    async def publication(name: Name, label: Label = "", cursor: Cursor = None) -> HTMLResponse:
        """Whom it mentions most."""
        key = publication_key(name)
        question = partial(top_entities, key=key, label=label or None, page=Page(ROWS, cursor))
        found = await store.ask(question) if key else None
        if found is None:
            raise Refusal(404, Reason.NOT_FOUND, f"No article of a publication {name!r} was counted yet.")
        shown = found.publication.name
        return page(
            "publication.html",
            publication=found.publication,
            entities=found.entities,
            most=max((entity.count for entity in found.entities), default=1),
            label=label,
            labels=[label, *KINDS] if label and label not in KINDS else list(KINDS),
            has_cloud=cloud.available() and bool(found.entities),
            paging=neighbours(found, "/publication", name=shown, label=label),
        )

    @router.get("/entity")
    async def entity(name: Name, cursor: Cursor = None) -> HTMLResponse:
        """Who mentions it."""
        canonical = canonical_entity(name)
        if not canonical:
            raise Refusal(404, Reason.NOT_FOUND, f"{name!r} is no name: it holds neither a letter nor a digit.")
        found = await store.ask(partial(mentions, canonical=canonical, page=Page(ROWS, cursor)))
        if not found.mentions and not cursor:
            raise Refusal(404, Reason.NOT_FOUND, f"No publication mentions {name!r}.")
        return page(
            "entity.html",
            name=name,
            mentions=found.mentions,
            most=max((mention.count for mention in found.mentions), default=1),
            paging=neighbours(found, "/entity", name=name),
        )

    @router.get("/search")
    async def search(q: Name = "", cursor: Cursor = None) -> HTMLResponse:
        """Publications and names that begin so."""
        publications, found = await asyncio.gather(
            store.ask(partial(list_publications, page=Page(SEARCH_PUBLICATIONS), prefix=publication_key(q))),
            store.ask(partial(mentions_by_prefix, prefix=canonical_entity(q), page=Page(SEARCH_MENTIONS, cursor))),
        )
        names = [
            {"text": same[0].text, "labels": sorted({each.label for each in same}), "mentions": same}
            for same in (list(group) for _, group in groupby(found.mentions, lambda each: canonical_entity(each.text)))
        ]
        asked = bool(publication_key(q))
        return page(
            "search.html",
            q=q,
            publications=publications.publications if asked and not cursor else [],
            names=names,
            paging=neighbours(found, "/search", q=q),
        )

    return router


def page(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(render(template, **values), status, HEADERS)


def problem_page(refusal: Refusal) -> Response:
    headers = dict(refusal.headers)
    if refusal.status == 401:  # the browser then asks for it, and sends it with each request of ours
        headers["WWW-Authenticate"] = 'Basic realm="namedrop: any name, and an API key as the password"'
    detail = refusal.detail if isinstance(refusal.detail, str) else "; ".join(each["msg"] for each in refusal.detail)
    response = page("problem.html", refusal.status, code=refusal.status, detail=detail)
    response.headers.update(headers)
    return response


def neighbours(found: Any, path: str, **query: str) -> dict[str, str | None]:
    """Addresses of the page before and the one after."""
    return {
        side: page_url(path, **query, cursor=cursor) if cursor else None
        for side, cursor in (("previous", found.previous_cursor), ("next", found.next_cursor))
    }
