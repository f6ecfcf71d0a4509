"""clients/python when the log is restored from a backup: another history begins, in which nothing issued before is good."""

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from django_site import free_port, wait_for
from grantlog_resource_server import InvalidToken, ResourceServer, Settings
from resource_server import application_for, host_of, own_token, registered, until
from wire import wire_to

AUDIENCE = "https://restored.example"


@contextmanager
def restored(grantlog, backup, folder):
    """A server over the restored log, which takes itself for the one that the backup was made of; its port."""
    (folder / "data").mkdir()
    shutil.copy(Path(grantlog.home) / "data/master.key", folder / "data")
    port = free_port()
    environment = {**os.environ, "GRANTLOG_SERVER__LISTEN": f"127.0.0.1:{port}", "DATABASE_URL": f"sqlite://{folder}/data/grantlog.db"}
    del environment["NATS_URL"]
    subprocess.run([grantlog.program, "restore", backup], cwd=folder, env=environment, check=True, capture_output=True, timeout=60)
    log = folder / "log"
    command = [grantlog.program, "serve", "--dev"]
    with open(log, "w") as output, subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output) as server:
        try:
            wait_for(port, server, log)
            yield port
        finally:
            server.terminate()


def test_a_restored_log_is_noticed_and_what_was_issued_before_is_refused(grantlog, tmp_path):
    itself, application = registered(grantlog, AUDIENCE), application_for(grantlog, AUDIENCE)
    before = own_token(grantlog, application, AUDIENCE)
    backup = str(tmp_path / "backup")
    grantlog.run("backup", backup)
    # Their positions lie beyond the backup, in a history that is gone.
    lost = [own_token(grantlog, application, AUDIENCE) for _ in range(5)][-1]
    time.sleep(1.1)  # tokens say when they were issued in seconds
    with wire_to(host_of(grantlog.url)) as wire, restored(grantlog, backup, tmp_path) as port:
        feed = f"http://{wire.address}/o/revocations"
        server = ResourceServer(Settings(f"{grantlog.url}/o", AUDIENCE, itself.id, itself.secret, feed_url=feed))
        server.start()
        until(lambda: server.standing().is_whole, "the news")
        epoch = server.standing().epoch
        for token in (before, lost):
            server.check(token)
        wire.lead_to("127.0.0.1", port)
        until(lambda: server.standing().is_whole and server.standing().epoch != epoch, "the news of the restored log")
        for token in (before, lost):
            with pytest.raises(InvalidToken, match="revoked"):
                server.check(token)
        server.close()
