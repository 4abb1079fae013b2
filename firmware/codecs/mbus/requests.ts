/** What a master sends on a wired M-Bus: the frames of EN 13757-2, 5 and the commands of EN 13757-3 and -7. */
import { NOTHING } from '../bytes.ts';
import { START_LONG, START_SHORT, STOP, sumOf } from './link.ts';
import { maskBytes, type SecondaryMask } from './secondary.ts';

/** Addresses with a meaning (EN 13757-2, 5.7.5). */
export const ADDRESS = {
  /** The highest a meter can be given; 0 is one that was never given any. */
  lastPrimary: 250,
  /** Whoever is selected by its secondary address. */
  selected: 0xfd,
  /** All answer: for a bus of one meter, or to hear whether there is any. */
  test: 0xfe,
  /** All listen, none answers. */
  broadcast: 0xff,
} as const;

/** C fields (EN 13757-2, 5.7.3). The frame count bit is set by `FCB`, valid where `FCV` is. */
const SND_NKE = 0x40;
const SND_UD = 0x53;
const REQ_UD2 = 0x5b;
const FCB = 0x20;

const CI_APPLICATION_RESET = 0x50;
const CI_SEND = 0x51;
const CI_SELECT = 0x52;
const CI_SET_300 = 0xb8;

/** Speeds of wired meters, by the CI field B8h … BFh that sets them (EN 13757-7). */
export const BAUD_RATES = [300, 600, 1200, 2400, 4800, 9600, 19200, 38400] as const;
export type MbusBaud = (typeof BAUD_RATES)[number];

export function shortFrame(control: number, address: number): Uint8Array {
  return Uint8Array.from([START_SHORT, control, address, sumOf(Uint8Array.of(control, address)), STOP]);
}

export function longFrame(
  control: number,
  address: number,
  ci: number,
  data: Uint8Array = NOTHING,
): Uint8Array {
  const body = Uint8Array.of(control, address, ci, ...data);
  return Uint8Array.from([START_LONG, body.length, body.length, START_LONG, ...body, sumOf(body), STOP]);
}

/** Initialises the link layer of a meter; at FDh it ends the selection. Answered by E5h. */
export const sndNke = (address: number): Uint8Array => shortFrame(SND_NKE, address);

/** Asks for data. The same `fcb` again asks for the same telegram again, the other one for the next. */
export const reqUd2 = (address: number, fcb: boolean): Uint8Array =>
  shortFrame(fcb ? REQ_UD2 | FCB : REQ_UD2, address);

/** Selects every meter that fits the mask; those that do not fit are deselected. Those that fit answer E5h at once. */
export const select = (mask: SecondaryMask): Uint8Array =>
  longFrame(SND_UD, ADDRESS.selected, CI_SELECT, maskBytes(mask));

/** Starts the readout anew at its first telegram; `subcode` chooses what is read (EN 13757-3, 7.2), null sends none. */
export const applicationReset = (address: number, subcode: number | null): Uint8Array =>
  longFrame(
    SND_UD,
    address,
    CI_APPLICATION_RESET,
    subcode === null ? undefined : Uint8Array.from([subcode & 0xff]),
  );

/**
 * Installer only: changes the speed of a meter. It answers at the old one; a meter that does not hear a good frame
 * at the new speed within some minutes goes back (EN 13757-3, 8).
 */
export const setBaud = (address: number, baudRate: MbusBaud): Uint8Array =>
  longFrame(SND_UD, address, CI_SET_300 + BAUD_RATES.indexOf(baudRate));

/** Installer only: gives a meter its primary address (record of VIF 7Ah, EN 13757-3). */
export const setPrimaryAddress = (address: number, to: number): Uint8Array =>
  longFrame(SND_UD, address, CI_SEND, Uint8Array.from([0x01, 0x7a, to]));
