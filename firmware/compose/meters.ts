/** The meters of a configuration, with what is particular to each protocol in the form that its adapter takes. */
import type { DlmsOptions } from '../adapters/meters/dlms/options.ts';
import { Listeners } from '../adapters/meters/pulses/overheard.ts';
import { WirelessMeterSeat } from '../adapters/meters/wmbus/wireless-meter.ts';
import { METER_PROTOCOLS, type MeterConfig } from '../adapters/registry.ts';
import { fromHex } from '../codecs/bytes.ts';
import type { Config } from '../config/schema.ts';
import type { Link } from '../domain/link.ts';
import type { RadioEar } from '../domain/radio.ts';
import type { Board } from './board.ts';

type MeterRow = Config['meters'][number];

/** A datagram may be lost. */
const UDP_REPEATS = 3;

/** Meters on the same link are given the same one: a bus or a radio receiver serves many. */
export function metersOf(config: Config, { clock, storage, keys, link, random }: Board) {
  const links = new Map<string, Link>();
  const listeners = new Listeners();
  return config.meters.map((meter) => {
    const name = JSON.stringify(meter.link);
    const line = links.get(name) ?? link(meter.link);
    links.set(name, line);
    const { id, address, intervalMs, receiver, mode, iec, sml, pulses, dlms, mbus } = meter;
    const resource = METER_PROTOCOLS[meter.protocol](
      {
        id,
        address,
        intervalMs,
        receiver,
        mode,
        timeZone: config.site.timeZone,
        ...(iec && { iec: iecOf(iec) }),
        ...(sml && { sml }),
        ...(pulses && { pulses: pulsesOf(pulses, listeners) }),
        ...(dlms && { dlms: dlmsOf(dlms, meter.link.kind) }),
        random,
        mbus,
        settings: storage.settings,
        reads: storage.writes,
        ...keys.get(id),
      },
      line,
      clock,
    );
    const radio: RadioEar | null = resource instanceof WirelessMeterSeat ? resource.receiver : null;
    return { resource: listeners.overheard(resource), name: meter.name, role: meter.role, radio };
  });
}

function pulsesOf(
  { reading, register, ...rest }: MeterRow['pulses'] & object,
  listeners: Listeners,
): MeterConfig['pulses'] & object {
  return {
    ...rest,
    ...(reading && { reading: { value: reading.value, atMs: Date.parse(reading.at) } }),
    ...(register !== undefined && { register: (listener) => listeners.add(register, listener) }),
  };
}

/** Serial lines carry HDLC, networks the wrapper, unless it is said otherwise. */
function dlmsOf(
  { password: _password, carrier, systemTitle, ...rest }: MeterRow['dlms'] & object,
  link: MeterRow['link']['kind'],
): DlmsOptions {
  return {
    ...rest,
    carrier: carrier ?? (link === 'serial' ? 'hdlc' : 'wrapper'),
    systemTitle: systemTitle === null ? null : fromHex(systemTitle),
    repeats: link === 'udp' ? UDP_REPEATS : 0,
  };
}

function iecOf({
  password: _password,
  profile,
  readsPerDay,
  ...rest
}: MeterRow['iec'] & object): MeterConfig['iec'] & object {
  return { ...rest, ...(profile && { profile }), ...(readsPerDay !== undefined && { readsPerDay }) };
}
