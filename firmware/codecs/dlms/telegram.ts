/** From a push in clear to readings. */
import { ok, type Result, refuse } from '../../domain/errors.ts';
import type { MeterIdentity, Reading, Telegram } from '../../domain/telegram.ts';
import { toHex } from '../bytes.ts';
import { readDateTime, rfc3339 } from './date-time.ts';
import { type Notification, readNotification } from './notification.ts';
import type { PushFrame } from './push-decoder.ts';
import { type Item, itemsOf, profileOf, readingOf, senderOf, textOf } from './readings.ts';

/**
 * Readings of the push. What neither a checksum nor a tag has proven must be a notification to its last byte, or
 * the key was wrong. Unknown codes are kept.
 */
export function readPush({ apdu, checked, cipher }: PushFrame): Result<Telegram> {
  const unproven = cipher !== null && !cipher.authenticated;
  const read = readNotification(apdu);
  const notice = read.ok && (unproven || !checked) ? toTheEnd(read.value) : read;
  if (!notice.ok)
    return unproven ? refuse('KEY_WRONG', 'what the key opens is no DLMS message to its end') : notice;
  const items = itemsOfNotification(notice.value);
  if (items.length === 0) return refuse('NO_TELEGRAM', 'the message holds no values');
  const sender = senderOf(items, cipher?.systemTitle ?? null);
  const profile = profileOf(sender);
  const readings = items.map((item, i) => readingOf(item, i, profile));
  const meter = identity(items, profile.manufacturer || sender.manufacturer, cipher?.systemTitle ?? null);
  const time = timeOf(notice.value.dateTime, readings);
  return ok({ ...(meter && { meter }), ...(time !== undefined && { time }), readings });
}

const toTheEnd = (notice: Notification): Result<Notification> =>
  notice.trailing === 0
    ? ok(notice)
    : refuse('BAD_FRAME', `${notice.trailing} bytes stand behind the message`);

function itemsOfNotification({ attribute, body }: Notification): Item[] {
  if (!attribute) return itemsOf(body);
  const [a, b, c, d, e, f] = attribute.obis;
  return [{ code: `${a}-${b}:${c}.${d}.${e}*${f}`, data: body, scaling: null }];
}

/** Codes under which meters say who they are, the best first. */
const IDENTITIES = [
  '0-0:96.1.0*255',
  '1-1:0.0.5*255',
  '0-0:96.1.1*255',
  '0-0:42.0.0*255',
  '1-0:0.0.0*255',
  '1-1:0.0.0*255',
  '1-0:96.1.0*255',
  '1-1:96.1.0*255',
];

/** By the best of those codes, then by a number that stands alone as text, then by the sender's name in the cipher. */
function identity(
  items: readonly Item[],
  manufacturer: string,
  systemTitle: Uint8Array | null,
): MeterIdentity | undefined {
  let best = IDENTITIES.length + 1;
  let id: string | null = null;
  for (const { code, data } of items) {
    if (data.kind !== 'octets' && data.kind !== 'text') continue;
    const text = textOf(data);
    const named = IDENTITIES.indexOf(code);
    const rank = named >= 0 ? named : code === '' && text && /^\d{6,}$/.test(text) ? IDENTITIES.length : best;
    if (!text || rank >= best) continue;
    best = rank;
    id = text;
  }
  id ??= systemTitle ? toHex(systemTitle) : null;
  return id === null ? undefined : { id, ...(manufacturer && { manufacturer }) };
}

/** The notification's own time where it has one, else the meter's clock among the values. */
function timeOf(dateTime: Uint8Array | null, readings: readonly Reading[]): string | undefined {
  const own = dateTime && readDateTime(dateTime);
  if (own && !((own.status ?? 0) & 1)) return rfc3339(own);
  return readings.find((r) => r.time !== undefined && /^$|^0-\d:1\.0\.0/.test(r.obis ?? ''))?.time;
}
