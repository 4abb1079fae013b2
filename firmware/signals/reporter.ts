/**
 * What became of the operator's limits, said back to it: an OpenADR 3.1 report for each turn that a limit takes, and no
 * finer, because every reading shows habits.
 */
import type { CommandReport } from '../domain/command-report.ts';
import { LIMITS } from '../domain/limits.ts';
import { eventOf } from '../domain/signal.ts';
import type { SignalTransport } from '../domain/transport.ts';

/** A report that could not be sent for so long is of no use any more. */
const KEEP_MS = 24 * 3_600_000;

export interface ReporterOptions {
  readonly topic: string;
  /** What the operator knows this home by. */
  readonly clientName: string;
  readonly transport: Pick<SignalTransport, 'publish'>;
  /** A report that was never taken. */
  readonly lost: (report: CommandReport) => void;
}

/** The failsafe limit is nobody's event: it is told by the next report that there is. */
export function reporter({ topic, clientName, transport, lost }: ReporterOptions) {
  return (report: CommandReport): void => {
    const body = reportOf(report, clientName);
    if (!body) return;
    transport.publish(topic, Buffer.from(JSON.stringify(body)), KEEP_MS).catch(() => lost(report));
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** As an OpenADR 3.1 report object; null where it is about no event. Power in kW, `excess` above the limit. */
export function reportOf(report: CommandReport, clientName: string): object | null {
  const [dialect, programID, eventID] = eventOf(report.signalId).split('/');
  if (dialect !== 'openadr3' || programID === undefined || eventID === undefined) return null;
  const { state, power_W, shortfall, atMs } = report;
  const payloads = [
    ...(power_W === null ? [] : [{ type: 'DEMAND', values: [power_W / 1000] }]),
    { type: 'DATA_QUALITY', values: [power_W === null ? 'MISSING' : 'OK'] },
    { type: 'OPERATING_STATE', values: [operatingState(state)] },
    { type: 'LIMIT_STATE', values: [state] },
    { type: 'LIMIT', values: [report.limit_W / 1000] },
    ...(shortfall ? [{ type: 'SHORTFALL_REASON', values: [shortfall.reason] }] : []),
    ...(shortfall?.excess_W != null ? [{ type: 'SHORTFALL', values: [shortfall.excess_W / 1000] }] : []),
    ...(report.receivedMs === null ? [] : [{ type: 'RECEIVED_AT', values: [iso(report.receivedMs)] }]),
    ...(report.reachedMs === null ? [] : [{ type: 'REACHED_AT', values: [iso(report.reachedMs)] }]),
  ];
  return {
    objectType: 'REPORT',
    reportName: `${report.direction}-limit`,
    programID,
    eventID,
    clientName: clientName.slice(0, LIMITS.reportName_chars),
    payloadDescriptors: [
      {
        objectType: 'REPORT_PAYLOAD_DESCRIPTOR',
        payloadType: 'DEMAND',
        readingType: 'DIRECT_READ',
        units: 'KW',
      },
    ],
    resources: [
      {
        resourceName: report.scope === 'site' ? 'site' : 'controllable',
        intervals: [{ id: 0, intervalPeriod: { start: iso(atMs), duration: 'PT0S' }, payloads }],
      },
    ],
  };
}

/** As in CTA-2045, which is where OpenADR has them from. */
function operatingState(state: CommandReport['state']): string {
  if (state === 'OVER') return 'RUNNING_NORMAL';
  return state === 'EXCEEDED' ? 'VARIABLE_NOT_FOLLOWING' : 'RUNNING_CURTAILED';
}
