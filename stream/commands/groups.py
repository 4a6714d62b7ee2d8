"""Groups of commands that answer a misspelt name with the names that are like it."""

from __future__ import annotations

from difflib import get_close_matches

import click


class SuggestingGroup(click.Group):
    """A click group; a command that it does not know is one line with the likely ones. Exit code 2."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first argument, or UsageError."""
        refuse_misspelt(self, ctx, args[:1])
        return super().resolve_command(ctx, args)


def refuse_misspelt(group: click.Group, ctx: click.Context, words: list[str]) -> None:
    """UsageError for a word that is no command of the group, but is like one."""
    for word in words:
        names = group.list_commands(ctx)
        likely = get_close_matches(word, names) if word not in names else []
        if likely and not ctx.resilient_parsing:
            raise click.UsageError(f"No such command {word!r}. Did you mean {' or '.join(likely)}?", ctx)
