"""Every command of the command line, also those inside groups."""

import click


def all_commands(command, name):
    yield name, command
    if isinstance(command, click.Group):
        for each in command.list_commands(click.Context(command)):
            child = command.get_command(click.Context(command), each)
            yield from all_commands(child, f"{name} {each}")
