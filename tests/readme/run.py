"""Runs the commands of a README in their order, as a reader would paste them, beside a server of its own.

    python3 tests/readme/run.py GRANTLOG README...

A block marked `sh` is run by one shell, a block marked `python` by this Python; what is marked otherwise is to be read only. Where a README
prints an address to open, a browser of a few lines signs in and allows, and the code goes to the shell's `read`.
"""

import http.cookiejar
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.error
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

ADDRESS = "http://127.0.0.1:8000"
SERVE = "cargo run --release -- serve --dev"
SECONDS = 60


class Form(HTMLParser):
    """The first form of a page: where it goes, its hidden fields, and the buttons it can be sent by."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields, self.buttons = None, {}, {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and self.action is None:
            self.action = attributes.get("action", "")
        elif tag == "input" and attributes.get("type") == "hidden":
            self.fields[attributes["name"]] = attributes.get("value", "")
        elif tag == "button" and "id" in attributes:
            self.buttons[attributes["id"]] = (attributes.get("name"), attributes.get("value", ""))


class StopAtApplication(urllib.request.HTTPRedirectHandler):
    """Follows redirects until one leaves the server: nothing answers there."""

    def __init__(self, server):
        self.server, self.left_to = server, None

    def redirect_request(self, request, fp, code, message, headers, url):
        if url.startswith(self.server):
            return super().redirect_request(request, fp, code, message, headers, url)
        self.left_to = url
        return None


def code_after_allowing(server, address, username, password):
    """Signs in and allows, as the person at the browser does; gives the code."""
    redirects = StopAtApplication(server)
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), redirects)

    def visit(url, form=None):
        body = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            with browser.open(urllib.request.Request(url, body, {"Origin": server} if form else {})) as answer:
                return answer.geturl(), answer.read().decode()
        except urllib.error.HTTPError as answer:
            if redirects.left_to:
                return redirects.left_to, ""
            raise SystemExit(f"{url}: {answer.code}\n{answer.read().decode()}") from answer

    def send(page, button, more):
        url, html = page
        form = Form(html)
        name, value = form.buttons[button]
        return visit(urllib.parse.urljoin(url, form.action), {**form.fields, **more, **({name: value} if name else {})})

    page = send(visit(address), "login", {"username": username, "password": password})
    left_to, _ = page if redirects.left_to else send(page, "allow", {})
    return urllib.parse.parse_qs(urllib.parse.urlsplit(left_to).query)["code"][0]


def blocks(readme):
    return re.findall(r"^```(sh|python)\n(.*?)^```$", Path(readme).read_text(), re.M | re.S)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start_server(grantlog, folder, port):
    environment = {**os.environ, "GRANTLOG_SERVER__LISTEN": f"127.0.0.1:{port}", "GRANTLOG_SERVER__PUBLIC_URL": f"http://127.0.0.1:{port}"}
    environment.pop("DATABASE_URL", None)
    log = open(folder / "server.log", "wb")
    server = subprocess.Popen([grantlog, "serve", "--dev"], cwd=folder, env=environment, stdout=log, stderr=log)
    for _ in range(SECONDS * 10):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").close()
            return server
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def run_shell(script, folder, server, account):
    """Runs the blocks as one script; answers its `read` with the code of the address that it printed last."""
    shell = subprocess.Popen(["bash", "-euo", "pipefail", "-c", script], cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for line in shell.stdout:
        print("   ", line, end="")
        if line.startswith(f"{server}/o/authorize/"):
            shell.stdin.write(code_after_allowing(server, line.strip(), *account) + "\n")
            shell.stdin.flush()
    if shell.wait():
        raise SystemExit(f"the commands ended with {shell.returncode}")


def run(grantlog, readme):
    with tempfile.TemporaryDirectory() as folder:
        folder, port = Path(folder), free_port()
        server = f"http://127.0.0.1:{port}"
        (folder / "target/release").mkdir(parents=True)
        shutil.copy(grantlog, folder / "target/release/grantlog")
        process = start_server(grantlog, folder, port)
        try:
            found = [(kind, text.replace(ADDRESS, server)) for kind, text in blocks(readme)]
            script = "\n".join(text for kind, text in found if kind == "sh" and SERVE not in text)
            account = re.search(r"echo '(.+)' \| grantlog user create --username (\w+)", script)
            run_shell(script, folder, server, (account[2], account[1]))
            for _, text in (block for block in found if block[0] == "python"):
                subprocess.run([sys.executable, "-c", text], cwd=folder, check=True)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


if __name__ == "__main__":
    for path in sys.argv[2:]:
        print(f"{path}:")
        run(sys.argv[1], path)
    print(f"{len(sys.argv) - 2} passed, 0 failed")
