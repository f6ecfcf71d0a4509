"""What the `run` of an example does: it starts grantlog and programs beside it, says what to do, and stops all of it on Ctrl-C.

Everything is on loopback, over plain http, and in a temporary folder that is gone afterwards.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
USER = "mika"
PASSWORD = "a long enough password"
# For a program to answer, in seconds.
PATIENCE = 60


def parser(about, ports, of):
    """The arguments that every `run` takes; `of`: whose the ports are."""
    arguments = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--grantlog", metavar="PROGRAM", type=os.path.abspath, help="the program; left out: it is built with cargo")
    arguments.add_argument("--python", metavar="PROGRAM", type=os.path.abspath, help="a Python with requirements.txt installed; left out: an environment is made in ./venv")
    arguments.add_argument("--ports", metavar="PORT", nargs=len(ports), type=int, default=ports, help=of)
    return arguments


def run(given, here, start):
    """Starts what `start(stage)` starts, prints what that gives, and waits. `here` is the example's folder."""
    _refuse_taken(given.ports)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix=f"grantlog-{here.name}-"))
        stage = Stage(given, here, Path(home), stack)
        try:
            print(start(stage), flush=True)
            while all(process.poll() is None for process in stage.processes):
                time.sleep(0.5)
            sys.exit("one of them ended by itself")
        except KeyboardInterrupt:
            print("\nstopping")


def _refuse_taken(ports):
    """What answers there already would be taken for one of ours."""
    for port in ports:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                sys.exit(f"something answers at port {port} already: --ports gives others")


class Stage:
    """What a `run` has under way."""

    def __init__(self, given, here, home, stack):
        self.here, self.home, self.stack = here, home, stack
        self.processes = []
        self.program = str(given.grantlog or _built())
        self.python = given.python or _environment_of_its_own(here)
        self.clean = {name: value for name, value in os.environ.items() if not name.startswith(("GRANTLOG_", "DATABASE_URL", "NATS_URL"))}

    def start_grantlog(self, port, **environment):
        """The command line beside the server that was started, in which there is a user."""
        server = Grantlog(self.program, self.home, {**self.clean, "GRANTLOG_SERVER__LISTEN": f"127.0.0.1:{port}", **environment})
        self.start("grantlog", [self.program, "serve", "--dev"], f"http://127.0.0.1:{port}/readyz", cwd=self.home, env=server.environment)
        server.run("user", "create", "--username", USER, "--password-stdin", "--name", "Mika Sato", typed=PASSWORD)
        return server

    def start(self, name, command, url, **more):
        """Starts a program, and waits until it answers at `url`."""
        self.stack.enter_context(self._running(command, url, self.home / f"{name}.log", **more))

    @contextmanager
    def _running(self, command, url, log, **more):
        with open(log, "w") as output, subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True, **more) as process:
            self.processes.append(process)
            try:
                _wait_until_it_answers(process, url, log)
                yield
            finally:
                process.terminate()


class Grantlog:
    """The command line beside the running server."""

    def __init__(self, program, home, environment):
        self.program, self.home, self.environment = program, home, environment

    def run(self, *words, typed=""):
        command = [self.program, *words, "--json"]
        done = subprocess.run(command, cwd=self.home, env=self.environment, input=typed, text=True, capture_output=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        return json.loads(done.stdout)

    def register(self, name, **metadata):
        """Registers a client; gives the environment that its project is started with."""
        flags = [word for member, value in metadata.items() for word in (f"--{member.replace('_', '-')}", value)]
        client = self.run("client", "register", "--client-name", name, *flags)
        return {"CLIENT_ID": client["client_id"], "CLIENT_SECRET": client["client_secret"]}


def _built():
    """The program, brought up to date."""
    if shutil.which("cargo") is None:
        sys.exit("cargo is not on the PATH: install Rust, or name the program with --grantlog")
    print("building grantlog; the first time takes some minutes", flush=True)
    subprocess.run(["cargo", "build", "--release", "--locked", "--bin", "grantlog"], cwd=ROOT, check=True)
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/grantlog"


def _environment_of_its_own(here):
    """A Python that has what the example needs."""
    venv = here / "venv"
    wanted = (here / "requirements.txt").read_text()
    complete = venv / "complete"
    if not complete.exists() or complete.read_text() != wanted:
        print("installing requirements.txt into ./venv", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"], cwd=here, check=True)
        complete.write_text(wanted)
    return venv / "bin/python"


def _wait_until_it_answers(process, url, log):
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit(f"{url} does not answer:\n{Path(log).read_text()}")
