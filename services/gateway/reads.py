"""The routes that tell what is counted."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from services.gateway.auth import KeyName
from services.gateway.openapi import problem_responses
from services.gateway.queries import (
    Entities,
    Mentions,
    Page,
    Publications,
    list_publications,
    mentions,
    top_entities,
)
from services.gateway.refusal import Reason, Refusal
from services.gateway.settings import GatewaySettings
from services.gateway.store import Store
from shared.names import canonical_entity, publication_key

LIMIT_MAX = 500


def asked_page(
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Results on a page, at most.")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=8000, description="`next_cursor` of the page before this one.")
    ] = None,
) -> Page:
    return Page(limit, cursor)


AskedPage = Annotated[Page, Depends(asked_page)]
PublicationName = Annotated[str, Path(description="Name or key; the way it is written makes no difference.")]
EntityText = Annotated[
    str, Path(description="A mention, such as `the European Union`; compared by its canonical form.")
]
Label = Annotated[str | None, Query(max_length=64, description="Only entities of this label.", examples=["PERSON"])]


def reads_router(settings: GatewaySettings, key_name: KeyName, store: Store) -> APIRouter:
    router = APIRouter(
        tags=["counts"],
        dependencies=[Depends(key_name)] if settings.reads_need_key else [],
        responses=problem_responses(401, 422, 503) if settings.reads_need_key else problem_responses(422, 503),
    )

    @router.get("/publications", summary="All publications")
    async def publications(page: AskedPage) -> Publications:
        """In the order of their keys."""
        return await store.ask(partial(list_publications, page=page))

    @router.get(
        "/publications/{key:path}/entities",
        summary="Whom a publication mentions most",
        responses=problem_responses(404),
    )
    async def entities(key: PublicationName, page: AskedPage, label: Label = None) -> Entities:
        """Most mentioned first. A `/` in the name may stand as it is, or as `%2F`."""
        stored = publication_key(key)
        found = await store.ask(partial(top_entities, key=stored, label=label, page=page)) if stored else None
        if found is None:
            raise Refusal(404, Reason.NOT_FOUND, f"There is no publication {stored!r}.")
        return found

    @router.get("/entities/{text:path}", summary="Who mentions an entity")
    async def entity(text: EntityText, page: AskedPage) -> Mentions:
        """Most mentions first. No publication mentions what is no entity: the list is empty then."""
        canonical = canonical_entity(text)
        if not canonical:
            return Mentions(canonical="", mentions=[], next_cursor=None)
        return await store.ask(partial(mentions, canonical=canonical, page=page))

    return router
