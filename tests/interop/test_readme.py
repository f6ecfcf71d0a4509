"""The READMEs' commands, in their order, as a reader would paste them beside the running server.

A block marked `sh` is run by one shell, a block marked `python` by Python; what is marked otherwise is to be read only. Where a README prints an
address to open, the browser signs in and allows, and the code goes to the shell's `read`; a device whose link it prints is let in.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from browser import Browser
from grantlog import User

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "http://127.0.0.1:8000"
APPLICATION = "http://127.0.0.1:8765"
START_OF_SERVER = "serve --dev"


def blocks(readme, kind):
    found = re.findall(rf"^```{kind}\n(.*?)^```$", (ROOT / readme).read_text(encoding="utf-8"), re.M | re.S)
    return [block for block in found if START_OF_SERVER not in block]


def user_made_by(script):
    password, name = re.search(r"echo '(.+)' \| grantlog user create --username (\w+)", script).groups()
    return User(name, password)


def let_in(address, user):
    """Follows the link of a device, looks, and allows."""
    browser = Browser(APPLICATION)
    page = browser.press(browser.open(address), "login", username=user.name, password=user.password)
    assert browser.press(browser.press(page, "next"), "allow").has("device_allowed")


def run_shell(script, grantlog, user=None):
    """Answers the script's `read` with the code of the address that it printed, and lets a device in whose link it printed; returns all that it printed."""
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script], cwd=grantlog.home, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    printed = []
    for line in shell.stdout:
        printed.append(line)
        if line.startswith(grantlog.authorize):
            browser = Browser(APPLICATION)
            page = browser.decide(browser.open(line.strip()), user or user_made_by(script))
            print(page.query["code"], file=shell.stdin, flush=True)
        if line.startswith(f"{grantlog.url}/o/device/?user_code="):
            let_in(line.strip(), user_made_by(script))
    assert shell.wait(timeout=60) == 0, "".join(printed)
    return "".join(printed)


def script_of(readme, grantlog):
    """The shell's blocks, and the program where they look for it."""
    built = Path(grantlog.home) / "target/release"
    built.mkdir(parents=True, exist_ok=True)
    (built / "grantlog").unlink(missing_ok=True)
    (built / "grantlog").symlink_to(grantlog.program)
    return "\n".join(blocks(readme, "sh")).replace(ADDRESS, grantlog.url)


def test_the_commands_of_the_page_on_mails_work(grantlog):
    printed = run_shell(f"PATH=$PWD/target/release:$PATH\n{script_of('docs/mail.md', grantlog)}", grantlog)
    assert "was written to data/mail" in printed and list((Path(grantlog.home) / "data/mail").glob("*.eml"))
    assert "email verified" in printed


def test_the_commands_of_the_page_on_registration_work(grantlog):
    printed = run_shell(f"PATH=$PWD/target/release:$PATH\n{script_of('docs/registration.md', grantlog)}", grantlog)
    assert "took its registration back" in printed, "the log tells what happened"


def test_the_commands_of_the_page_on_devices_work(grantlog):
    printed = run_shell(f"PATH=$PWD/target/release:$PATH\n{script_of('docs/device.md', grantlog)}", grantlog)
    assert "\u2588" in printed, "the picture"
    assert "protected, and your token opened it" in printed
    assert "let the device in" in printed, "the log tells what happened"


def test_the_commands_of_the_page_on_exchange_work(grantlog):
    printed = run_shell(f"PATH=$PWD/target/release:$PATH\n{script_of('docs/exchange.md', grantlog)}", grantlog)
    assert '"active":true' in printed and '"issued_token_type":"urn:ietf:params:oauth:token-type:access_token"' in printed
    assert "Orders exchanged the access token" in printed, "the log tells what happened"


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_its_commands_work_in_their_order(readme, grantlog):
    script = script_of(readme, grantlog)
    printed = run_shell(script, grantlog)
    assert "protected, and your token opened it" in printed
    assert "grant.refreshed" in printed, "the log tells what happened"
    for lines in blocks(readme, "python"):
        subprocess.run([sys.executable, "-c", lines.replace(ADDRESS, grantlog.url)], cwd=grantlog.home, check=True, timeout=60)
