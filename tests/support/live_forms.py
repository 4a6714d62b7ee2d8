"""A browser without a screen: it keeps its cookie, finds the forms of a page, and sends them."""

from __future__ import annotations

import html
import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request

FORM = re.compile(r'<form method="post" action="/act">(.*?)</form>', re.DOTALL)
FIELD = re.compile(r'name="(\w+)" value="([^"]*)"')


class FormBrowser:
    """One person with one browser."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    def page(self, path: str = "") -> str:
        """The text of a page."""
        return self._sent(urllib.request.Request(self.address + path))[1]

    def forms(self, path: str = "") -> list[dict[str, str]]:
        """The fields of every form on a page."""
        return [
            {name: html.unescape(value) for name, value in FIELD.findall(form)}
            for form in FORM.findall(self.page(path))
        ]

    def form(self, says: str, customer: str, path: str = "") -> dict[str, str]:
        """The form that makes this remark on a customer."""
        return next(
            each
            for each in self.forms(path)
            if each["says"] == says and urllib.parse.unquote(each["customer"]) == customer
        )

    def send(self, fields: dict[str, str], **headers: str) -> tuple[int, str]:
        """Status and text of the page that the form leads to."""
        data = urllib.parse.urlencode(fields).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._sent(urllib.request.Request(self.address + "act", data, named))

    def _sent(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
