"""Every change of an entry: checked against the life cycle, in one transaction, with what was before kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from hybrid_agent.config.memory import MemoryConfig
from hybrid_agent.errors import InputError
from hybrid_agent.memory.db import COLUMNS, Database, entry_of
from hybrid_agent.memory.rank import DAY, strength_now, strengthened
from hybrid_agent.memory.records import NEXT, Change, Entry, Scanned, Status

_SAVED = ("text", "domain", "status", "strength", "held", "reason", "skill")  # what a rollback brings back
EXPIRED, WEAK = "expired", "kept failing"


class Ledger:
    """Writes entries. Not locked: the store does that."""

    def __init__(self, database: Database, config: MemoryConfig, clock: Callable[[], float]) -> None:
        self._db, self._config, self._clock = database, config, clock

    def get(self, entry: int) -> Entry:
        """One entry, or InputError."""
        rows = self._db.rows(f"SELECT {COLUMNS} FROM entries WHERE id = ?", (entry,))
        if not rows:
            raise InputError(f"there is no memory {entry}", field="id", fix="see: hybrid-agent memory list")
        return entry_of(rows[0])

    def take_in(self, row: Mapping[str, Any], vector: bytes, scanned: Scanned | None) -> Entry:
        """Store a candidate and take it as far as the scan lets it."""
        with self._db.writing():
            known = self._db.rows(
                "SELECT id, status, held FROM entries WHERE kind = ? AND digest = ?", (row["kind"], row["digest"])
            )
            if known:
                entry, status, held = known[0]
                if status == "archived" and not held:
                    self._revive(entry)
                return self.get(entry)
            values = {**row, "status": "candidate", "version": 1}
            names, marks = ", ".join(values), ", ".join("?" * len(values))
            entry = self._db.run(f"INSERT INTO entries({names}) VALUES({marks})", tuple(values.values()))
            self._db.run("INSERT INTO vectors VALUES(?, ?)", (entry, vector))
            self._note(entry, 0, "taken in")
            if scanned is None:
                return self.get(entry)
            found = "; ".join(scanned.problems)
            note = ", ".join(["secrets cut out"] * scanned.secrets + [found] * bool(found)) or "nothing found"
            self._move(entry, "scanned", f"scan: {note}")
            if row["kind"] == "skill" and row["skill"] is None:
                self._move(entry, "rejected", f"scan: {note}")
            else:
                self._move(
                    entry, "quarantined", f"held back: {found}" if found else "waits for a test", held=bool(found)
                )
            return self.get(entry)

    def tested(self, entry: int, passed: bool, detail: str) -> Entry:
        """See `ColdMemory.tested`."""
        with self._db.writing():
            now = self.get(entry)
            self._in_quarantine(now)
            if now.held:
                fix = f"a person may look at it: hybrid-agent memory show {entry}"
                raise InputError(f"memory {entry} is {now.reason}", field="id", fix=fix)
            self._move(entry, "promoted" if passed else "rejected", f"replay: {detail}")
            return self.get(entry)

    def approve(self, entry: int, by: str) -> Entry:
        """See `ColdMemory.approve`."""
        with self._db.writing():
            now = self.get(entry)
            self._in_quarantine(now)
            self._move(entry, "promoted", f"approved by {by}" + (f" ({now.reason})" if now.held else ""), held=False)
            return self.get(entry)

    def archive(self, entry: int, why: str) -> Entry:
        """See `ColdMemory.archive`."""
        with self._db.writing():
            if self.get(entry).status != "archived":
                self._move(entry, "archived", why, held=True)
            return self.get(entry)

    def rollback(self, entry: int, version: int | None) -> Entry:
        """See `ColdMemory.rollback`."""
        with self._db.writing():
            now = self.get(entry)
            wanted = version if version is not None else now.version - 1
            rows = self._db.rows("SELECT row FROM history WHERE entry = ? AND version = ?", (entry, wanted))
            if not rows or wanted == now.version:
                known = ", ".join(str(change.version) for change in self.history(entry)[:-1]) or "none yet"
                raise InputError(f"memory {entry} has no version {wanted} to go back to", field="to", fix=known)
            before: dict[str, Any] = json.loads(rows[0][0])
            before["reason"] = f"rolled back to version {wanted}"
            names = ", ".join(f"{name} = ?" for name in _SAVED)
            self._db.run(f"UPDATE entries SET {names} WHERE id = ?", (*(before[name] for name in _SAVED), entry))
            self._stamped(entry, before["status"])
            self._note(entry, now.version, before["reason"])
            return self.get(entry)

    def outcome(self, entry: int, ok: bool, detail: str) -> Entry:
        """See `ColdMemory.outcome`."""
        rules, now = self._config.skills, self._clock()
        with self._db.writing():
            known = self.get(entry)
            strength = known.strength
            if known.kind == "skill":
                strength = strengthened(strength_now(strength, now - known.used, rules), ok, rules)
            # A failure does not keep an entry young.
            used, expires = (now, now + self._config.ttl_days * DAY) if ok else (known.used, known.expires)
            self._db.run(
                "UPDATE entries SET uses = uses + 1, wins = wins + ?, losses = losses + ?, strength = ?, used = ?,"
                " expires = ? WHERE id = ?",
                (int(ok), int(not ok), strength, used, expires, entry),
            )
            if known.kind == "skill" and not ok and strength < rules.floor and known.status == "promoted":
                self._move(entry, "archived", f"{WEAK}: {detail}" if detail else WEAK)
            return self.get(entry)

    def sweep(self) -> list[int]:
        """See `ColdMemory.sweep`."""
        with self._db.writing():
            rows = self._db.rows(
                "SELECT id FROM entries WHERE expires < ? AND status IN ('quarantined', 'promoted')", (self._clock(),)
            )
            for (entry,) in rows:
                self._move(entry, "archived", EXPIRED)
            return [entry for (entry,) in rows]

    def history(self, entry: int) -> list[Change]:
        """See `ColdMemory.history`."""
        self.get(entry)
        rows = self._db.rows(
            "SELECT entry, version, at, why, status, json_extract(row, '$.text') FROM history WHERE entry = ?"
            " ORDER BY version",
            (entry,),
        )
        names = ("entry", "version", "at", "why", "status", "text")
        return [Change(**dict(zip(names, row, strict=True))) for row in rows]

    def _revive(self, entry: int) -> None:
        """Learned again after it had expired or failed: it has to prove itself anew."""
        now = self._clock()
        self._db.run(
            "UPDATE entries SET status = 'quarantined', reason = 'learned again', used = ?, expires = ?, strength = ?"
            " WHERE id = ?",
            (now, now + self._config.ttl_days * DAY, self._config.skills.start, entry),
        )
        self._note(entry, self.get(entry).version, "learned again")

    def _in_quarantine(self, entry: Entry) -> None:
        if entry.status != "quarantined":
            fix = "only what is in quarantine can be promoted"
            raise InputError(f"memory {entry.id} is {entry.status}: {entry.reason}", field="id", fix=fix)

    def _move(self, entry: int, to: Status, why: str, held: bool | None = None) -> None:
        now = self.get(entry)
        if to not in NEXT[now.status]:
            raise InputError(f"memory {entry} is {now.status}", field="id", fix=f"from there it cannot be {to}")
        kept = now.held if held is None else held
        self._db.run("UPDATE entries SET status = ?, reason = ?, held = ? WHERE id = ?", (to, why, kept, entry))
        self._stamped(entry, to)
        self._note(entry, now.version, why)

    def _stamped(self, entry: int, status: str) -> None:
        """Promotions are numbered, so that every process finds the ones that its index lacks."""
        if status == "promoted":
            seq = int(self._db.meta("seq", "0")) + 1
            self._db.set_meta("seq", str(seq))
            self._db.run("UPDATE entries SET seq = ? WHERE id = ?", (seq, entry))

    def _note(self, entry: int, version: int, why: str) -> None:
        """The next version, as it now is."""
        self._db.run("UPDATE entries SET version = ? WHERE id = ?", (version + 1, entry))
        row = self._db.rows(f"SELECT {', '.join(_SAVED)} FROM entries WHERE id = ?", (entry,))[0]
        saved = dict(zip(_SAVED, row, strict=True))
        values = (entry, version + 1, self._clock(), why, saved["status"], json.dumps(saved, ensure_ascii=False))
        self._db.run("INSERT INTO history VALUES(?, ?, ?, ?, ?, ?)", values)
