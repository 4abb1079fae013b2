/** The house in the Prometheus text format 0.0.4, for an administrator's monitoring. One scrape costs no query. */
import type { DeviceImage, MeterView, Snapshot } from '../domain/image.ts';
import type { StorageHealth } from '../domain/storage.ts';
import { fresh } from './power-flow.ts';

export interface ProcessFacts {
  readonly version: string;
  readonly resident_bytes: number;
}

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels?: Labels;
  /** Null is left out: unknown is no number. */
  readonly value: number | null;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: 'gauge' | 'counter';
  readonly samples: readonly Sample[];
}

export function metricsText(snapshot: Snapshot, store: StorageHealth, facts: ProcessFacts): string {
  const families = [
    ...houseFamilies(snapshot),
    ...deviceFamilies(snapshot),
    ...meterFamilies(snapshot),
    ...storeFamilies(store, facts),
  ];
  return `${families
    .filter(({ samples }) => samples.some((s) => s.value !== null))
    .flatMap(linesOf)
    .join('\n')}\n`;
}

function linesOf({ name, help, kind, samples }: Family): string[] {
  const lines = samples.flatMap(({ labels = {}, value }) => {
    if (value === null || Number.isNaN(value)) return [];
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    const number = Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf';
    return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${number}`;
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...lines];
}

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const flag = (isSet: boolean): number => (isSet ? 1 : 0);
const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name,
  help,
  kind: 'gauge',
  samples,
});
const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name,
  help,
  kind: 'counter',
  samples,
});

function houseFamilies({ image, decision, broker, startedMs }: Snapshot): Family[] {
  return [
    gauge('hearth_start_time_seconds', 'When the gateway started, by its own clock then.', [
      { value: startedMs / 1000 },
    ]),
    counter('hearth_cycles_total', 'Decisions since the start.', [{ value: image.cycle }]),
    gauge('hearth_clock_trusted', '1 when the wall clock has been set.', [
      { value: flag(image.wallTrusted) },
    ]),
    gauge('hearth_broker_connected', "1 when the operator's broker is connected.", [
      { value: flag(broker.connected) },
    ]),
    gauge('hearth_grid_power_watts', 'Net power at the connection; import positive.', [
      { value: fresh(image.grid_W, image) },
    ]),
    gauge(
      'hearth_limit_watts',
      'A limit in force at the connection.',
      (decision?.limits ?? []).map(({ limit_W, direction, scope, signalId }) => ({
        labels: { direction, scope, signal: signalId },
        value: limit_W,
      })),
    ),
    gauge('hearth_guard_corrections', 'Instructions that the guard had to correct in the last cycle.', [
      { value: decision?.corrections.length ?? null },
    ]),
  ];
}

/** Of each device what there is; a value that is too old is none. */
function deviceFamilies({ image, devices }: Snapshot): Family[] {
  const perDevice = (of: (device: DeviceImage) => number | null): Sample[] =>
    image.devices.map((device) => ({ labels: { device: device.id }, value: of(device) }));
  return [
    gauge(
      'hearth_device_up',
      '1 when the device answers.',
      perDevice(({ health }) => flag(health === 'ok')),
    ),
    gauge(
      'hearth_device_power_watts',
      'Measured power; consumption positive.',
      perDevice(({ power_W }) => fresh(power_W, image)),
    ),
    gauge(
      'hearth_device_set_point_watts',
      'What was last instructed.',
      perDevice(({ id }) => devices.find((d) => d.id === id)?.instruction?.setPoint_W ?? null),
    ),
    gauge(
      'hearth_battery_fill_ratio',
      'Of the capacity, 0 to 1.',
      perDevice(({ flexibility: { store } }) => (store?.kind === 'battery' ? store.fill : null)),
    ),
    gauge(
      'hearth_heat_temperature_celsius',
      'Of what stores heat: a tank, or the house.',
      perDevice(({ flexibility: { store } }) => (store?.kind === 'heat' ? store.temperature_C : null)),
    ),
  ];
}

function meterFamilies({ meters }: Snapshot): Family[] {
  const perMeter = (of: (meter: MeterView) => number | null): Sample[] =>
    meters.map((meter) => ({ labels: { meter: meter.id }, value: of(meter) }));
  return [
    gauge(
      'hearth_meter_up',
      '1 when the meter is read.',
      perMeter(({ health }) => flag(health === 'ok')),
    ),
    gauge(
      'hearth_meter_last_reading_timestamp_seconds',
      'When the last good telegram came.',
      perMeter(({ lastMs }) => (lastMs === null ? null : lastMs / 1000)),
    ),
    counter(
      'hearth_meter_faults_total',
      'Faults by code since the start.',
      meters.flatMap(({ id, faults }) =>
        Object.entries(faults).map(([code, value]) => ({ labels: { meter: id, code }, value })),
      ),
    ),
  ];
}

function storeFamilies(store: StorageHealth, { version, resident_bytes }: ProcessFacts): Family[] {
  return [
    gauge('hearth_store_on_disk', '0 while the house goes on from memory.', [
      { value: flag(store.mode === 'disk') },
    ]),
    gauge('hearth_store_size_bytes', 'Database and its log.', [{ value: store.size_bytes }]),
    gauge('hearth_store_free_bytes', 'What the file system has left.', [{ value: store.free_bytes }]),
    gauge('hearth_store_commit_age_seconds', 'Since the last transaction.', [
      { value: store.lastCommitAgeMs === null ? null : store.lastCommitAgeMs / 1000 },
    ]),
    gauge('hearth_store_tail_values', 'Values of the quarter hour that runs, in memory.', [
      { value: store.tailValues },
    ]),
    gauge('hearth_store_pending', 'Values and entries that are not on disk yet.', [
      { labels: { kind: 'values' }, value: store.pendingValues },
      { labels: { kind: 'entries' }, value: store.pendingEntries },
    ]),
    counter('hearth_store_commits_total', 'Transactions since the start.', [{ value: store.commits }]),
    counter('hearth_store_lost_total', 'Values and entries given up since the start.', [
      { value: store.lost },
    ]),
    counter(
      'hearth_store_failures_total',
      'Failed writes by code since the start.',
      Object.entries(store.failures).map(([code, value]) => ({ labels: { code }, value })),
    ),
    gauge('hearth_resident_memory_bytes', 'Resident memory of the gateway.', [{ value: resident_bytes }]),
    gauge('hearth_build_info', 'The version that runs.', [{ labels: { version }, value: 1 }]),
  ];
}
