"""The files of the review page."""

import os
from pathlib import Path

from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope


class PageFiles(StaticFiles):
    """Serves each file as a whole: the page has a hundred small ones.

    To open, read and close a file in threads, as for one that is too large for the memory, takes twice as long as all
    else, and a page that loads would keep the event loop from patterns for so long.
    """

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file, or that the client has it."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        if not isinstance(response, FileResponse):
            return response
        headers = {name: value for name, value in response.headers.items() if name != "accept-ranges"}
        return Response(Path(full_path).read_bytes(), status_code, headers)
