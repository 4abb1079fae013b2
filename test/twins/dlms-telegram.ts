/** Pushes as the HAN ports of several makers send them, and what carries them, in bytes. */
import { encodeLength } from '../../firmware/codecs/bytes.ts';
import { encodeDateTime } from '../../firmware/codecs/dlms/date-time.ts';
import {
  array,
  concat,
  type Encodable,
  int8,
  NULL_DATA,
  obisBytes,
  octets,
  scalerUnit,
  structure,
  uint16,
  uint32,
  visible,
  word16,
  word32,
} from '../../firmware/codecs/dlms/encode.ts';
import { encodeMbus } from '../../firmware/codecs/dlms/mbus-frame.ts';
import { encodeHdlc } from '../../firmware/codecs/hdlc/frame.ts';

export const name = (code: string): Encodable => octets(obisBytes(code) ?? new Uint8Array(0));
const ascii = (text: string): Encodable => octets(Buffer.from(text, 'latin1'));
const int16Of = (value: number): Encodable => Uint8Array.of(0x10, ...word16(value));

interface PushValues {
  /** Local time of the meter, `YYYY-MM-DDThh:mm:ss`. */
  readonly local: string;
  readonly deviation_min: number | null;
  readonly import_W: number;
  readonly export_W: number;
  readonly import_Wh: number;
  readonly voltage_V: number;
  readonly current_A: number;
}

export const VALUES: PushValues = {
  local: '2026-03-29T03:00:10',
  deviation_min: -120,
  import_W: 1234,
  export_W: 0,
  import_Wh: 4_211_730,
  voltage_V: 231,
  current_A: 5.4,
};

const clock = ({ local, deviation_min }: PushValues): Uint8Array =>
  encodeDateTime({ local, deviation_min, status: 0 });

/** Data-notification; the date-time is left out, as the standard has it, or with the tag of an octet-string. */
export function notification(
  body: Encodable,
  dateTime: Uint8Array | null = null,
  tagged = false,
): Uint8Array {
  const time = dateTime ? [...(tagged ? [0x09] : []), 12, ...dateTime] : [0];
  return concat(Uint8Array.of(0x0f, ...word32(0x40000000), ...time), body);
}

/** Aidon 6525/6534 (Norway, Sweden): an array of code, value, scaler and unit. */
export function aidon(v: PushValues): Uint8Array {
  const register = (code: string, value: Encodable, scaler: number, unit: number): Encodable =>
    structure(name(code), value, scalerUnit(scaler, unit));
  return notification(
    array(
      structure(name('1-1:0.2.129'), visible('AIDON_V0001')),
      structure(name('0-0:96.1.0'), visible('7359992890000001')),
      register('1-0:1.7.0', uint32(v.import_W), 0, 27),
      register('1-0:2.7.0', uint32(v.export_W), 0, 27),
      register('1-0:31.7.0', int16Of(Math.round(-v.current_A * 10)), -1, 33),
      register('1-0:32.7.0', uint16(v.voltage_V * 10), -1, 35),
      structure(name('0-0:1.0.0'), octets(encodeDateTime({ ...clockOf(v), deviation_min: 0 }))),
      register('1-0:1.8.0', uint32(v.import_Wh / 10), 1, 30),
    ),
  );
}

const clockOf = ({ local, deviation_min }: PushValues) => ({ local, deviation_min, status: 0 });

/** Kaifa MA304 (Norway): values by their places; list 3. */
export function kaifa(v: PushValues, type = 'MA304H4'): Uint8Array {
  const body = structure(
    ascii('KFM_001'),
    ascii('6970631400000001'),
    ascii(type),
    ...[v.import_W, v.export_W, 0, 140].map(uint32),
    ...[v.current_A * 1000, 0, v.current_A * 1000].map(uint32),
    ...[v.voltage_V * 10, 0, v.voltage_V * 10].map(uint32),
    octets(clock(v)),
    ...[v.import_Wh, 0, 0, 0].map(uint32),
  );
  return notification(body, clock(v), true);
}

/** Kamstrup Omnipower: list version, then codes and values in a row, nulls in between, no units. */
export function kamstrup(v: PushValues, type = '6841121BN243101040'): Uint8Array {
  const body = structure(
    visible('Kamstrup_V0001'),
    name('1-1:0.0.5'),
    visible('5706567000000001'),
    name('1-1:96.1.1'),
    visible(type),
    name('1-1:1.7.0'),
    uint32(v.import_W),
    name('1-1:31.7.0'),
    uint32(Math.round(v.current_A * 100)),
    NULL_DATA,
    NULL_DATA,
    name('1-1:32.7.0'),
    uint16(v.voltage_V),
    name('0-1:1.0.0'),
    octets(clock(v)),
    name('1-1:1.8.0'),
    uint32(v.import_Wh / 10),
  );
  return notification(body, clock(v));
}

/** Landis+Gyr E450: the list of objects first, then their values. */
export function landisGyr(v: PushValues): Uint8Array {
  const objects: [number, string, number, Encodable][] = [
    [40, '0-8:25.9.0', 1, octets(obisBytes('0-8:25.9.0') ?? new Uint8Array(0))],
    [1, '0-0:42.0.0', 2, ascii('LGZ1030650000001')],
    [1, '0-0:96.1.1', 2, ascii('1900001')],
    [8, '0-0:1.0.0', 2, octets(clock(v))],
    [3, '1-0:1.7.0', 2, uint32(v.import_W)],
    [3, '1-1:1.8.0', 2, uint32(v.import_Wh)],
    [3, '1-0:32.7.0', 2, uint16(v.voltage_V)],
    [3, '1-0:31.7.0', 2, uint16(Math.round(v.current_A * 100))],
    [3, '1-0:13.7.0', 2, uint16(941)],
    [3, '1-0:199.7.0', 2, uint16(7)],
  ];
  const row = (classId: number, code: string, attribute: number): Encodable =>
    structure(uint16(classId), name(code), int8(attribute), uint16(0));
  const list = array(row(40, '0-8:25.9.0', 2), ...objects.map(([c, code, a]) => row(c, code, a)));
  return notification(structure(list, ...objects.map(([, , , data]) => data)), clock(v));
}

/** Kaifa MA309, Sagemcom T210-D (Austria): clock, then code, value, scaler and unit in a row, number at the end. */
export function austrian(v: PushValues): Uint8Array {
  const register = (code: string, value: Encodable, scaler: number, unit: number): Encodable[] => [
    name(code),
    value,
    scalerUnit(scaler, unit),
  ];
  const body = structure(
    octets(clock(v)),
    ...register('1-0:1.8.0', uint32(v.import_Wh), 0, 30),
    ...register('1-0:1.7.0', uint32(v.import_W), 0, 27),
    ...register('1-0:32.7.0', uint16(v.voltage_V * 10), -1, 35),
    ...register('1-0:31.7.0', uint16(Math.round(v.current_A * 100)), -2, 33),
    ...register('1-0:13.7.0', int16Of(968), -3, 255),
    ascii('181220000001'),
  );
  return notification(body, clock(v));
}

const LLC = Uint8Array.of(0xe6, 0xe7, 0x00);

/** A push in HDLC frames of at most `most` bytes of information each; `last` false leaves out the end. */
export function inHdlc(apdu: Uint8Array, most = 1900): Uint8Array {
  const whole = concat(LLC, apdu);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += most) {
    frames.push(
      encodeHdlc({
        destination: Uint8Array.of(0x41),
        source: Uint8Array.of(0x08, 0x83),
        control: 0x13,
        segmented: at + most < whole.length,
        information: whole.subarray(at, at + most),
      }),
    );
  }
  return concat(...frames);
}

/** General block transfer, one block an HDLC frame (Landis+Gyr). */
export function inBlocks(apdu: Uint8Array, most = 112): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (let at = 0, number = 1; at < apdu.length; at += most, number++) {
    const data = apdu.subarray(at, at + most);
    const control = at + most < apdu.length ? 0x40 : 0xc0;
    const block = concat(
      Uint8Array.of(0xe0, control, ...word16(number), 0, 0),
      encodeLength(data.length),
      data,
    );
    const information = number === 1 ? concat(LLC, block) : block;
    const [destination, source] = [Uint8Array.of(0xce, 0xff), Uint8Array.of(0x03)];
    frames.push(encodeHdlc({ destination, source, control: 0x13, segmented: false, information }));
  }
  return frames;
}

/** M-Bus frames of at most `most` bytes of data each. */
export function inMbus(apdu: Uint8Array, most = 245): Uint8Array {
  const frames: Uint8Array[] = [];
  for (let at = 0, number = 0; at < apdu.length; at += most, number++)
    frames.push(encodeMbus({ number, last: at + most >= apdu.length, data: apdu.subarray(at, at + most) }));
  return concat(...frames);
}
