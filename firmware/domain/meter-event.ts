/** What a meter has to say besides its values. It is journalled and shown, never decided on. */
import type { WallMs } from './time.ts';

export const METER_EVENTS = {
  CLOCK_DRIFT: 'the meter’s clock differs from the gateway’s',
  CLOCK_RIGHT: 'the meter’s clock agrees with the gateway’s again',
  SEASON_CHANGED: 'the meter changed between summer and normal time',
  SEASON_WRONG: 'the meter’s season flag does not fit the site’s zone and date',
  KEEPS_FIRST_SPEED:
    'the meter offers a speed and keeps to another; it is read at the speed of the first contact',
  POWER_FAILURE: 'the meter logged a power failure',
  TEXT_MESSAGE: 'the grid operator shows a message on the meter',
  METER_REPLACED: 'another meter answers than before',
  STALE_CHANNEL: 'a channel still shows a meter that no longer reports',
  PROFILE_EVENT: 'the meter logged an event in its load profile',
  CONSTANT_CHANGED: 'the pulses do not fit the register: the meter constant is another one',
  PULSES_LOST: 'the register went on while no pulses were counted',
  METER_ALARM: 'the meter reports an error or tampering',
  METER_ALARM_OVER: 'the meter no longer reports an error or tampering',
  BATTERY_LOW: 'the meter reports that its battery is low',
  BATTERY_GOOD: 'the meter no longer reports that its battery is low',
  STORED_VALUE: 'the meter kept a value at a due date',
} as const;

export type MeterEventCode = keyof typeof METER_EVENTS;

/** What ends what: the end takes the beginning's note off the meter. */
export const METER_EVENT_ENDS: Readonly<Partial<Record<MeterEventCode, MeterEventCode>>> = {
  CLOCK_RIGHT: 'CLOCK_DRIFT',
  METER_ALARM_OVER: 'METER_ALARM',
  BATTERY_GOOD: 'BATTERY_LOW',
};

export interface MeterEvent {
  readonly code: MeterEventCode;
  /** By the meter's own account; null where it gives no time. */
  readonly atMs: WallMs | null;
  /** Plain data with the unit last in the names. */
  readonly detail: Readonly<Record<string, string | number | null>>;
}
