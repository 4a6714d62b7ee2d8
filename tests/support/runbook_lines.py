"""The lines that docs/runbook.md tells an operator to type in an incident, and a shell that types them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

RUNBOOK = Path(__file__).parent.parent.parent / "docs" / "runbook.md"
PART = "## Four incidents, step by step"


def incidents() -> dict[str, list[str]]:
    """Heading -> the lines of its block, without remarks."""
    part = RUNBOOK.read_text().split(PART)[1].split("\n## ")[0]
    found = re.findall(r"^### ([^\n]+)\n(.*?)```\n(.*?)```", part, re.DOTALL | re.MULTILINE)
    return {
        heading: [line.split("  #")[0].strip() for line in lines.splitlines()] for heading, _, lines in found
    }


class Typed:
    """An operator: types the lines of one incident one after the other, each once."""

    def __init__(self, incident: str, folder: Path, environ: Mapping[str, str], worker: str = "") -> None:
        """`worker`: the address in place of localhost:6066. Files are those in `folder`."""
        self.left = incidents()[incident]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STREAM_")}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environ = {**kept, **environ, "PATH": path, "COLUMNS": "200"}
        self._folder, self.worker = folder, worker

    def types(self, begins: str, *, code: int = 0, ID: str = "") -> str:  # noqa: N803 - as the page has it
        """The next line, which begins so; what it prints. It must end with this exit code."""
        line = self.left.pop(0)
        assert line.startswith(begins), f"the page says: {line}"
        command = line.replace("localhost:6066", self.worker).replace(" ID", f" {ID}")
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self._folder,
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr
