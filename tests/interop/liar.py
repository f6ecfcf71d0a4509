"""A token endpoint in the middle: it passes on what the client asks and what grantlog answers, and lies where a test tells it to."""

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode

import requests


class Liar:
    def __init__(self, grantlog):
        self._token_endpoint = grantlog.token
        self._lies = {}
        self.answers = []
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                answer = liar._pass_on(dict(parse_qsl(body)), self.headers.get("Authorization"))
                content = json.dumps(answer.told).encode()
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/o/token/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @contextmanager
    def telling(self, **lies):
        """Whatever of these the client or grantlog says, by its name: `code_verifier`, `client_secret`, `id_token` and so on."""
        self._lies = lies
        try:
            yield
        finally:
            self._lies = {}

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _pass_on(self, fields, authorization):
        if authorization and "client_secret" in self._lies:
            client_id = base64.b64decode(authorization.split()[1]).decode().partition(":")[0]
            both = f"{client_id}:{self._lies['client_secret']}".encode()
            authorization = f"Basic {base64.b64encode(both).decode()}"
        fields |= {name: lie for name, lie in self._lies.items() if name in fields}
        headers = {"Content-Type": "application/x-www-form-urlencoded", **({"Authorization": authorization} if authorization else {})}
        answer = requests.post(self._token_endpoint, data=urlencode(fields), headers=headers, timeout=30)
        told = answer.json()
        told |= {name: lie for name, lie in self._lies.items() if name in told}
        self.answers.append(Answer(answer.status_code, told))
        return self.answers[-1]


class Answer:
    """What the client was told."""

    def __init__(self, status, told):
        self.status = status
        self.told = told
