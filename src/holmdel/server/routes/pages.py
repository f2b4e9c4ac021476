"""A page of a file as an image that every browser shows: `/v1/page`."""

import io
from typing import Annotated

from fastapi import Query, Request, Response
from PIL import Image

from holmdel.errors import UserError
from holmdel.images import decode_page
from holmdel.server.errors import error_responses, image_error
from holmdel.server.router import Router
from holmdel.server.services import services
from holmdel.server.uploads import IMAGE_BODY, image_pages, page_of, sent

router = Router()


@router.post(
    "/v1/page",
    response_class=Response,
    responses=error_responses(404, 415, 422)
    | {
        200: {
            "description": "The page, upright; its boxes in /v1/read are in its pixels. The "
            "header X-Pages says how many pages there are.",
            "content": {"image/png": {}},
        }
    },
    openapi_extra=IMAGE_BODY,
    summary="Show a page of a TIFF or PDF file as PNG",
)
async def page(
    request: Request,
    number: Annotated[int, Query(alias="page", ge=1, description="From 1.")] = 1,
) -> Response:
    """Returns a page of an image file as the reader sees it."""
    shared = services(request)
    uploads = await image_pages(shared, (await sent(request)).images)
    upload = page_of(uploads, number)

    def work() -> bytes:
        file = io.BytesIO()
        try:
            pixels = decode_page(upload.image, 3).pixels
        except UserError as error:
            raise image_error(error) from None
        Image.fromarray(pixels).save(file, "PNG", compress_level=1)
        return file.getvalue()

    content = await shared.pages.run(work)
    return Response(content, media_type="image/png", headers={"X-Pages": str(len(uploads))})
