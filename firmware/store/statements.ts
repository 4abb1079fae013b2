/** SQL that is run often is compiled once for each connection. */
import type Database from 'better-sqlite3';
import type { Db } from './open.ts';

const compiled = new WeakMap<Db, Map<string, Database.Statement<unknown[], unknown>>>();

/** As `db.prepare`, kept for the next time; not for statements that are iterated, and for a bounded number of texts. */
export function prepared<Bind extends unknown[] = unknown[], Row = unknown>(
  db: Db,
  sql: string,
): Database.Statement<Bind, Row> {
  const statements = compiled.get(db) ?? new Map<string, Database.Statement<unknown[], unknown>>();
  const statement = statements.get(sql) ?? db.prepare<unknown[], unknown>(sql);
  statements.set(sql, statement);
  compiled.set(db, statements);
  return statement as Database.Statement<Bind, Row>;
}
