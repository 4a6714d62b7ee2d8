"""Apache Kafka's jars: fetched once by Maven into a cache outside the repository."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

KAFKA_VERSION = os.environ.get("STREAM_TEST_KAFKA", "4.4.0")
"""The newest; docs/limits.md names the oldest that is supported."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "customer-stream"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>kafka-for-tests</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
<version>{KAFKA_VERSION}</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId>
<version>{KAFKA_VERSION}</version></dependency></dependencies></project>
"""


class NoBrokerError(Exception):
    """A broker of the chosen kind is not available here; the text says why."""


def say(text: str) -> None:
    print(f"kafka: {text}", file=sys.stderr, flush=True)


def fetched_jars() -> Path:
    """The directory with Kafka's jars; the first time Maven fetches them (about 54 MB)."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            raise NoBrokerError(f"Apache Kafka as jars needs Java and Maven: no {tool} on the PATH")
    home = CACHE / f"kafka-{KAFKA_VERSION}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            _fetch_jars(home)
    return home


def _fetch_jars(home: Path) -> None:
    say(f"fetching Apache Kafka {KAFKA_VERSION} by Maven into {home} (once, about 54 MB)")
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        pom, libs = Path(scratch, "pom.xml"), Path(scratch, "libs")
        pom.write_text(POM)
        copying = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
        copying += [f"-DoutputDirectory={libs}", "-DincludeScope=runtime"]
        done = subprocess.run(copying, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoBrokerError(f"Maven could not fetch Apache Kafka {KAFKA_VERSION}: {done.stdout[-500:]}")
        libs.rename(home)
