/**
 * Comfort of a heat store, whatever the plan or the price says: below its band it is heated, above it is not, unless a plan
 * or the sun boosts it up to the most that it bears. Where nothing else decides it is a plain thermostat within the band.
 * Temperature unknown: its own thermostat decides, on its normal level. No clock: the warmest band of the day.
 */
import type { HeatStore } from '../../domain/flexibility.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import { comfortAt, steady_K } from '../comfort.ts';
import { modeNow } from '../followers/follow.ts';
import { heatPower_W } from '../followers/heat-levels.ts';
import { because, isControllable, narrow, type Plan, type Rule } from '../plan.ts';
import { isForced } from './owner.ts';

export const thermostat: Rule = ({ image }, plan) =>
  image.devices.reduce((p, device) => {
    const { store } = device.flexibility;
    return store?.kind === 'heat' && isControllable(device) ? keep(image, p, device, store) : p;
  }, plan);

function keep(image: Image, plan: Plan, device: DeviceImage, store: HeatStore): Plan {
  const { temperature_C } = store;
  const normal_W = heatPower_W(device, { level: 'normal' });
  if (temperature_C === null) {
    // Energy by a time is another way to know what it wants.
    if (device.flexibility.need || isForced(image, device)) return plan;
    return narrow(plan, device.id, { min_W: normal_W, max_W: normal_W }, because('FREE'));
  }
  const band = comfortAt(store, image.wallTrusted ? image.wallMs : null, image.site.timeZone);
  const why = { temperature_C, lo_C: band.lo_C, hi_C: band.hi_C };
  const steady = steady_K(store, band);
  const isOn = (device.setPoint_W ?? 0) > 0;
  const runs = choiceOf(image, device);
  if (temperature_C < band.lo_C + (isOn ? steady : 0) && runs !== 'forced')
    return narrow(plan, device.id, { min_W: normal_W }, because('TOO_COLD', why));
  if (temperature_C >= most_C(runs, store, band.hi_C) - (isOn ? 0 : steady))
    return narrow(plan, device.id, { max_W: 0 }, because('WARM_ENOUGH', why));
  // Energy by a time is had in the cheapest hours; the sun comes when it comes.
  if (runs !== 'band' || modeNow(image, device) || device.flexibility.need) return plan;
  // In the middle of the band it goes on with what it does.
  return isOn
    ? narrow(plan, device.id, { min_W: normal_W, max_W: normal_W }, because('FREE'))
    : narrow(plan, device.id, { max_W: 0 }, because('WARM_ENOUGH', why));
}

type Choice = 'forced' | 'boost' | 'sun' | 'band';

/** Where no most is known the device sees to it; but only its owner leaves it to that. */
const most_C = (choice: Choice, store: HeatStore, hi_C: number): number =>
  choice === 'band' ? hi_C : (store.most_C ?? (choice === 'forced' ? Infinity : hi_C));

/** Who may heat it beyond its band: the owner's "now", a plan that says boost, the sun; else nobody. */
function choiceOf(image: Image, device: DeviceImage): Choice {
  if (isForced(image, device)) return 'forced';
  const mode = modeNow(image, device)?.mode;
  if (mode) return mode.kind === 'heat' && mode.level === 'boost' ? 'boost' : 'band';
  return device.mode === 'solar' ? 'sun' : 'band';
}
