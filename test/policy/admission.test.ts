/** What runs on own sun alone loads no grid: nobody is asked, and "later" does not stop it. From the grid it asks. */
import { test } from 'tap';
import type { AdmissionState, Admissions } from '../../firmware/domain/admission.ts';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import type { Mode } from '../../firmware/domain/mode.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { requestsOf } from '../../firmware/policy/rules/admission.ts';
import { battery, boiler, dishwasher, HOUR, image, known, NOON, prices, tank, wallbox } from './home.ts';
import { SLOT } from './planned.ts';

const LATER: AdmissionState = { kind: 'later', notBeforeMs: NOON + HOUR };
const ASKED: AdmissionState = { kind: 'asked', untilMs: NOON + HOUR };

const seen = (
  grid_W: number,
  device: DeviceImage,
  state?: AdmissionState,
  patch: Partial<Image> = {},
): Image => {
  const admissions: Admissions = {
    ...{ source: 'DSO', least_W: 2000 },
    byDevice: state ? { [device.id]: state } : {},
  };
  const phase = known(grid_W / 690);
  return image({
    grid_W: known(grid_W),
    gridPhase_A: [phase, phase, phase],
    devices: [device],
    admissions,
    ...patch,
  });
};

const led = (device: DeviceImage, mode: Mode): Partial<Image> => ({
  modes: { [device.id]: [{ ...SLOT, mode }] },
});

function told(i: Image) {
  const decision = decide(i);
  const [first] = decision.devices;
  return [
    first?.setPoint_W,
    first?.reasons[0]?.code,
    requestsOf(i, decision).length,
    first?.isUnasked === true,
  ];
}

test('what takes only what would be fed in asks nobody, and is not held by "later"', async (t) => {
  const cells = battery({}, { setPoint_W: -500, power_W: known(-500), mode: 'solar' });
  const car = wallbox({ mode: 'solar' });
  const planned = wallbox({ mode: 'cheap' });
  for (const state of [undefined, ASKED, LATER]) {
    t.same(told(seen(-4500, cells, state)), [4000, 'PLANNED', 0, true], 'a battery');
    t.same(told(seen(-3000, car, state)), [2990, 'OWN_SOLAR', 0, true], 'a car');
    t.same(told(seen(-3000, planned, state, led(planned, { kind: 'surplus' }))), [2990, 'PLANNED', 0, true]);
  }
  const later = told(seen(-3000, boiler({ mode: 'always' }), LATER));
  t.same(later, [0, 'ADMISSION_LATER', 0, false], 'what does not give way with the sun waits, and asks');
  t.same(
    told(seen(-3000, dishwasher(6, null, { mode: 'solar' }))),
    [0, 'ADMISSION_ASKED', 1, false],
    'nor a program',
  );
  const cold = tank({ temperature_C: 30 }, { mode: 'solar' });
  t.same(told(seen(400, cold)), [0, 'ADMISSION_ASKED', 1, false], 'nor heat that the sun does not carry');
});

test('when the sun goes it goes down by its own mode, and from the grid it asks', async (t) => {
  const on = { setPoint_W: 2990, power_W: known(2990), isUnasked: true } as const;
  const car = wallbox({ mode: 'solar', ...on });
  t.same(told(seen(600, car)), [2300, 'OWN_SOLAR', 0, true]);
  t.same(told(seen(2990, car)), [0, 'OWN_SOLAR', 0, false]);
  const need = { energy_Wh: 4000, byMs: NOON + 8 * HOUR };
  const cheap = wallbox({ mode: 'cheap', ...on, flexibility: { need } });
  const nowCheap = { signals: [prices(0.1, 0.1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5)] };
  t.same(
    told(seen(600, cheap, undefined, nowCheap)),
    [2300, 'ADMISSION_ASKED', 1, true],
    'it stays with the sun',
  );
  t.same(told(seen(600, cheap, ASKED, nowCheap)), [2300, 'ADMISSION_ASKED', 0, true]);
  t.same(told(seen(600, cheap, LATER, nowCheap)), [2300, 'ADMISSION_LATER', 0, true]);
  t.same(told(seen(600, cheap, { kind: 'granted' }, nowCheap)), [3680, 'PRICE_RUN', 0, false]);
  const charge = led(cheap, { kind: 'charge', upTo_W: 3680 });
  t.same(told(seen(600, cheap, undefined, charge)), [2300, 'ADMISSION_ASKED', 1, true], 'by a plan, too');
  const { isUnasked: _, ...admitted } = cheap;
  t.same(
    told(seen(600, admitted, undefined, charge)),
    [3680, 'PLANNED', 0, false],
    'what was let in goes on',
  );
});
