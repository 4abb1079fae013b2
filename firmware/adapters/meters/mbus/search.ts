/** Finds every meter of a bus: at which speeds there is anybody, by secondary address, and by primary address. */
import type { Outcome, Request } from '../../../codecs/mbus/exchange.ts';
import { identityOf } from '../../../codecs/mbus/identity.ts';
import { newScan, type PrimaryMeter, step as scanStep } from '../../../codecs/mbus/primary-scan.ts';
import { ADDRESS, BAUD_RATES, select, sndNke } from '../../../codecs/mbus/requests.ts';
import { step as searchStep } from '../../../codecs/mbus/search.ts';
import { type FoundMeter, newSearch, type UnresolvedMask } from '../../../codecs/mbus/search-state.ts';
import { ANYBODY, maskOf, maskText, type SecondaryMask } from '../../../codecs/mbus/secondary.ts';
import type { MeterIdentity } from '../../../domain/telegram.ts';
import type { MbusBus } from './bus.ts';

export interface FoundOnBus {
  readonly baudRate: number;
  readonly identity: MeterIdentity | null;
  /** For the configuration: `12345678-KAM-1b-04`, or the primary address where there is no secondary one. */
  readonly address: string;
  /** The address it answers to as a primary one; null where it is not known to be its own. */
  readonly primary: number | null;
  /** Null when it is well; else what is wrong with it, for the installer. */
  readonly remark: string | null;
}

export interface SearchBusOptions {
  /** Speeds to try, most common first; a link that cannot change its speed has only the first. */
  readonly baudRates?: readonly number[];
  /** `secondary` finds all that have a secondary address; `primary` asks the addresses 0 to 250; `both` one after the other. */
  readonly by?: 'secondary' | 'primary' | 'both';
  readonly mask?: SecondaryMask;
  /** Called for each meter as soon as it is found. */
  readonly found?: (meter: FoundOnBus) => void;
}

export interface SearchBusResult {
  readonly meters: readonly FoundOnBus[];
  readonly requests: number;
}

/** 2400 baud is what meters are delivered with; 300 is what every meter must know (EN 13757-2, 5.3). */
const COMMON_FIRST: readonly number[] = [
  2400,
  300,
  9600,
  ...BAUD_RATES.filter((b) => ![2400, 300, 9600].includes(b)),
];

/**
 * Finds the meters of a bus. Every speed at which anybody is heard is searched; a meter that answers at several
 * counts once.
 * @throws HearthError LINK_REFUSED, LINK_GONE
 */
export async function searchBus(bus: MbusBus, options: SearchBusOptions = {}): Promise<SearchBusResult> {
  const wanted = options.baudRates ?? COMMON_FIRST;
  const first = wanted[0] ?? 2400;
  const baudRates = (await bus.canChangeSpeed(first)) ? wanted : [first];
  const meters = new Map<string, FoundOnBus>();
  let requests = 0;
  const add = (meter: FoundOnBus): void => {
    if (meters.has(meter.address)) return;
    meters.set(meter.address, meter);
    options.found?.(meter);
  };
  for (const baudRate of baudRates) {
    const heard = await bus.run(presence(), baudRate);
    requests += heard.requests;
    if (!heard.anybody) continue;
    const by = options.by ?? 'secondary';
    if (by !== 'primary') requests += await bySecondary(bus, baudRate, options.mask ?? ANYBODY, add);
    if (by !== 'secondary') requests += await byPrimary(bus, baudRate, add);
  }
  return { meters: [...meters.values()], requests };
}

interface Presence {
  readonly asked: number;
  readonly anybody: boolean;
  readonly requests: number;
}

/** Is there anybody at this speed? All are selected, and all are asked to answer; whatever is heard is a yes. */
function presence() {
  const questions: Request[] = [
    { bytes: select(ANYBODY), expect: 'ack', from: null, attempts: 2 },
    { bytes: sndNke(ADDRESS.test), expect: 'ack', from: null, attempts: 2 },
  ];
  return {
    start: { asked: 0, anybody: false, requests: 0 } as Presence,
    step({ asked, anybody, requests }: Presence, outcome: Outcome | null) {
      const heard = anybody || (outcome !== null && outcome.kind !== 'silent');
      const request = heard ? null : (questions[asked] ?? null);
      const state = { asked: asked + 1, anybody: heard, requests: requests + (request ? 1 : 0) };
      return { state, request };
    },
  };
}

type Add = (meter: FoundOnBus) => void;

async function bySecondary(bus: MbusBus, baudRate: number, mask: SecondaryMask, add: Add): Promise<number> {
  let told = 0;
  const end = await bus.run(
    {
      start: newSearch(),
      step: (state, outcome) => searchStep(state, outcome, { mask }),
      progress({ found }) {
        if (found.size === told) return;
        for (const meter of [...found.values()].slice(told)) add(foundOf(meter, baudRate));
        told = found.size;
      },
    },
    baudRate,
  );
  for (const left of end.unresolved) add(unresolvedOf(left, baudRate));
  return end.requests;
}

function foundOf({ address, primary }: FoundMeter, baudRate: number): FoundOnBus {
  return {
    baudRate,
    identity: identityOf(address),
    address: maskText(maskOf(address)),
    primary: primary <= ADDRESS.lastPrimary ? primary : null,
    remark: null,
  };
}

const REMARKS = {
  mute: 'acknowledges its selection and sends no data that can be read',
  alike: 'several meters have this same address, or one whose data never arrive whole',
  noise: 'the line answers to every address: the search was given up',
} as const;

const unresolvedOf = ({ mask, why }: UnresolvedMask, baudRate: number): FoundOnBus => ({
  baudRate,
  identity: null,
  address: maskText(mask),
  primary: null,
  remark: REMARKS[why],
});

async function byPrimary(bus: MbusBus, baudRate: number, add: Add): Promise<number> {
  const end = await bus.run({ start: newScan(), step: scanStep }, baudRate);
  for (const meter of end.found) add(primaryOf(meter, baudRate));
  return end.requests;
}

const SCAN_REMARKS = {
  good: null,
  several: 'several meters have this primary address, or one whose data never arrive whole',
  mute: 'acknowledges and sends no data',
} as const;

const primaryOf = ({ primary, address, state }: PrimaryMeter, baudRate: number): FoundOnBus => ({
  baudRate,
  identity: address && identityOf(address),
  address: address ? maskText(maskOf(address)) : String(primary),
  primary,
  remark: SCAN_REMARKS[state],
});
