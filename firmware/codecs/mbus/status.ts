/** The status byte of a transport header, EN 13757-7, 7.4.2. */

const APPLICATION = ['', 'application busy', 'application error', 'abnormal condition or alarm'];
const FLAGS: readonly (readonly [bit: number, text: string])[] = [
  [0x04, 'power low'],
  [0x08, 'permanent error'],
  [0x10, 'temporary error'],
];

/** Empty when all is well; the three highest bits are the maker's. */
export function statusText(status: number): string {
  const flags = FLAGS.filter(([bit]) => status & bit).map(([, text]) => text);
  const own = status & 0xe0 ? [`maker's flags ${(status & 0xe0).toString(16)}h`] : [];
  return [APPLICATION[status & 3] ?? '', ...flags, ...own].filter((text) => text !== '').join(', ');
}
