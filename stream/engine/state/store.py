"""Where rows are kept as bytes: in memory, or on disk when there are more of them than fit into memory.

A store on disk saves reading the whole changelog at a start. It is trusted only when it was closed cleanly at
a known position of the changelog, not long ago, when its files are those of its seal (state/seal.py), and
when they can be read. Otherwise it is emptied and rebuilt from the changelog: it may hold rows that never
became durable.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from stream.engine.failure import EngineError, Exit
from stream.engine.options import EngineOptions
from stream.engine.state.cleaning import Cleaning
from stream.engine.state.seal import Seal, contents_of, read_seal, write_seal

log = logging.getLogger("stream.engine")
MIB = 1 << 20
NO_KEY = b"\0"
"""No row has this key."""
REBUILT = "the store in %s is rebuilt from the changelog: %s"


class Store(Protocol):
    """The rows of one partition, by key. EngineError: a store on disk cannot be read or written."""

    position: int  # the changelog offset up to which it is complete
    epoch: int  # of the latest writer of the changelog that is known

    def get(self, key: bytes) -> bytes | None: ...
    def put_all(self, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """None as a row deletes the key."""

    def items(self) -> Iterator[tuple[bytes, bytes]]: ...
    def count(self) -> int:
        """On disk an estimate."""

    def close(self) -> None:
        """Close it so that the next opening may trust it."""

    def drop(self) -> None:
        """Close it as a crash would: the next opening empties it."""


class MemoryStore:
    """A dict; a start always reads the whole changelog into it."""

    def __init__(self) -> None:
        self.position = 0
        self.epoch = 0
        self._rows: dict[bytes, bytes] = {}
        self.get = self._rows.get

    def put_all(self, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """See Store."""
        kept, rows = self._rows, list(rows)
        kept.update(rows)  # type: ignore[arg-type]  # tombstones are removed at once
        for key in [key for key, row in rows if row is None]:
            if kept.get(key, b"") is None:
                del kept[key]

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(self._rows.items())

    def count(self) -> int:
        return len(self._rows)

    def close(self) -> None:
        pass

    drop = close


class DiskStore:
    """RocksDB, one database per partition. The changelog is its log, so its own write-ahead log is off."""

    def __init__(self, directory: Path, identity: str, changelog_id: str = "") -> None:
        import rocksdict

        self._rocksdict = rocksdict
        self._path = directory / "rows"
        self._seal = directory / "closed-cleanly.json"
        self._identity, self._changelog_id = identity, changelog_id
        directory.mkdir(parents=True, exist_ok=True)
        self.position, self.epoch = self._break_seal()
        try:
            self._database = self._open()
        except Exception as wrong:
            if self.position == 0:
                raise
            log.warning(REBUILT, self._path, f"it is damaged ({wrong})")
            self.position = self.epoch = 0
            shutil.rmtree(self._path)
            self._database = self._open()
        compact = weakref.WeakMethod(self._compact)  # else a store that nobody has any more keeps its files
        self._cleaning = Cleaning(lambda first, last: (found := compact()) and found(first, last))

    def _compact(self, first: bytes, last: bytes) -> None:
        """Rewrite the files that hold keys between these, without what was deleted.

        RocksDB also names first and last keys of files in its manifest, which is begun anew with every change
        (max_manifest_file_size): so one more change follows. And it names the keys here in its LOG.
        """
        self._database.compact_range(first, last + b"\0")
        batch = self._rocksdict.WriteBatch(raw_mode=True)
        batch.delete(NO_KEY)
        self._database.write(batch, self._unlogged)
        self._database.flush()
        for path in self._path.glob("LOG*"):
            os.truncate(path, 0)

    def _break_seal(self) -> tuple[int, int]:
        """Position and epoch of a clean close, or zeros. The seal is removed until the next close."""
        sealed = self._seal.exists()
        seal = read_seal(self._seal) if sealed else None
        misfit = "its seal cannot be read" if sealed else "it was not closed cleanly"
        if seal is not None:
            misfit = seal.misfit(self._identity, self._changelog_id, self._path)
        self._seal.unlink(missing_ok=True)
        if seal is not None and not misfit and seal.position:
            return seal.position, seal.epoch
        if self._path.exists():
            if misfit:
                log.log(logging.WARNING if sealed else logging.INFO, REBUILT, self._path, misfit)
            shutil.rmtree(self._path)
        elif sealed and misfit:
            log.warning(REBUILT, self._path, misfit)
        return 0, 0

    def _open(self) -> Any:
        options = self._rocksdict.Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_write_buffer_size(16 * MIB)
        options.set_max_write_buffer_number(2)
        options.set_max_open_files(256)
        options.set_max_manifest_file_size(1)
        options.set_compression_type(self._rocksdict.DBCompressionType.lz4())
        table = self._rocksdict.BlockBasedOptions()
        table.set_block_cache(self._rocksdict.Cache(32 * MIB))
        table.set_bloom_filter(10, False)
        options.set_block_based_table_factory(table)
        self._unlogged = self._rocksdict.WriteOptions()
        self._unlogged.disable_wal = True
        return self._rocksdict.Rdict(str(self._path), options)

    def get(self, key: bytes) -> bytes | None:
        """See Store."""
        try:
            row: bytes | None = self._database.get(key)
        except Exception as wrong:
            raise self._unreadable(wrong) from wrong
        return row

    def put_all(self, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """See Store."""
        batch = self._rocksdict.WriteBatch(raw_mode=True)
        rows = list(rows)
        for key, row in rows:
            if row is None:
                batch.delete(key)
            else:
                batch.put(key, row)
        try:
            self._database.write(batch, self._unlogged)
        except Exception as wrong:
            raise self._unwritable(wrong) from wrong
        self._cleaning.note(key for key, row in rows if row is None)

    def _unwritable(self, wrong: Exception) -> EngineError:
        text = f"the store in {self._path} cannot be written ({wrong}): is the disk full?"
        return EngineError(Exit.PRODUCER, text)

    def _unreadable(self, wrong: object) -> EngineError:
        text = f"the store in {self._path} cannot be read ({wrong}); starting again rebuilds it"
        return EngineError(Exit.PRODUCER, text)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every key and row. At a damaged block RocksDB's iterator ends as if no row followed, so the end
        that it came to is compared with the last key of the database."""
        key = None
        for key, row in self._database.items():
            yield key, row
        end = self._database.iter()
        end.seek_to_last()
        if (end.key() if end.valid() else None) != key:
            raise self._unreadable("not all rows are there")

    def count(self) -> int:
        """RocksDB's estimate: counting would read everything."""
        return int(self._database.property_int_value("rocksdb.estimate-num-keys") or 0)

    def drop(self) -> None:
        """See Store."""
        self._cleaning.end()
        self._database.close()

    def close(self) -> None:
        """Write everything to disk, then the seal. A crash in between leaves a store without one."""
        try:
            self._cleaning.end()
            self._database.flush()
            self._database.close()
            contents = contents_of(self._path)
            named = (self._identity, self._changelog_id, contents)
            write_seal(self._seal, Seal(*named, self.position, self.epoch, closed_s=time.time()))
        except Exception as wrong:
            raise self._unwritable(wrong) from wrong


def new_store(options: EngineOptions, partition: int, changelog_id: str = "") -> Store:
    """The store of one partition as the options want it. EngineError: its directory cannot be used.

    `changelog_id`: Kafka's id of the changelog; empty when it is not known.
    """
    if options.store is None:
        return MemoryStore()
    directory = options.store / str(partition)
    try:
        return DiskStore(directory, f"{options.app_id}/{options.changelog}/{partition}", changelog_id)
    except Exception as wrong:
        raise EngineError(
            Exit.CONFIGURATION, f"the store in {directory} cannot be opened: {wrong}"
        ) from wrong


def check_directory(directory: Path | None) -> None:
    """EngineError: nothing can be written into the directory for stores (None: rows stay in memory)."""
    if directory is None:
        return
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as probe:
            probe.write(b"a page" * 1_000)
    except OSError as wrong:
        text = f"the folder {directory} (STREAM_DATA_DIR) cannot be used: {wrong.strerror}"
        raise EngineError(Exit.CONFIGURATION, text) from wrong
