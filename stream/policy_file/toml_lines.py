"""The line of each key of a TOML text, which tomllib does not report.

Only for text that tomllib has accepted. A path is keys and positions: `("ladder", "steps", 2, "name")`.
"""

from __future__ import annotations

import tomllib

KeyPath = tuple[str | int, ...]

SPACE = " \t"
BARE_KEY_END = frozenset(" \t=.]\n,}#")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line (from 1) of every table header, key and array element."""
    return _Scan(text.replace("\r\n", "\n")).document()


def line_of(lines: dict[KeyPath, int], path: KeyPath) -> int:
    """The line of a path, or else of the nearest table around it; 1 when the file has neither."""
    while path not in lines and path:
        path = path[:-1]
    return lines.get(path, 1)


class _Scan:
    """One pass over the text; `at` is the index of the next character."""

    def __init__(self, text: str) -> None:
        self.text = text + "\n"
        self.at = 0
        self.line = 1
        self.lines: dict[KeyPath, int] = {}
        self.arrays: dict[KeyPath, int] = {}

    def document(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self.blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.entry(table)
            self.blank()
        return self.lines

    def header(self) -> KeyPath:
        """`[a.b]`, or `[[a.b]]`, which appends a table to the array a.b; returns the path of the table."""
        line, is_array = self.line, self.text.startswith("[[", self.at)
        self.skip(2 if is_array else 1)
        keys = self.key()
        self.skip(2 if is_array else 1)
        path: KeyPath = ()
        for position, key in enumerate(keys):
            path += (key,)
            self.lines.setdefault(path, line)
            if is_array and position == len(keys) - 1:
                self.arrays[path] = self.arrays.get(path, -1) + 1
            if path in self.arrays:
                path += (self.arrays[path],)
        self.lines[path] = line
        return path

    def entry(self, table: KeyPath) -> None:
        """`a.b = value`"""
        line = self.line
        path = table
        for key in self.key():
            path += (key,)
            self.lines.setdefault(path, line)
        self.lines[path] = line
        self.skip(1)  # =
        self.skip_while(SPACE)
        self.value(path)

    def value(self, path: KeyPath) -> None:
        opening = self.text[self.at]
        if opening in "\"'":
            self.string()
        elif opening in "[{":
            self.skip(1)
            self.members(path, is_array=opening == "[")
        else:
            self.skip_until(frozenset(",]}\n#"))

    def members(self, path: KeyPath, *, is_array: bool) -> None:
        """The content of an array or an inline table, with the closing bracket."""
        position = 0
        self.blank()
        while self.text[self.at] not in "]}":
            if is_array:
                self.lines[(*path, position)] = self.line
                self.value((*path, position))
                position += 1
            else:
                self.entry(path)
            self.blank()
            if self.text[self.at] == ",":
                self.skip(1)
                self.blank()
        self.skip(1)

    def key(self) -> list[str]:
        """A bare, quoted or dotted key as its parts, with the space after it."""
        keys = []
        while True:
            self.skip_while(SPACE)
            start = self.at
            if self.text[start] in "\"'":
                self.string()
                keys.append(str(tomllib.loads(f"k={self.text[start : self.at]}")["k"]))
            else:
                self.skip_until(BARE_KEY_END)
                keys.append(self.text[start : self.at])
            self.skip_while(SPACE)
            if self.text[self.at] != ".":
                return keys
            self.skip(1)

    def string(self) -> None:
        quote = self.text[self.at]
        ending = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.skip(len(ending))
        while not self.text.startswith(ending, self.at):
            self.skip(2 if quote == '"' and self.text[self.at] == "\\" else 1)
        self.skip(len(ending))
        if len(ending) == 3:  # up to two more quotes belong to the string
            self.skip_while(quote)

    def blank(self) -> None:
        """Skip white space, line ends and comments."""
        while self.at < len(self.text) and self.text[self.at] in " \t\n#":
            if self.text[self.at] == "#":
                self.skip_until(frozenset("\n"))
            else:
                self.skip(1)

    def skip(self, count: int) -> None:
        self.line += self.text.count("\n", self.at, self.at + count)
        self.at += count

    def skip_while(self, characters: str) -> None:
        while self.at < len(self.text) and self.text[self.at] in characters:
            self.skip(1)

    def skip_until(self, characters: frozenset[str]) -> None:
        while self.text[self.at] not in characters:
            self.skip(1)
