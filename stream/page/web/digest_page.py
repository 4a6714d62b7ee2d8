"""The digest as one HTML file: for a mail, or to be opened as it is. It asks no other site."""

from __future__ import annotations

from stream.look.html import html_document, html_list, html_table, html_text
from stream.page.screens.digest import Digest, KindOfDay
from stream.page.screens.today import OpenRow
from stream.wording.amounts import count

HEAD = ("who", "why", "since", "at stake", "what to do")


def digest_page(found: Digest) -> str:
    """The whole document."""
    unlike = [f"<p class=note>{html_text(found.unlike)}</p>"] if found.unlike else []
    parts = [f"<h1>{html_text(found.title)}</h1>", *unlike, *map(_kind, found.kinds)]
    if found.business:
        parts += [f"<h2>The business as of {html_text(found.business_day)}</h2>", html_list(found.business)]
    return html_document(found.title, [*parts, f"<p><small>{html_text(found.source)}</small></p>"])


def _kind(kind: KindOfDay) -> str:
    head = f"<h2>{html_text(kind.title)}</h2><p>{html_text(kind.summary)}</p>"
    more = f"<p>and {count(kind.more, 'more customer')}.</p>" if kind.more and kind.rows else ""
    return head + (html_table(HEAD, map(_row, kind.rows)) if kind.rows else "") + more


def _row(row: OpenRow) -> tuple[str, ...]:
    why = "; ".join(row.why) + (f"; and {count(row.more, 'more reason')}" if row.more else "")
    stake = f"{row.stake} ({row.spread})" if row.spread else row.stake
    return (
        f"{row.who} ({row.tier})",
        why,
        f"raised {row.since}; {row.score}, {row.change}",
        stake,
        row.to_do,
    )
