/**
 * The catalogue of coded errors, uniform on every interface (wire, network, file, form, page).
 * Bad input from outside is a `Fault` value; an operating failure is a `HearthError`; a broken assumption
 * is an assert. The code never changes its meaning; the message is for a person.
 */
export const ERRORS = {
  // Frames and telegrams
  BAD_CHECKSUM: 'a checksum over the bytes does not match',
  BAD_FRAME: 'the bytes do not form a frame of this protocol',
  BAD_PARITY: 'a character arrived with the wrong parity',
  CUT_FRAME: 'the frame ends before it is complete',
  OVERSIZED: 'the input is longer than the stated limit',
  NESTED_TOO_DEEP: 'the structure is nested deeper than the stated limit',
  BAD_VALUE: 'a value does not have the form that the protocol demands',
  NO_CHECKSUM: 'the telegram carries no checksum where one is required',
  NO_TELEGRAM: 'no telegram was found in the input',
  WRONG_DIRECTION: 'the frame was sent to a meter, not by one',
  APPLICATION_ERROR: 'the meter reports an application error',
  UNKNOWN_FORMAT: 'a compact telegram refers to a format that has not been received',
  UNSUPPORTED: 'the feature is known and not supported',
  // Keys and messages
  KEY_MISSING: 'the telegram is encrypted and no key is configured',
  KEY_WRONG: 'the key does not open the telegram',
  BAD_AUTHENTICATION: 'the authentication tag does not match',
  REPLAYED: 'the message counter does not grow: an old message was sent again',
  NOT_ENCRYPTED: 'a key is set for the meter and the telegram is in clear',
  // Links and exchanges
  LINK_GONE: 'the link went away',
  LINK_BUSY: 'the port is held by another program',
  LINK_REFUSED: 'the link could not be opened',
  TIMEOUT: 'no answer within the time the protocol allows',
  REFUSED: 'the other side answered with a refusal',
  PASSWORD_WRONG: 'the meter does not accept the password or the proof of the key',
  ASSOCIATION_REFUSED: 'the meter refuses the association',
  OBJECT_UNDEFINED: 'the meter has no such object for this client',
  ACCESS_DENIED: 'the meter does not give the object to this client',
  WRONG_SPEED: 'the other side speaks at another speed than was agreed',
  LINE_INVERTED: 'the data line is inverted',
  WRONG_ANSWER: 'the answer does not belong to the request',
  CERTIFICATE_UNTRUSTED: 'the certificate of the other side is not vouched for by an authority that we trust',
  CERTIFICATE_EXPIRED: 'a certificate is not valid at this time: it has expired, or the clock is not set',
  CERTIFICATE_REFUSED: 'the other side does not accept our certificate, or asks for one',
  CREDENTIALS_REFUSED: 'the other side does not accept our name and password',
  // Devices
  DEVICE_EXCEPTION: 'the device answered with an exception',
  READ_BUDGET_SPENT: 'the meter was read as often as its battery allows for today',
  READBACK_DIFFERS: 'the device did not take the value that was written',
  SET_POINT_LOST: 'the device no longer holds what it was told: it was restarted, or somebody else wrote',
  WRITE_BUDGET_SPENT: 'the device has had its writes for today; none is made, to spare its memory',
  PROGRAM_NOT_STARTED: 'the appliance has power and draws none: its program has not started',
  PROGRAM_STOPPED: 'the appliance draws nothing in the middle of its program',
  PROGRAM_OVERRUN: 'the appliance still drew long after its program should have ended',
  INSTRUCTION_REJECTED: 'the resource manager does not accept the instruction',
  // Signals
  SIGNAL_NOT_JSON: 'the message is not valid JSON',
  SIGNAL_INVALID: 'the message does not fit the schema of its dialect',
  SIGNAL_OUT_OF_RANGE: 'a value in the message is outside the plausible range',
  SIGNAL_STALE: 'the message is older than what is already known, or is over',
  SIGNAL_UNKNOWN_PROGRAM: 'the message belongs to a program that was not commissioned',
  SIGNAL_UNKNOWN_TOPIC: 'the message came on a topic that was not subscribed to',
  SIGNAL_UNSIGNED: 'the message must be signed and is not, or the signature does not match',
  // Configuration, store, page
  CONFIG_INVALID: 'the configuration has mistakes',
  SECRET_MISSING: 'a secret that the configuration refers to is not there',
  STORE_CORRUPT: 'the database is damaged',
  STORE_FULL: 'the disk is full',
  STORE_NEWER: 'the database was written by a newer version',
  STORE_READ_ONLY: 'the database cannot be written: the disk is read-only',
  STORE_UNREACHABLE: 'the database cannot be opened, read or written',
  STORE_BUSY: 'another program holds the database',
  STORE_OVERFLOW: 'more waits for the disk than memory may hold; the oldest was dropped',
  FORM_INVALID: 'the form or request has mistakes',
  NOT_AUTHENTICATED: 'sign in first',
  NOT_ALLOWED: 'your role does not allow this',
  NOT_FOUND: 'there is no such thing here',
  TOO_MANY: 'too many requests; try again later',
  ALREADY_DONE: 'this was done before and cannot be done again',
  // Planning
  SCENARIO_INVALID: 'the scenario does not fit its format',
  PLAN_INFEASIBLE: 'no plan satisfies every constraint',
  SOLVER_FAILED: 'the solver crashed or found nothing in time',
  PLANNER_FAILED: 'the planner crashed or gave no plan in time, twice, the second time without its solver',
  // Program
  USAGE: 'the command was called wrongly',
  NODE_UNFIT: 'this version of Node cannot run the firmware',
  INTERNAL: 'a fault in the firmware itself',
} as const;

export type ErrorCode = keyof typeof ERRORS;

/** A refusal as a value: what was wrong with something that came from outside. */
export interface Fault {
  readonly code: ErrorCode;
  /** One sentence for a person: which check failed, where. Never holds a key or a password. */
  readonly message: string;
}

export function fault(code: ErrorCode, message: string = ERRORS[code]): Fault {
  return { code, message };
}

/** An operating failure, handled by its code. */
export class HearthError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string = ERRORS[code], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HearthError';
    this.code = code;
  }
}

/** Any thrown thing as a `Fault`, so that a boundary can answer with a code. */
export function faultOf(error: unknown, code: ErrorCode = 'INTERNAL'): Fault {
  if (error instanceof HearthError) return fault(error.code, error.message);
  return fault(code, error instanceof Error ? error.message : String(error));
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: Fault };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const refuse = (code: ErrorCode, message?: string): { ok: false; error: Fault } => ({
  ok: false,
  error: fault(code, message),
});
