/** Fields that several rows of the configuration have: names, references to secrets, lines. */
import * as z from 'zod';
import { isZone } from '../domain/calendar.ts';

const BAUDS = [300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] as const;

export const id = z.string().regex(/^[a-z0-9-]{1,32}$/, 'expected 1 to 32 of a-z, 0-9 and -');
export const zone = z.string().refine(isZone, 'expected an IANA time zone such as Europe/Berlin');

/** A secret is never in the file itself: it names a file or an environment variable. */
export const secretRef = z.union(
  [z.strictObject({ file: z.string().min(1) }), z.strictObject({ env: z.string().min(1) })],
  {
    error: 'expected {"file": path} or {"env": NAME}',
  },
);

const tcp = z.strictObject({
  kind: z.literal('tcp'),
  host: z.string().min(1),
  port: z.int().min(1).max(65535),
});
const serial = z.strictObject({
  kind: z.literal('serial'),
  path: z.string().min(1),
  baudRate: z.union(
    BAUDS.map((b) => z.literal(b)),
    { error: `expected one of ${BAUDS.join(', ')}` },
  ),
  dataBits: z.union([z.literal(7), z.literal(8)]).default(8),
  parity: z.enum(['none', 'even', 'odd']).default('none'),
  stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
  /** Levels while the port is open: a P1 port's request line, the supply of an optical head. */
  lines: z.strictObject({ dtr: z.boolean().optional(), rts: z.boolean().optional() }).optional(),
});
const udp = z.strictObject({
  kind: z.literal('udp'),
  host: z.string().min(1),
  port: z.int().min(1).max(65535),
});
/** What carries a device's protocol. */
export const link = z.discriminatedUnion('kind', [tcp, serial], { error: 'expected kind "serial" or "tcp"' });

/** Inputs that have only a level, for pulses. */
const gpio = z.strictObject({
  kind: z.literal('gpio'),
  chip: z
    .string()
    .regex(/^[A-Za-z0-9/_-]{1,64}$/, 'expected a chip such as gpiochip0')
    .default('gpiochip0'),
  line: z.int().min(0).max(1023),
  activeLow: z.boolean().default(true),
  bias: z.enum(['as-is', 'pull-up', 'pull-down', 'disabled']).default('pull-up'),
});
const pulseLine = z.strictObject({
  kind: z.literal('pulse-line'),
  path: z.string().min(1),
  signal: z.enum(['dcd', 'cts', 'dsr', 'rxd']),
  activeLow: z.boolean().default(false),
  lines: z.strictObject({ dtr: z.boolean().optional(), rts: z.boolean().optional() }).optional(),
});
/** What carries a meter's protocol, or its pulses. */
export const meterLink = z.discriminatedUnion('kind', [tcp, serial, udp, gpio, pulseLine], {
  error: 'expected kind "serial", "tcp", "udp", "gpio" or "pulse-line"',
});

export type SecretRef = z.infer<typeof secretRef>;
