"""Database: what nobody can recompute. One SQLite file per project."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from pipelines.errors import WorkbenchError

metadata = sa.MetaData()

schema_version = sa.Table("schema_version", metadata, sa.Column("version", sa.Integer, primary_key=True))

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kept", sa.Text, nullable=False),  # path of the unchanged original inside the project
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("mapping", sa.JSON, nullable=False),
    sa.Column("rows_read", sa.Integer, nullable=False),
    sa.Column("records", sa.Integer, nullable=False),
    sa.Column("duplicate_rows", sa.Integer, nullable=False),
    sa.Column("rejected", sa.Integer, nullable=False),
    sa.Column("quarantine", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("roles", sa.JSON, nullable=False, server_default="{}"),  # what the user said the roles of the source are
)

mended = sa.Table(
    "mended",
    metadata,
    sa.Column("source", sa.Integer, primary_key=True, autoincrement=False),  # sources.id
    sa.Column("line", sa.Integer, primary_key=True, autoincrement=False),  # of the quarantine file, from 0; the file itself never changes
    sa.Column("import", sa.Integer, nullable=False),  # number of the parts that hold the records
    sa.Column("text", sa.Text, nullable=True),  # the row as a person mended it; null when it was read as it stands
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("records", sa.JSON, nullable=False),  # ids of what it became
    sa.Column("new", sa.Integer, nullable=False),  # how many of these the project did not have
    sa.Column("mended_by", sa.Text, nullable=False),  # human:<name>
    sa.Column("at", sa.Text, nullable=False),
    sa.Index("ix_mended_latest", "source", "import", "line"),
    sa.Index("ix_mended_counts", "source", "new"),  # counting a million mended rows on every page reads this alone
)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("client_id", sa.String(64), nullable=False, unique=True),  # makes a resent decision harmless
    sa.Column("record", sa.String(32), nullable=False, index=True),
    sa.Column("verdict", sa.String(16), nullable=False),  # keep, drop, flag, skip, edit, fix, comment, undo
    sa.Column("reason", sa.Text, nullable=False, default=""),
    sa.Column("edit", sa.JSON(none_as_null=True), nullable=True),  # the messages after an edit or a fix
    sa.Column("edited_id", sa.String(32), nullable=True),  # id of the record as a fix leaves it: the checks measured that text
    sa.Column("undoes", sa.Integer, nullable=True, index=True),  # seq of the decision that an undo takes back
    sa.Column("batch", sa.String(64), nullable=True, index=True),  # one id for all decisions of a bulk action
    sa.Column("decided_by", sa.Text, nullable=False),  # human:<name> or rule:<check>@<version>
    sa.Column("seconds", sa.Float, nullable=True),  # time on the card
    sa.Column("at", sa.Text, nullable=False),
    sqlite_autoincrement=True,  # seq never reused, so that an undo can never point at another decision
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("folder", sa.Text, nullable=False),  # relative to the project
    sa.Column("at", sa.Text, nullable=False),
)

settings = sa.Table("settings", metadata, sa.Column("key", sa.String(64), primary_key=True), sa.Column("value", sa.JSON, nullable=False))

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "ALTER TABLE decisions ADD COLUMN edited_id VARCHAR(32)",
        "ALTER TABLE sources ADD COLUMN roles JSON NOT NULL DEFAULT '{}'",
        """CREATE TABLE mended (
            source INTEGER NOT NULL, line INTEGER NOT NULL, "import" INTEGER NOT NULL, text TEXT, format TEXT NOT NULL,
            records JSON NOT NULL, new INTEGER NOT NULL, mended_by TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (source, line)
        )""",
        'CREATE INDEX ix_mended_latest ON mended (source, "import", line)',
        "CREATE INDEX ix_mended_counts ON mended (source, new)",
    ),
)
"""SQL that leads from schema version n+1 to n+2, by n. A released entry never changes; a change of a table above appends one.
A new database is made from the tables as they stand."""
VERSION = 1 + len(MIGRATIONS)
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def now() -> str:
    """The present moment as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Database:
    """A project's database. One connection per operation; safe across threads and processes."""

    def __init__(self, url: str) -> None:
        self.engine = sa.create_engine(url, poolclass=sa.pool.NullPool, json_deserializer=_read_json)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _prepare_sqlite)
        self._migrate()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection to read with."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: all of it or nothing. On SQLite the write lock is taken at once, so two writers wait instead of failing."""
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def _migrate(self) -> None:
        if self._version() == VERSION:
            return
        with self.write() as connection:
            version = self._version_in(connection)  # again, now that nobody else can write
            if version > VERSION:
                raise WorkbenchError("This project was made by a newer version of Winnow. Update Winnow to open it; nothing was changed.")
            if version == 0:
                metadata.create_all(connection)
            for statements in MIGRATIONS[max(version - 1, 0) :] if version else ():
                for statement in statements:
                    connection.exec_driver_sql(statement)
            connection.execute(sa.delete(schema_version))
            connection.execute(sa.insert(schema_version).values(version=VERSION))

    def _version(self) -> int:
        with self.read() as connection:
            return self._version_in(connection)

    @staticmethod
    def _version_in(connection: sa.Connection) -> int:
        if not sa.inspect(connection).has_table("schema_version"):
            return 0
        return connection.execute(sa.select(sa.func.max(schema_version.c.version))).scalar() or 0


def _read_json(text: str) -> Any:
    """A stored JSON value. Half a character in it is read as U+FFFD: edits of earlier releases may hold one, and no file can."""
    value = json.loads(text)
    if "\\ud" not in text:
        return value
    return json.loads(_HALF_CHARACTER.sub("\ufffd", json.dumps(value, ensure_ascii=False)))


def _prepare_sqlite(connection: object, _record: object) -> None:
    connection.isolation_level = None  # type: ignore[attr-defined] # transactions are begun by us, not by the driver
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA busy_timeout = 30000")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # an acknowledged decision survives a power cut
    cursor.close()
