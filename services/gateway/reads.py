"""The routes that tell what is counted."""

from collections import Counter
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.gateway.auth import ReaderName
from services.gateway.caching import CachedRoute
from services.gateway.cloud import FRESH_SECONDS, Clouds
from services.gateway.examples import (
    COURIER,
    ENTITIES,
    FIGURES,
    MENTIONS,
    MENTIONS_BY_PREFIX,
    PUBLICATIONS,
    answers,
    picture,
)
from services.gateway.live import Figures, Live
from services.gateway.openapi import problem_responses
from services.gateway.paging import Page
from services.gateway.post import shown_problem
from services.gateway.queries import (
    Entities,
    Mentions,
    Order,
    Publications,
    list_publications,
    mentions,
    mentions_by_prefix,
    top_entities,
)
from services.gateway.refusal import Reason, Refusal
from services.gateway.settings import GatewaySettings
from services.gateway.store import Store
from shared.names import canonical_entity, publication_key

LIMIT_MAX = 500
SVG_HEADERS = {
    "Cache-Control": f"max-age={FRESH_SECONDS:.0f}",
    # A picture may be opened by itself, and is then a document.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


CURSOR = """`next_cursor` or `previous_cursor` of a page beside this one.

It names a place in the order, and is good whatever is counted meanwhile: on the way forward no result comes twice, and
none is left out but one that has overtaken that place since. On the way back that one is there."""


def asked_page(
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Results on a page, at most.")] = 50,
    cursor: Annotated[str | None, Query(max_length=8000, description=CURSOR)] = None,
) -> Page:
    return Page(limit, cursor)


async def asked_once(request: Request) -> None:
    """Raises Refusal (422) for a parameter that is there twice: FastAPI would take the last, and say nothing."""
    asked = Counter(name for name, _ in request.query_params.multi_items())
    if twice := [name for name, times in asked.items() if times > 1]:
        detail = [shown_problem("too_many", ["query", name], "This may be asked only once.") for name in twice]
        raise Refusal(422, Reason.INVALID, detail)


AskedPage = Annotated[Page, Depends(asked_page)]
PublicationName = Annotated[
    str,
    Path(
        description="Name or key; the way it is written makes no difference.",
        openapi_examples={"a key": {"value": COURIER.key}, "a name": {"value": COURIER.name}},
    ),
]
EntityText = Annotated[
    str,
    Path(
        description="A mention, such as `the European Union`; compared by its canonical form.",
        openapi_examples={"a person": {"value": "Angela Merkel"}, "an organisation": {"value": "the European Union"}},
    ),
]
Prefix = Annotated[
    str,
    Query(max_length=300, description="How they begin; the way it is written makes no difference.", examples=["Ang"]),
]
AskedOrder = Annotated[Order, Query(description="By key, or those with the most articles first.")]
Label = Annotated[str | None, Query(max_length=64, description="Only entities of this label.", examples=["PERSON"])]


def reads_router(settings: GatewaySettings, reader_name: ReaderName, store: Store, live: Live) -> APIRouter:
    """Each answer has an ETag; asked again with `If-None-Match`, it is a 304 while nothing has changed."""
    clouds = Clouds(store)
    router = APIRouter(
        route_class=CachedRoute,
        tags=["counts"],
        dependencies=[*([Depends(reader_name)] if settings.reads_need_key else []), Depends(asked_once)],
        responses=problem_responses(401, 422) if settings.reads_need_key else problem_responses(422),
    )

    @router.get("/publications", summary="All publications", responses=answers(PUBLICATIONS))
    async def publications(page: AskedPage, prefix: Prefix = "", order: AskedOrder = Order.KEY) -> Publications:
        """In the order of their keys, or those with the most articles first; with a prefix always the former.

        The order of keys can be followed forwards only.
        """
        return await store.ask(partial(list_publications, page=page, prefix=publication_key(prefix), order=order))

    @router.get(
        "/publications/{key:path}/entities",
        summary="Whom a publication mentions most",
        responses=answers(ENTITIES) | problem_responses(404),
    )
    async def entities(key: PublicationName, page: AskedPage, label: Label = None) -> Entities:
        """Most mentioned first. A `/` in the name may stand as it is, or as `%2F`."""
        stored = publication_key(key)
        found = await store.ask(partial(top_entities, key=stored, label=label, page=page)) if stored else None
        if found is None:
            raise Refusal(404, Reason.NOT_FOUND, f"There is no publication {stored!r}.")
        return found

    @router.get(
        "/publications/{key:path}/wordcloud.svg",
        summary="Whom a publication mentions most, as a picture",
        response_class=Response,
        responses=picture() | problem_responses(404, 501),
    )
    async def wordcloud(key: PublicationName, label: Label = None) -> Response:
        """Drawn again once a minute at most."""
        return Response(await clouds.svg(publication_key(key), label or None), 200, SVG_HEADERS, "image/svg+xml")

    @router.get("/entities", summary="Entities by how they begin", responses=answers(MENTIONS_BY_PREFIX))
    async def entities_by_prefix(prefix: Prefix, page: AskedPage) -> Mentions:
        """Who mentions them, in the order of their canonical forms: once for each publication and label."""
        return await store.ask(partial(mentions_by_prefix, prefix=canonical_entity(prefix), page=page))

    @router.get("/live", summary="How the pipeline is doing now", responses=answers(FIGURES))
    async def figures() -> Figures:
        """Measured every two seconds at most."""
        return await live.figures()

    @router.get("/entities/{text:path}", summary="Who mentions an entity", responses=answers(MENTIONS))
    async def entity(text: EntityText, page: AskedPage) -> Mentions:
        """Most mentions first. No publication mentions what is no entity: the list is empty then."""
        return await store.ask(partial(mentions, canonical=canonical_entity(text), page=page))

    return router
