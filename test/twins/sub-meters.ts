/** The demo home's heat meter on a wired M-Bus, and its water meter on the radio: registers that grow with the day. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../firmware/domain/time.ts';
import { type TcpCarrier, tcpCarrier } from './carriers.ts';
import { bcd, MbusTwin, twinMeter } from './mbus-line.ts';
import { ReceiverTwin } from './wmbus-receiver.ts';
import { KAMSTRUP, mode7 } from './wmbus-telegram.ts';
import { noise } from './world.ts';

const HOUR_MS = 3_600_000;

interface SubMeters {
  /** Level converter of the wired bus. */
  readonly bus: TcpCarrier;
  readonly heatAddress: string;
  /** Radio receiver. */
  readonly radio: TcpCarrier;
  readonly waterAddress: string;
  /** 32 hexadecimal digits. */
  readonly waterKey: string;
  /** The water meter sends, as it does every 16 s. */
  send(): void;
}

const digits = (value: number, places: number): string => String(Math.floor(value)).padStart(places, '0');

export async function subMeters(seed: number, clock: Clock): Promise<SubMeters> {
  const startMs = clock.wallMs();
  const hours = (): number => (clock.wallMs() - startMs) / HOUR_MS;
  const heatId = '67081154';
  const bus = await tcpCarrier((chunk) => {
    heat.telegrams = [heatRecords(1800 + 900 * noise(seed, Math.floor(hours() * 6)), hours())];
    line.take(chunk);
  });
  const heat = twinMeter(heatId, { manufacturer: 'KAM', medium: 4 });
  const line = new MbusTwin([heat], { clock, write: (bytes) => bus.write(bytes) });
  const radio = await tcpCarrier((chunk) => receiver.take(chunk));
  const receiver = new ReceiverTwin('im871a', (bytes) => radio.write(bytes));
  const key = createHash('md5').update(`water ${seed}`).digest();
  // Rises over restarts of the demo, as a meter's does over those of the gateway.
  let counter = Math.floor(startMs / 1000);
  return {
    bus,
    heatAddress: heatId,
    radio,
    waterAddress: 'KAM 12345678',
    waterKey: key.toString('hex'),
    send() {
      counter += 1;
      receiver.hear(mode7(KAMSTRUP, key, counter, waterRecords(hours())), 'A');
    },
  };
}

/** Energy in kWh, volume in 0.01 m3, power in 100 W, flow and return temperature in 0.1 °C. */
function heatRecords(power_W: number, hours: number): Uint8Array {
  const energy_kWh = 18_342 + (power_W / 1000) * hours;
  return Uint8Array.from([
    ...[0x0c, 0x06, ...bcd(digits(energy_kWh, 8))],
    ...[0x0c, 0x14, ...bcd(digits(57_120 + hours * 6, 8))],
    ...[0x0b, 0x2d, ...bcd(digits(power_W / 100, 6))],
    ...[0x0a, 0x5a, ...bcd(digits(420 + power_W / 50, 4))],
    ...[0x0a, 0x5e, ...bcd(digits(310 + power_W / 90, 4))],
  ]);
}

/** Volume in litres, by day and night alike. */
const waterRecords = (hours: number): Uint8Array =>
  Uint8Array.from([0x0c, 0x13, ...bcd(digits(412_506 + hours * 14, 8))]);
