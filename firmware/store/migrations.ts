/** Numbered, forward only. A migration that has shipped is never changed; `user_version` says how many ran. */
export const MIGRATIONS: readonly string[] = [
  // 1: series, journal, signals, settings, write budget
  `CREATE TABLE point (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, cumulative INTEGER NOT NULL);
   CREATE TABLE raw (point INTEGER NOT NULL, at INTEGER NOT NULL, value REAL, quality TEXT NOT NULL, meter_at INTEGER,
     PRIMARY KEY (point, at)) WITHOUT ROWID;
   CREATE TABLE rollup (point INTEGER NOT NULL, slot TEXT NOT NULL, at INTEGER NOT NULL, value REAL, min REAL, max REAL,
     n INTEGER NOT NULL, PRIMARY KEY (point, slot, at)) WITHOUT ROWID;
   CREATE TABLE journal (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT, code TEXT NOT NULL,
     detail TEXT NOT NULL);
   CREATE TABLE signal (id TEXT PRIMARY KEY, until INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE write_budget (device TEXT NOT NULL, day INTEGER NOT NULL, used INTEGER NOT NULL,
     PRIMARY KEY (device, day)) WITHOUT ROWID;`,
];
