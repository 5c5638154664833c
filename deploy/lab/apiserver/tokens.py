"""Bearer tokens of service accounts: JSON Web Tokens (RFC 7519) signed with a key of this server (HS256)."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

from deploy.lab.apiserver.store import Store

ISSUER = "https://kubernetes.default.svc.cluster.local"
_HEADER = {"alg": "HS256", "typ": "JWT"}


class Tokens:
    """Issues and reads tokens. The key is kept with the objects, so that a restart leaves tokens valid."""

    def __init__(self, store: Store) -> None:
        kept = store.fact("token-key")
        if kept is None:
            kept = secrets.token_hex(32)
            store.keep_fact("token-key", kept)
        self._key = bytes.fromhex(kept)

    def issue(self, namespace: str, name: str, uid: str, audiences: list[str], seconds: int) -> str:
        """A token of a service account, valid for some seconds."""
        now = int(time.time())
        claims = {
            "aud": audiences,
            "exp": now + seconds,
            "iat": now,
            "iss": ISSUER,
            "jti": secrets.token_hex(16),
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}},
            "sub": f"system:serviceaccount:{namespace}:{name}",
        }
        signed = f"{_encoded(_HEADER)}.{_encoded(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def read(self, token: str) -> tuple[str, str, str] | None:
        """Namespace, name and uid of the service account; None for a token that is not valid here and now."""
        signed, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._signature(signed).encode(), signature.encode()):
            return None
        claims = _decoded(signed.partition(".")[2])
        if claims["exp"] <= time.time() or ISSUER not in claims["aud"]:
            return None
        account = claims["kubernetes.io"]["serviceaccount"]
        return claims["kubernetes.io"]["namespace"], account["name"], account["uid"]

    def _signature(self, text: str) -> str:
        return _base64(hmac.new(self._key, text.encode(), hashlib.sha256).digest())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _encoded(value: Any) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _decoded(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
