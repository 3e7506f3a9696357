"""A real OpenID provider (oidc-provider on node) on the loopback interface: start, stop, other keys, and both flows."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from registry.crypto.jwk import new_p256_private_jwk
from tests.fakes.plain_http import plain_client

HERE = Path(__file__).parent
HR, HR_SECRET = "hr-system", "made-up-secret-of-the-hr-system"
BACK = "http://127.0.0.1/back"


class NotInstalledError(Exception):
    """The provider cannot be had on this machine; says why."""


def install(folder: Path) -> None:
    """Install the provider into a folder, from its lock file and without running anything of it.

    Raises:
        NotInstalledError: node or npm is not there, or the packages cannot be fetched.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NotInstalledError("node and npm are not installed")
    for name in ("package.json", "package-lock.json", ".npmrc", "provider.mjs"):
        shutil.copy(HERE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstalledError("the packages do not come") from None
    if done.returncode != 0:
        raise NotInstalledError("the packages cannot be fetched")


def new_key() -> dict[str, str]:
    """Return a signing key for the provider."""
    return {**new_p256_private_jwk(), "use": "sig", "alg": "ES256"}


class Provider:
    """One provider; its name and port stay the same from start to start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.keys = [new_key()]
        self.ttl = 600
        self.back = "http://127.0.0.1:8000/console/sign-in/back"

    def start(self) -> None:
        settings = self._folder / "settings.json"
        settings.write_text(json.dumps({"port": self.port, "keys": self.keys, "ttl": self.ttl, "back": self.back}))
        command = [shutil.which("node") or "node", "provider.mjs", str(settings)]
        self._process = subprocess.Popen(
            command, cwd=self._folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        assert any("listening" in line for line in self._process.stdout)

    def stop(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=20)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def program_token(self, resource: str = "urn:registry") -> str:
        """Return an access token of the HR system, by client credentials."""
        form = {"grant_type": "client_credentials", "scope": "registry", "resource": resource}
        answer = httpx2.post(f"{self.issuer}/token", data=form, auth=(HR, HR_SECRET), timeout=20)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    def person_tokens(self, name: str, nonce: str = "n-1") -> dict[str, Any]:
        """Return the tokens of a person who signs in with a browser: authorization code with PKCE."""
        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "client_id": "people",
            "response_type": "code",
            "redirect_uri": BACK,
            "scope": "openid registry",
            "resource": "urn:registry",
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        with plain_client(self.issuer, timeout=20) as browser:
            answered = self.signed_in(browser, browser.get("/auth", params=asked), name, BACK)
            assert answered["state"] == state
            code = answered["code"]
            form = {"grant_type": "authorization_code", "client_id": "people", "redirect_uri": BACK, "code": code}
            answer = browser.post("/token", data=form | {"code_verifier": verifier})
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    def signed_in(self, browser: httpx2.Client, page: httpx2.Response, name: str, back: str) -> dict[str, str]:
        """Sign somebody in on the provider's pages; returns what the browser is sent back with."""
        for _ in range(10):
            if page.status_code in (302, 303):
                location = page.headers["location"]
                if location.startswith(back):
                    return dict(parse_qsl(urlsplit(location).query))
                page = browser.get(location)
                continue
            action = re.search(r'action="([^"]+)"', page.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
            assert action is not None, page.text
            assert prompt is not None, page.text
            page = browser.post(action[1], data={"prompt": prompt[1], "login": name, "password": "any"})
        raise AssertionError("the provider does not come back")
