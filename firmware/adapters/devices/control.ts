/** Set-points in W to what a product's registers take, and the menu that this makes. Pure. */
import type { Flexibility, PowerRange, Program } from '../../domain/flexibility.ts';
import type { Control, Profile, Register } from '../profiles/schema.ts';

/** Raw values for neighbouring registers, written in one request and read back the same. */
export interface Write {
  readonly register: Register;
  readonly raws: readonly number[];
}

/** What is written for a set-point that is on the menu, in this order. */
export function writesOf({ control, phases }: Profile, setPoint_W: number): readonly Write[] {
  const enable = enableOf(control);
  return [
    { register: control.register, raws: rawsOf(control, phases.length, setPoint_W) },
    // Written each time: some take a new set-point only when it is enabled anew.
    ...(enable ? [{ register: enable.register, raws: [enable.value] }] : []),
  ];
}

export const enableOf = (control: Control) => ('enable' in control ? control.enable : undefined);

function rawsOf(control: Control, phases: number, setPoint_W: number): readonly number[] {
  switch (control.kind) {
    case 'switch':
      return [setPoint_W > 0 ? control.on : control.off];
    case 'current': {
      const wanted_A = setPoint_W / control.nominal_V / phases;
      // Rounded down: what is written never allows more than the set-point.
      const steps = Math.floor(wanted_A / control.step_A + 1e-6);
      const set_A = wanted_A < control.min_A - 1e-6 ? 0 : Math.min(steps * control.step_A, control.max_A);
      return [Math.round(set_A / control.register.scale)];
    }
    case 'productionPercent': {
      const percent = Math.min(100, Math.max(0, (-setPoint_W / control.rated_W) * 100));
      const steps = Math.floor(percent / control.step + 1e-6);
      return [Math.floor((steps * control.step) / control.register.scale + 1e-6)];
    }
    case 'power': {
      const wanted_W = Math.max(-control.discharge_W, Math.min(control.charge_W, setPoint_W));
      const raw = towardsRest(wanted_W / control.register.scale);
      return control.isWindow ? [0 - raw, raw] : [raw];
    }
    case 'levels': {
      const fits = control.levels.filter(({ power_W }) => power_W <= setPoint_W + 1e-6);
      return [(fits.at(-1) ?? control.levels[0])?.raw ?? 0];
    }
  }
}

/** Neither takes nor gives more than it was told to; never the negative zero. */
const towardsRest = (raw: number): number => Math.trunc(raw + Math.sign(raw) * 1e-6) + 0;

type Menu = Pick<Flexibility, 'controlType' | 'ranges' | 'step_W' | 'consequence' | 'worstCase_W'>;

/** The menu of the product as it stands in this house, before its store has a say. */
export function menuOf(profile: Profile, name: string, program?: Program): Flexibility {
  return {
    kind: profile.kind,
    name,
    phases: profile.phases,
    minOnMs: profile.minOnMs,
    minOffMs: profile.minOffMs,
    failsafe_W: profile.failsafe_W,
    need: null,
    steerable: profile.steerable,
    ...choiceOf(profile.control, profile.phases.length),
    ...(program && { controlType: 'POWER_PROFILE_BASED_CONTROL', program }),
  };
}

const point = (power_W: number): PowerRange => ({ min_W: power_W, max_W: power_W });

function choiceOf(control: Control, phases: number): Menu {
  switch (control.kind) {
    case 'switch':
      return modes([0, control.rated_W]);
    case 'levels':
      return modes(control.levels.map(({ power_W }) => power_W));
    case 'current': {
      const per_A = control.nominal_V * phases;
      return {
        controlType: 'POWER_ENVELOPE_BASED_CONTROL',
        ranges: [point(0), { min_W: control.min_A * per_A, max_W: control.max_A * per_A }],
        step_W: control.step_A * per_A,
        consequence: 'DEFER',
        worstCase_W: control.max_A * per_A,
      };
    }
    case 'productionPercent':
      return {
        controlType: 'POWER_ENVELOPE_BASED_CONTROL',
        ranges: [{ min_W: -control.rated_W, max_W: 0 }],
        step_W: 0,
        consequence: 'VANISH',
        worstCase_W: 0,
      };
    case 'power':
      return {
        controlType: 'FILL_RATE_BASED_CONTROL',
        ranges: [{ min_W: -stepped(control.discharge_W, control.step_W), max_W: control.charge_W }],
        step_W: control.step_W,
        consequence: 'DEFER',
        worstCase_W: control.charge_W,
      };
  }
}

const modes = (powers_W: readonly number[]): Menu => ({
  controlType: 'OPERATION_MODE_BASED_CONTROL',
  ranges: powers_W.map(point),
  step_W: 0,
  consequence: 'DEFER',
  worstCase_W: Math.max(...powers_W),
});

/** Steps of the menu count from its lower end: that they meet at rest, it is a whole number of them away. */
const stepped = (power_W: number, step_W: number): number => Math.floor(power_W / step_W + 1e-9) * step_W;
