"""Runs a Django site of this folder as a process of its own, on a port of its own."""

import os
import random
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

HERE = Path(__file__).parent


# Below what the system gives to whoever asks for any: nobody takes one before its server listens.
PORTS = random.sample(range(20_000, 32_000), 12_000)
# For a site to listen, in seconds.
PATIENCE = 120


def free_port():
    """One that nothing listens on. Each is given once."""
    while True:
        port = PORTS.pop()
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                listener.bind(("127.0.0.1", port))
                return port


def manage(project, environment, *arguments):
    """The command that `manage.py` would be, and the environment to run it in."""
    command = [sys.executable, "-m", "django", *arguments]
    settings = {"DJANGO_SETTINGS_MODULE": f"{project}.settings", "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1"}
    return command, {**os.environ, **settings, **environment}


def migrate(project, environment):
    command, variables = manage(project, environment, "migrate", "--verbosity=0")
    subprocess.run(command, env=variables, check=True, capture_output=True)


@contextmanager
def running(project, port, environment, log):
    """The site while it runs; `log` is the file that takes what it prints."""
    command, environment = manage(project, environment, "runserver", "--noreload", "--skip-checks", f"127.0.0.1:{port}")
    with open(log, "w") as output, subprocess.Popen(command, env=environment, stdout=output, stderr=output) as site:
        try:
            wait_for(port, site, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            site.terminate()


def wait_for(port, site, log):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and site.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the site did not start: {Path(log).read_text()}")
