/** What SNRM proposes and UA settles (IEC 62056-46, 6.4.4.4.3): `81 80 length`, then a row for each parameter. */

export interface LinkParameters {
  /** Most bytes of information that may be sent in one frame. */
  readonly maxInfoSend: number;
  readonly maxInfoReceive: number;
  /** Frames that may be sent before an acknowledgement. */
  readonly windowSend: number;
  readonly windowReceive: number;
}

/** What holds when nothing is negotiated. */
export const DEFAULT_PARAMETERS: LinkParameters = {
  maxInfoSend: 128,
  maxInfoReceive: 128,
  windowSend: 1,
  windowReceive: 1,
};

const IDS = { maxInfoSend: 5, maxInfoReceive: 6, windowSend: 7, windowReceive: 8 } as const;

export function encodeParameters(p: LinkParameters): Uint8Array {
  const rows = [
    [IDS.maxInfoSend, 2, p.maxInfoSend >> 8, p.maxInfoSend & 0xff],
    [IDS.maxInfoReceive, 2, p.maxInfoReceive >> 8, p.maxInfoReceive & 0xff],
    [IDS.windowSend, 4, 0, 0, 0, p.windowSend],
    [IDS.windowReceive, 4, 0, 0, 0, p.windowReceive],
  ].flat();
  return Uint8Array.from([0x81, 0x80, rows.length, ...rows]);
}

/** The sender's view, as it is on the line; what it leaves out has its default. Null when it cannot be read. */
export function readParameters(information: Uint8Array): LinkParameters | null {
  if (information.length === 0) return DEFAULT_PARAMETERS;
  if (information[0] !== 0x81 || information[1] !== 0x80) return null;
  const found = new Map<number, number>();
  for (let at = 3; at < information.length; ) {
    const id = information[at] ?? 0;
    const size = information[at + 1] ?? 0;
    if (size < 1 || size > 4 || at + 2 + size > information.length) return null;
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + (information[at + 2 + i] ?? 0);
    found.set(id, value);
    at += 2 + size;
  }
  const info = (id: number): number => clamp(found.get(id) ?? 128, 32, 2030);
  const window = (id: number): number => clamp(found.get(id) ?? 1, 1, 7);
  return {
    maxInfoSend: info(IDS.maxInfoSend),
    maxInfoReceive: info(IDS.maxInfoReceive),
    windowSend: window(IDS.windowSend),
    windowReceive: window(IDS.windowReceive),
  };
}

/** What both sides can do: the one's sending is the other's receiving. */
export function settle(ours: LinkParameters, theirs: LinkParameters): LinkParameters {
  return {
    maxInfoSend: Math.min(ours.maxInfoSend, theirs.maxInfoReceive),
    maxInfoReceive: Math.min(ours.maxInfoReceive, theirs.maxInfoSend),
    windowSend: Math.min(ours.windowSend, theirs.windowReceive),
    windowReceive: Math.min(ours.windowReceive, theirs.windowSend),
  };
}

const clamp = (n: number, least: number, most: number): number => Math.min(Math.max(n, least), most);
