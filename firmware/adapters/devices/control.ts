/** Set-points in W to what a product's register takes, and the menu that this makes. Pure. */
import type { Flexibility } from '../../domain/flexibility.ts';
import type { Profile } from '../profiles/schema.ts';

/** The number to write for a set-point that is on the menu. */
export function rawOf(profile: Profile, setPoint_W: number): number {
  const { control, phases } = profile;
  switch (control.kind) {
    case 'switch':
      return setPoint_W > 0 ? control.on : control.off;
    case 'current': {
      const wanted_A = setPoint_W / control.nominal_V / phases.length;
      // Rounded down: what is written never allows more than the set-point.
      const steps = Math.floor(wanted_A / control.step_A + 1e-6);
      const set_A = wanted_A < control.min_A - 1e-6 ? 0 : Math.min(steps * control.step_A, control.max_A);
      return Math.round(set_A / control.register.scale);
    }
    case 'productionPercent': {
      const percent = Math.min(100, Math.max(0, (-setPoint_W / control.rated_W) * 100));
      const steps = Math.floor(percent / control.step + 1e-6);
      return Math.floor((steps * control.step) / control.register.scale + 1e-6);
    }
  }
}

/** The menu of the product as it stands in this house. */
export function menuOf(profile: Profile, name: string): Flexibility {
  const { control, phases } = profile;
  const per_A = control.kind === 'current' ? control.nominal_V * phases.length : 0;
  const common = {
    kind: profile.kind,
    name,
    phases,
    minOnMs: profile.minOnMs,
    minOffMs: profile.minOffMs,
    failsafe_W: profile.failsafe_W,
    need: null,
    steerable: profile.steerable,
  };
  const off = { min_W: 0, max_W: 0 };
  if (control.kind === 'switch') {
    const ranges = [off, { min_W: control.rated_W, max_W: control.rated_W }];
    return {
      ...common,
      controlType: 'OPERATION_MODE_BASED_CONTROL',
      ranges,
      step_W: 0,
      consequence: 'DEFER',
      worstCase_W: control.rated_W,
    };
  }
  if (control.kind === 'current') {
    const ranges = [off, { min_W: control.min_A * per_A, max_W: control.max_A * per_A }];
    const worstCase_W = control.max_A * per_A;
    return {
      ...common,
      controlType: 'POWER_ENVELOPE_BASED_CONTROL',
      ranges,
      step_W: control.step_A * per_A,
      consequence: 'DEFER',
      worstCase_W,
    };
  }
  const ranges = [{ min_W: -control.rated_W, max_W: 0 }];
  return {
    ...common,
    controlType: 'POWER_ENVELOPE_BASED_CONTROL',
    ranges,
    step_W: 0,
    consequence: 'VANISH',
    worstCase_W: 0,
  };
}
