/** What a battery or a tank holds, in numbers and in a sentence. Pure. */
import { localMs, msOfTime } from '../domain/calendar.ts';
import type { BatteryStore, ComfortBand, HeatStore } from '../domain/flexibility.ts';
import type { DeviceImage, Image } from '../domain/image.ts';
import type { DeviceView } from './schema.ts';

const DAY_MS = 86_400_000;

export function storeView({ flexibility: { store } }: DeviceImage, image: Image): DeviceView['store'] {
  if (store === undefined) return null;
  return store.kind === 'battery' ? batteryView(store) : heatView(store, image);
}

function batteryView(store: BatteryStore): DeviceView['store'] {
  const { fill, capacity_Wh, leastFill, mostFill } = store;
  const stored_Wh = fill === null ? null : Math.round(fill * capacity_Wh);
  return {
    ...{ kind: 'battery', fill, leastFill, mostFill, capacity_Wh, stored_Wh },
    sentence: [
      fill === null ? 'How full it is is not known' : `${percent(fill)} full`,
      ...(stored_Wh === null ? [] : [`${kWh(stored_Wh)} of ${kWh(capacity_Wh)} kWh`]),
      ...(leastFill > 0 ? [`${percent(leastFill)} are kept in reserve`] : []),
    ].join(', '),
  };
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
const kWh = (energy_Wh: number): string =>
  (energy_Wh / 1000).toLocaleString('en-GB', { maximumFractionDigits: 1 });

function heatView(store: HeatStore, image: Image): DeviceView['store'] {
  const { what, temperature_C, outdoor_C, most_C } = store;
  const band = image.wallTrusted ? bandAt(store.comfort, image) : null;
  const [lo_C, hi_C] = [band?.lo_C ?? null, band?.hi_C ?? null];
  const where = what === 'tank' ? 'in the tank' : 'in the house';
  return {
    ...{ kind: 'heat', what, temperature_C, outdoor_C, most_C, lo_C, hi_C },
    sentence: [
      temperature_C === null ? `How warm it is ${where} is not known` : `${degrees(temperature_C)} ${where}`,
      ...(band ? [`you want ${degrees(band.lo_C)} to ${degrees(band.hi_C)} now`] : []),
      ...(outdoor_C === null ? [] : [`${degrees(outdoor_C)} outdoors`]),
    ].join(', '),
  };
}

const degrees = (value_C: number): string => `${value_C.toFixed(1).replace(/\.0$/, '')} °C`;

/** The band that holds now by the clock of the site; before the day's first one, that of the evening before. */
function bandAt(comfort: readonly ComfortBand[], { wallMs, site }: Image): ComfortBand | null {
  const now = localMs(wallMs, site.timeZone) % DAY_MS;
  const begun = comfort.findLast(({ from }) => msOfTime(from) <= now);
  return begun ?? comfort.at(-1) ?? null;
}
