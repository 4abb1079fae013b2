/** A device as its card shows it: what it does, why, and what its owner wants. Pure. */
import { type DeviceKind, maxOf } from '../domain/flexibility.ts';
import type { DeviceImage, Snapshot } from '../domain/image.ts';
import type { InstructionStatus, Reason } from '../domain/instruction.ts';
import type { Place } from './phrase.ts';
import { stretchesOf, wholeStretch } from './planned.ts';
import { fresh, IDLE_W, isProducer } from './power-flow.ts';
import { type RunPhase, runPhase } from './program-run.ts';
import { NOT_ASKED, programReason, programView, quietWords, settingSentence } from './program-view.ts';
import type { DeviceView, OverrideForm } from './schema.ts';
import { codeWords, HEALTH, overrideSentence, reasonSentence, statusSentence } from './sentences.ts';
import { storeView } from './store-view.ts';

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

export function deviceView(device: DeviceImage, snapshot: Snapshot, place: Place): DeviceView {
  const { image, decision, devices } = snapshot;
  const { flexibility } = device;
  const decided = decision?.devices.find((d) => d.resource === device.id);
  const dispatched = devices.find((d) => d.id === device.id);
  const controllable = flexibility.controlType !== 'NOT_CONTROLABLE';
  const reasons = reasonsOf(device, snapshot, place);
  const power_W = fresh(device.power_W, image);
  const status = dispatched?.status ?? null;
  const trouble = troubleOf(flexibility.name, status, dispatched?.statusCode ?? null);
  const isRefused = trouble !== null && (status === 'ABORTED' || status === 'REJECTED');
  const decisive = reasons[0]?.sentence ?? (controllable ? undecided(device) : 'Measured only.');
  return {
    id: device.id,
    name: flexibility.name,
    kind: flexibility.kind,
    controllable,
    producer: isProducer(device),
    health: device.health,
    healthSentence: HEALTH[device.health],
    power_W,
    setPoint_W: device.setPoint_W,
    max_W: finite(maxOf(flexibility)),
    ...stateOf(device, power_W, runPhase(device, snapshot)),
    // Whatever was decided, it is not what the device does.
    reason: isRefused && device.health === 'ok' ? trouble : decisive,
    reasons,
    override: formOf(device),
    overrideSentence: settingSentence(device, place) ?? overrideSentence(device.override, place),
    planned: stretchesOf(flexibility.program && !device.run ? [] : (decided?.planned ?? [])),
    needByMs: flexibility.need?.byMs ?? null,
    need_Wh: flexibility.need?.energy_Wh ?? null,
    store: storeView(device, image),
    program: programView(device, snapshot, place),
    status,
    statusSentence: trouble,
  };
}

const undecided = ({ flexibility, run }: DeviceImage): string =>
  flexibility.program && !run ? NOT_ASKED : 'Nothing has been decided yet.';

function reasonsOf(device: DeviceImage, snapshot: Snapshot, place: Place): DeviceView['reasons'] {
  const { id } = device;
  const { decision, devices, plan } = snapshot;
  const decided = decision?.devices.find((d) => d.resource === id)?.reasons;
  const reasons = decided ?? devices.find((d) => d.id === id)?.instruction?.reasons ?? [];
  const sentenceOf = (reason: Reason): string =>
    programReason(device, reason, snapshot, place) ??
    reasonSentence(wholeStretch(reason, plan?.modes[id] ?? []), place);
  return reasons.map((reason) => ({ code: reason.code, sentence: sentenceOf(reason) }));
}

const formOf = ({ override }: DeviceImage): OverrideForm => ({ ...override });

/** What became of the last instruction, with the fault where there was one. */
function troubleOf(name: string, status: InstructionStatus | null, code: string | null): string | null {
  if (status === null) return null;
  const sentence = statusSentence(name, status);
  return code === null ? sentence : `${sentence.slice(0, -1)}: ${codeWords(code)}.`;
}

type State = Pick<DeviceView, 'state' | 'stateWords'>;

function stateOf(device: DeviceImage, power_W: number | null, phase: RunPhase | null): State {
  const value = power_W ?? (device.health === 'ok' ? device.setPoint_W : null);
  if (value === null)
    return { state: 'unknown', stateWords: device.health === 'ok' ? 'Unknown' : 'No answer' };
  // A pause of a program is a part of it.
  if (phase === 'runs') return { state: 'on', stateWords: 'Running' };
  const state = value < -IDLE_W ? 'producing' : value > IDLE_W ? 'on' : 'off';
  const quiet = state === 'off' ? quietWords(device, phase) : null;
  return { state, stateWords: quiet ?? { ...WORDS, ...WORDS_OF[device.flexibility.kind] }[state] };
}

type Words = Readonly<Record<'on' | 'off' | 'producing', string>>;
const WORDS: Words = { on: 'On', off: 'Off', producing: 'Producing' };
const WORDS_OF: Readonly<Partial<Record<DeviceKind, Partial<Words>>>> = {
  battery: { on: 'Charging', off: 'Resting', producing: 'Giving' },
  wallbox: { on: 'Charging' },
  inverter: { off: 'Idle' },
  boiler: { on: 'Heating' },
  heater: { on: 'Heating' },
  'heat-pump': { on: 'Heating' },
};
