"""A server that stands before a real one, and lies to whoever asks while it is told to."""

import contextlib
import http.client
import http.server
import threading


class Liar:
    """Passes everything on to the server at `port`, except what `lie` answers: from method, path and the true answer
    (status and body), it makes what is shown; None for the truth. Another `port` makes it another server."""

    def __init__(self, own, port):
        self.lie = None
        self.port = port
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length", 0))
                connection = http.client.HTTPConnection("localhost", liar.port, timeout=60)
                headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
                connection.request(self.command, self.path, self.rfile.read(length) if length else None, headers)
                true = connection.getresponse()
                status, body = true.status, true.read()
                connection.close()
                told = liar.lie(self.command, self.path, status, body) if liar.lie else None
                status, body = told or (status, body)
                self.send_response(status)
                for name, value in true.getheaders():
                    if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                # Whoever asked may be gone.
                with contextlib.suppress(ConnectionError):
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(body)

            do_GET = do_POST = do_OPTIONS = do_HEAD = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("localhost", own), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @contextlib.contextmanager
    def holding(self, ending):
        """Lets requests to such a path reach the server, and holds the answer back. Gives an event for the first."""
        arrived, over = threading.Event(), threading.Event()

        def hold(method, path, *_):
            if method == "POST" and path.endswith(ending):
                arrived.set()
                over.wait(60)

        self.lie = hold
        try:
            yield arrived
        finally:
            self.lie = None
            over.set()

    def stop(self):
        self.server.shutdown()
