/** A value in the unit that a household knows it in: kWh as on the bill, m³ as on the register, °C. */
const UNKNOWN = '–';

interface Scale {
  readonly unit: string;
  readonly factor: number;
  readonly digits: number;
}
type Choose = (size: number) => Scale;

const always =
  (unit: string, factor: number, digits: number): Choose =>
  () => ({ unit, factor, digits });
const either =
  (below: number, small: Choose, large: Choose): Choose =>
  (size) =>
    size < below ? small(size) : large(size);
const HOUR_S = 3_600;
const DAY_S = 86_400;

const UNITS: Readonly<Record<string, Choose>> = {
  Wh: always('kWh', 1e-3, 1),
  varh: always('kvarh', 1e-3, 1),
  VAh: always('kVAh', 1e-3, 1),
  W: either(995, always('W', 1, 0), always('kW', 1e-3, 2)),
  var: either(995, always('var', 1, 0), always('kvar', 1e-3, 2)),
  VA: either(995, always('VA', 1, 0), always('kVA', 1e-3, 2)),
  V: always('V', 1, 1),
  A: always('A', 1, 2),
  Hz: always('Hz', 1, 2),
  deg: always('°', 1, 0),
  m3: always('m³', 1, 3),
  'm3/h': either(1, always('l/h', 1000, 0), always('m³/h', 1, 2)),
  kg: always('kg', 1, 1),
  'kg/h': always('kg/h', 1, 1),
  C: always('°C', 1, 1),
  K: always('K', 1, 1),
  Pa: always('bar', 1e-5, 2),
  '%': always('%', 1, 0),
  hca: always('units', 1, 0),
  s: either(
    2 * HOUR_S,
    always('s', 1, 0),
    either(
      2 * DAY_S,
      always('hours', 1 / HOUR_S, 1),
      either(730 * DAY_S, always('days', 1 / DAY_S, 0), always('years', 1 / (365.25 * DAY_S), 1)),
    ),
  ),
};
/** Counted in the unit they are read by, however long. */
const BY_QUANTITY: Readonly<Record<string, Choose>> = {
  duration: always('hours', 1 / HOUR_S, 0),
  powerFactor: always('', 1, 2),
};
const BARE: Choose = always('', 1, 3);

/** `18,342.0 kWh`, `412.506 m³`, `46.7 °C`; a dash for what is unknown. */
export function displayed(quantity: string, value: number | null, unit: string): string {
  if (value === null || !Number.isFinite(value)) return UNKNOWN;
  const choose = BY_QUANTITY[quantity] ?? UNITS[unit] ?? BARE;
  const { unit: shown, factor, digits } = choose(Math.abs(value));
  const least = choose === BARE ? 0 : digits;
  const number = (value * factor).toLocaleString('en-GB', {
    minimumFractionDigits: least,
    maximumFractionDigits: digits,
  });
  const known = choose === BARE ? unit : shown;
  // -0.4 W is no minus nothing.
  return [/^-[0.,]*$/.test(number) ? number.slice(1) : number, ...(known === '' ? [] : [known])].join(' ');
}
