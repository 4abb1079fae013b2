/** ISO 8601 durations and times as OpenADR 3.1 uses them (User Guide, intervalPeriod). */

const FORM =
  /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const DAY_MS = 86_400_000;
/** Longer than any house stands: P9999Y means "for ever". */
export const FOR_EVER_MS = 100 * 365 * DAY_MS;

/**
 * Milliseconds; null for what is no duration, is negative, or whose length is undefined (months, and years other
 * than the 9999 of "for ever").
 */
export function durationMs(text: string): number | null {
  const m = FORM.exec(text);
  if (!m || text === 'P' || text.endsWith('T')) return null;
  const [, years, months, weeks, days, hours, minutes, seconds] = m.map((x) =>
    x === undefined ? 0 : Number(x),
  );
  if (years === 9999) return FOR_EVER_MS;
  if (years || months) return null;
  const ms =
    ((weeks ?? 0) * 7 + (days ?? 0)) * DAY_MS +
    ((hours ?? 0) * 60 + (minutes ?? 0)) * 60_000 +
    (seconds ?? 0) * 1000;
  return Math.min(ms, FOR_EVER_MS);
}

/** RFC 3339 with an offset; the year 1 means "now". Null for anything else. */
export function startMs(text: string, nowMs: number): number | null {
  if (/^0001-01-01(T00:00:00(\.0+)?Z)?$/.test(text)) return nowMs;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text)) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}
