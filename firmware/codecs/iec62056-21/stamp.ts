/** Time stamps of P1: `YYMMDDhhmmssX`, X = S (summer, +02:00) or W (winter, +01:00); DSMR 5.0.2, 6.4. */

const FORM = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([SW])$/;

/** RFC 3339; null for a stamp that cannot be (632525252525S: no value yet); undefined when it is no stamp. */
export function stampTime(text: string): string | null | undefined {
  const m = FORM.exec(text);
  if (!m) return undefined;
  const [, yy, month, day, hour, minute, second, season] = m;
  const [y, mo, d, h, mi, s] = [
    Number(`20${yy}`),
    Number(month),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  ];
  const date = new Date(Date.UTC(y, mo - 1, d, h, mi, s));
  const same = date.getUTCMonth() === mo - 1 && date.getUTCDate() === d && h < 24 && mi < 60 && s < 60;
  // DSMR fills "never" with the first second of 2000.
  if (!same) return null;
  return `20${yy}-${month}-${day}T${hour}:${minute}:${second}${season === 'S' ? '+02:00' : '+01:00'}`;
}
