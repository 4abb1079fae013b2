/**
 * - `tail`: values of the quarter hour that is not over, in the order of arrival. A batch touches one page of it, where
 *   `raw`, ordered by point, has a page to touch for every point: flash wears a tenth.
 *   `held` is the elapsed time of reception where the wall clock could not be believed.
 * - `undated`: values whose time was never known. Kept aside, in no series.
 * - `raw` smaller: no text for a good value, the meter's clock as what it lags behind.
 * - `quarter` and `day` carry what a late value needs to be added: how many, and when the last was.
 *   Where the raw values are gone, n = 0: how many is unknown. What was not rolled up yet goes through the tail.
 * - `mark`: facts of the store itself.
 */
export const tailAndSlots = `
CREATE TABLE tail (id INTEGER PRIMARY KEY, point INTEGER NOT NULL, at INTEGER NOT NULL, value REAL, quality TEXT,
  lag INTEGER, held REAL);
CREATE TABLE undated (id INTEGER PRIMARY KEY, point INTEGER NOT NULL, at INTEGER NOT NULL, value REAL, quality TEXT,
  lag INTEGER, held REAL);
CREATE TABLE raw_2 (point INTEGER NOT NULL, at INTEGER NOT NULL, value REAL, quality TEXT, lag INTEGER,
  PRIMARY KEY (point, at)) WITHOUT ROWID;
INSERT INTO raw_2 SELECT point, at, value, nullif(quality, 'good'), at - meter_at FROM raw;
DROP TABLE raw;
ALTER TABLE raw_2 RENAME TO raw;
CREATE TABLE quarter (point INTEGER NOT NULL, at INTEGER NOT NULL, value REAL, min REAL, max REAL, n INTEGER NOT NULL,
  last INTEGER, PRIMARY KEY (point, at)) WITHOUT ROWID;
CREATE TABLE day (point INTEGER NOT NULL, at INTEGER NOT NULL, value REAL, min REAL, max REAL, n INTEGER NOT NULL,
  last INTEGER, PRIMARY KEY (point, at)) WITHOUT ROWID;
INSERT INTO quarter SELECT point, at, value, min, max,
  (SELECT count(value) FROM raw WHERE raw.point = rollup.point AND raw.at >= rollup.at AND raw.at < rollup.at + 900000), NULL
  FROM rollup WHERE slot = 'quarter';
INSERT INTO day SELECT point, at, value, min, max, n, NULL FROM rollup WHERE slot = 'day';
INSERT INTO tail SELECT NULL, point, at, value, quality, lag, NULL FROM raw WHERE at >=
  ifnull((SELECT max(r.at) + 900000 FROM rollup r WHERE r.point = raw.point AND r.slot = 'quarter'), 0);
DROP TABLE rollup;
CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;`;
