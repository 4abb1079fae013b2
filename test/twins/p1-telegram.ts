/** Writes a DSMR 5 telegram with a valid CRC, as a meter of a three-phase home would. */
import { crc16Arc } from '../../firmware/codecs/crc16.ts';

interface P1Values {
  readonly wallMs: number;
  readonly importEnergy_Wh: number;
  readonly exportEnergy_Wh: number;
  /** Import positive. */
  readonly net_W: number;
}

const fixed = (value: number, digits: number, decimals: number): string =>
  value.toFixed(decimals).padStart(digits + decimals + 1, '0');
const kilo = (value: number, digits: number): string => fixed(value / 1000, digits, 3);

export function p1Telegram({ wallMs, importEnergy_Wh, exportEnergy_Wh, net_W }: P1Values): Uint8Array {
  const stamp = new Date(wallMs + 3_600_000).toISOString().replace(/\D/g, '').slice(2, 14);
  const share = net_W / 3;
  const phases = [1, 2, 3].flatMap((phase) => [
    `1-0:${phase * 20 + 12}.7.0(230.0*V)`,
    `1-0:${phase * 20 + 11}.7.0(${fixed(Math.abs(share) / 230, 3, 2)}*A)`,
    `1-0:${phase * 20 + 1}.7.0(${kilo(Math.max(0, share), 2)}*kW)`,
    `1-0:${phase * 20 + 2}.7.0(${kilo(Math.max(0, -share), 2)}*kW)`,
  ]);
  const lines = [
    '/HRT5\\253769484_A',
    '',
    '1-3:0.2.8(50)',
    `0-0:1.0.0(${stamp}W)`,
    '0-0:96.1.1(4530303434303037)',
    `1-0:1.8.1(${kilo(importEnergy_Wh * 0.4, 6)}*kWh)`,
    `1-0:1.8.2(${kilo(importEnergy_Wh * 0.6, 6)}*kWh)`,
    `1-0:1.8.0(${kilo(importEnergy_Wh, 6)}*kWh)`,
    `1-0:2.8.0(${kilo(exportEnergy_Wh, 6)}*kWh)`,
    '0-0:96.14.0(0002)',
    `1-0:1.7.0(${kilo(Math.max(0, net_W), 2)}*kW)`,
    `1-0:2.7.0(${kilo(Math.max(0, -net_W), 2)}*kW)`,
    ...phases,
  ];
  return p1Frame(lines);
}

/** Any lines as a telegram, `/` first; the end and the CRC are made here. */
export function p1Frame(lines: readonly string[]): Uint8Array {
  const bytes = Buffer.from([...lines, '!'].join('\r\n'), 'latin1');
  const crc = crc16Arc(bytes).toString(16).toUpperCase().padStart(4, '0');
  return Buffer.concat([bytes, Buffer.from(`${crc}\r\n`)]);
}
