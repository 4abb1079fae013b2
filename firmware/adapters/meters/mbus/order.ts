/** What an installer changes at a meter on the bus: its speed, its primary address; or its application is reset. */
import type { Outcome, Request } from '../../../codecs/mbus/exchange.ts';
import type { ReadoutOptions } from '../../../codecs/mbus/readout.ts';
import {
  ADDRESS,
  applicationReset,
  type MbusBaud,
  select,
  setBaud,
  setPrimaryAddress,
  sndNke,
} from '../../../codecs/mbus/requests.ts';
import { type Fault, fault } from '../../../domain/errors.ts';
import type { MbusBus } from './bus.ts';

export type MbusTarget = ReadoutOptions['target'];

export type MbusOrder =
  | { readonly kind: 'speed'; readonly baudRate: MbusBaud }
  /** From 1 to 250. */
  | { readonly kind: 'address'; readonly primary: number }
  | { readonly kind: 'reset'; readonly subcode: number | null };

const ATTEMPTS = 3;

const asking = (bytes: Uint8Array, attempts = ATTEMPTS): Request => ({
  bytes,
  expect: 'ack',
  from: null,
  attempts,
});

/** One request after the other, as long as each is acknowledged; the outcome of the last that was sent. */
function sequence(requests: readonly Request[]) {
  return {
    start: { next: 0, outcome: null as Outcome | null },
    step({ next }: { next: number; outcome: Outcome | null }, outcome: Outcome | null) {
      const goesOn = outcome === null || outcome.kind === 'ack';
      return { state: { next: next + 1, outcome }, request: goesOn ? (requests[next] ?? null) : null };
    },
  };
}

/**
 * Gives an order to one meter at the speed it has now; null when the meter has carried it out, as far as it says. A new
 * speed is tried where the line can be set to it: a meter that hears nothing there goes back by itself.
 * @throws HearthError LINK_REFUSED, LINK_GONE
 */
export async function giveOrder(
  bus: MbusBus,
  target: MbusTarget,
  order: MbusOrder,
  baudRate: number,
): Promise<Fault | null> {
  if (order.kind === 'address' && (await answers(bus, [sndNke(order.primary)], baudRate, 1)) !== 'silent')
    return fault('REFUSED', `a meter has the address ${order.primary} already`);
  const to = 'primary' in target ? target.primary : ADDRESS.selected;
  const said = await answers(bus, [...reaching(target), orderBytes(order, to)], baudRate);
  if (said !== 'ack') return refusal(said);
  if (order.kind !== 'speed' || !(await bus.canChangeSpeed(order.baudRate))) return null;
  const atNewSpeed = await answers(bus, reaching(target), order.baudRate);
  return atNewSpeed === 'ack'
    ? null
    : fault('TIMEOUT', `the meter agreed and does not answer at ${order.baudRate} baud; it will go back`);
}

const reaching = (target: MbusTarget): Uint8Array[] => [
  'primary' in target ? sndNke(target.primary) : select(target.secondary),
];

function orderBytes(order: MbusOrder, to: number): Uint8Array {
  switch (order.kind) {
    case 'speed':
      return setBaud(to, order.baudRate);
    case 'address':
      return setPrimaryAddress(to, order.primary);
    case 'reset':
      return applicationReset(to, order.subcode);
  }
}

async function answers(
  bus: MbusBus,
  frames: readonly Uint8Array[],
  baudRate: number,
  attempts?: number,
): Promise<Outcome['kind']> {
  const { outcome } = await bus.run(sequence(frames.map((bytes) => asking(bytes, attempts))), baudRate);
  return outcome?.kind ?? 'silent';
}

const refusal = (said: Outcome['kind']): Fault =>
  said === 'silent'
    ? fault('TIMEOUT', 'no meter answers to the address')
    : fault('WRONG_ANSWER', 'several meters answer to the address, or the line is bad');
