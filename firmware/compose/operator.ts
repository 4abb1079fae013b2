/** What is made where an operator is agreed with: reports, admission of large loads; and the plan along its prices. */
import type { Config } from '../config/schema.ts';
import type { Gateway } from '../gateway.ts';
import { Planning } from '../policy/planning.ts';
import { AdmissionDesk } from '../signals/admission.ts';
import { reporter } from '../signals/reporter.ts';
import type { Board } from './board.ts';

export function planningOf({ meters, site }: Config, board: Board, gateway: Gateway): Planning | null {
  if (!board.makePlan) return null;
  const { latitude, longitude, roof } = site;
  return new Planning({
    clock: board.clock,
    series: board.storage.series,
    journal: board.storage.journal,
    gridMeter: meters.find((m) => m.role === 'grid')?.id ?? null,
    place: latitude === null || longitude === null ? null : { latitude, longitude },
    roof,
    make: board.makePlan,
    image: () => gateway.snapshot().image,
    changed: () => gateway.poke(),
  });
}

export function reportsTo({ mqtt, site }: Config, { clock, storage, transport }: Board) {
  if (!mqtt?.reports || !transport) return {};
  const report = reporter({
    topic: mqtt.reports.topic,
    clientName: mqtt.reports.clientName ?? site.name,
    transport,
    lost: ({ signalId }) =>
      storage.journal.record({
        atMs: clock.wallMs(),
        kind: 'system',
        subject: 'report',
        code: 'LINK_GONE',
        detail: { signalId },
      }),
  });
  return { report };
}

export function admissionOf({ mqtt, site }: Config, board: Board, changed: () => void): AdmissionDesk | null {
  if (!mqtt?.admission || !board.transport) return null;
  const { clientName = site.name, ...options } = mqtt.admission;
  const { clock, random, storage, transport } = board;
  return new AdmissionDesk(
    { ...options, clientName },
    { clock, random, transport, journal: storage.journal, changed },
  );
}
