/** `hearth probe PORT`: what hangs on a port, and the lines of the configuration for it. */
import { type Finding, type ProbePort, probe } from '../adapters/probe/index.ts';
import type { Clock } from '../domain/time.ts';
import { systemClock } from '../hal/clock.ts';
import { realLink } from '../hal/links/open.ts';
import { tcpOf } from './line.ts';

export interface ProbeOutput {
  /** The configuration, for a file or the clipboard. */
  readonly out: NodeJS.WritableStream;
  /** Progress and what a person reads. */
  readonly log: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** Exit code 1 when nothing was found. */
export async function probeCommand(
  on: string,
  { out, log }: ProbeOutput,
  clock: Clock = systemClock(),
  stop?: AbortSignal,
): Promise<number> {
  const fresh = log.isTTY ? '\r\x1b[K' : '';
  const tell = (step: number, of: number, text: string): void =>
    void log.write(`${fresh}[${step}/${of}] ${text} …${log.isTTY ? '' : '\n'}`);
  const report = await probe(portOf(on, clock), clock, tell, stop);
  log.write(fresh);
  const { finding, diagnosis } = report;
  if (!finding) {
    log.write(`${diagnosis?.code}: ${diagnosis?.message}\n`);
    return 1;
  }
  log.write(`${said(finding)}\n`);
  if (finding.config) out.write(`${JSON.stringify(meterRow(on, finding, finding.config), null, 2)}\n`);
  return 0;
}

function portOf(on: string, clock: Clock): ProbePort {
  const tcp = tcpOf(on);
  return {
    name: on,
    canChangeSpeed: tcp === null,
    link: (line, lines) => realLink(tcp ?? { kind: 'serial', path: on, ...line, lines }, clock),
  };
}

function said({ speaks, meter, readings, remarks, config }: Finding): string {
  const who = meter ? [meter.manufacturer, meter.id].filter(Boolean).join(' ') : '';
  const lines = [
    `found: ${speaks}${who ? `, meter ${who}` : ''}${readings > 0 ? `, ${readings} values` : ''}`,
    ...remarks.map((remark) => `  ${remark}`),
  ];
  if (config) lines.push('for "meters" of the configuration:');
  return lines.join('\n');
}

/** One element of `meters`. */
function meterRow(on: string, finding: Finding, config: Finding['config'] & object): object {
  const tcp = tcpOf(on);
  const { protocol, line, lines, needsKey, dlms, address, mbus } = config;
  const id = idOf(finding);
  return {
    id,
    name: [finding.meter?.manufacturer, finding.meter?.id].filter(Boolean).join(' ') || 'Meter',
    protocol,
    role: 'grid',
    link: tcp ?? { kind: 'serial', path: on, ...line, ...(lines && { lines }) },
    ...(needsKey && { key: { file: `${id}.key` } }),
    ...(dlms && { dlms }),
    ...(address !== undefined && { address }),
    ...(mbus && { mbus }),
    ...(protocol === 'iec62056-21' && line.baudRate !== 300 && { iec: { baudRate: line.baudRate } }),
  };
}

const idOf = ({ meter }: Finding): string =>
  (meter?.id ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 32) || 'meter';
