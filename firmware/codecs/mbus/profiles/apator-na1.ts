/** Apator NA-1: water; access number and status, then one enciphered block, AES-128-CBC as in security mode 5. */
import { ok, refuse } from '../../../domain/errors.ts';
import { cbcDecrypt } from '../crypto.ts';
import { nameOf } from '../identity.ts';
import { secondsSince2000, unsigned } from './codings.ts';
import { CUBIC_METRES, DATE_TIME } from './measures.ts';
import { type Product, type Profile, shown } from './profile.ts';

const HEADER = 2;
const BLOCK = 16;

function opened({
  key,
  payload,
  sender,
}: Product): ReturnType<typeof refuse> | { ok: true; value: Uint8Array } {
  if (payload.length < HEADER + BLOCK) return refuse('CUT_FRAME', 'the enciphered block is not complete');
  if (!key) return refuse('KEY_MISSING', `encrypted, and no key is configured for ${nameOf(sender)}`);
  if (key.length !== 16) return refuse('KEY_WRONG', `the key of ${nameOf(sender)} has not 16 bytes`);
  const iv = new Uint8Array(BLOCK).fill(payload[0] ?? 0);
  iv.set(sender.bytes);
  return ok(cbcDecrypt(key, iv, payload.subarray(HEADER, HEADER + BLOCK)));
}

/** Low nibble of the count, its decimal exponent, then the upper 24 bits. */
function packed(block: Uint8Array, at: number): { count: number; litres: number } {
  const word = unsigned(block, at, 4) ?? 0;
  return { count: Math.floor(word / 256) * 16 + (word & 15), litres: 10 ** ((word >> 4) & 3) };
}

/** Hours since the stored value in 14 bits; what was used since then in 26 bits. */
function stored(block: Uint8Array, total: { count: number; litres: number }): ReturnType<typeof shown> {
  const age_h = ((block[10] ?? 0) >> 2) * 256 + (block[9] ?? 0);
  const since = (unsigned(block, 11, 3) ?? 0) * 4 + ((block[10] ?? 0) & 3);
  const now_s = unsigned(block, 5, 4) ?? 0;
  const time = new Date(Date.UTC(2000, 0, 1) + (now_s - age_h * 3600) * 1000).toISOString().slice(0, 19);
  return [
    ...shown({ name: 'history', ...CUBIC_METRES, per: 1000 }, (total.count - since) * total.litres),
    ...shown({ name: 'historyTime', ...DATE_TIME }, time),
    ...shown({ name: 'historyAge', quantity: 'duration', unit: 's', times: 3600 }, age_h),
  ];
}

export const apatorNa1: Profile = {
  name: 'Apator NA-1',
  products: ['APA/14/07'],
  ci: [0xa0, 0xa1, 0xa2, 0xa3, 0xb0, 0xb1, 0xb6],
  block: opened,
  bytes: [{ name: 'time', at: 5, bytes: 4, as: secondsSince2000, ...DATE_TIME }],
  more: (_product, block) => {
    const total = packed(block, 1);
    return [
      ...shown({ name: 'total', ...CUBIC_METRES, per: 1000 }, total.count * total.litres),
      ...stored(block, total),
    ];
  },
  examples: [
    {
      telegram: '1C440106785634121407A12A01B629B29243F862A5A2F3A739D54FEB90',
      key: '000102030405060708090A0B0C0D0E0F',
      readings: [
        ['time', '2025-08-18T14:21:52'],
        ['total', 7301],
        ['history', 7261],
        ['historyTime', '2025-08-17T14:21:52'],
        ['historyAge', 86400],
      ],
    },
  ],
};
