"""A web server on loopback that hands out one file and can misbehave."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What it hands out, and how."""

    content: bytes
    parts: bool = True  # whether it understands "Range"
    break_after: int | None = None  # bytes after which it hangs up
    hold: threading.Event | None = None  # what it waits for before it hangs up
    ranges: list[str | None] = field(default_factory=list)  # the "Range" of each request
    url: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        if request.path != "/file.bin":
            request.send_error(404)
            return
        match = re.fullmatch(r"bytes=(\d+)-", asked or "")
        begin = int(match[1]) if match and self.parts else 0
        body = self.content[begin:]
        request.send_response(206 if begin else 200)
        if begin:
            request.send_header("Content-Range", f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: self.break_after])
        if self.hold:
            self.hold.wait(60)


@contextmanager
def serve(server: FileServer) -> Iterator[FileServer]:
    """Runs it and sets its url."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_address[1]}/file.bin"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
