"""The addresses of one session on one server."""

from __future__ import annotations

from typing import Optional
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from ._ids import check_session_id

_SCHEMES = {"http": ("http", "ws"), "ws": ("http", "ws"), "https": ("https", "wss"), "wss": ("https", "wss")}


class Addresses:
    """`url` is the base address of the server. Its path is a prefix of both paths, and its query is sent with both."""

    def __init__(self, url: str, session: str, socket_path: str, api_path: str) -> None:
        base = urlsplit(url)
        if base.scheme not in _SCHEMES or not base.hostname or base.fragment:
            raise ValueError(f"The address of a server is like http://host:port or https://host/prefix. This is none: {url!r}")
        if "@" in base.netloc:
            raise ValueError("The address of the server contains a user name. Pass credentials as `token` or in `headers`.")
        name = quote(check_session_id(session), safe="")
        http, ws = _SCHEMES[base.scheme]
        self._socket = self._under(base, ws, socket_path, name)
        self._api = self._under(base, http, api_path, name)

    def socket(self, epoch: Optional[str], last: int) -> str:
        """The socket, which resumes from a position if there is one."""
        position = {} if epoch is None else {"epoch": epoch, "after": str(last)}
        return self._with_query(self._socket, {"v": "1", **position}).geturl()

    def api(self, path: str = "", **query: str) -> SplitResult:
        return self._with_query(self._api._replace(path=self._api.path + path), query)

    def question(self, question_id: str, path: str = "") -> SplitResult:
        return self.api(f"/questions/{quote(question_id, safe='')}{path}")

    @staticmethod
    def _under(base: SplitResult, scheme: str, path: str, name: str) -> SplitResult:
        if "{session}" not in path:
            raise ValueError(f"A path of sessions contains {{session}}. This one does not: {path!r}")
        full = base.path.rstrip("/") + "/" + path.lstrip("/").replace("{session}", name)
        return base._replace(scheme=scheme, path=full)

    @staticmethod
    def _with_query(url: SplitResult, query: dict[str, str]) -> SplitResult:
        return url._replace(query="&".join(part for part in (url.query, urlencode(query)) if part))
