/** A few large numbers side by side, each with its name. */
import type { ComponentChildren } from 'preact';

export const Facts = ({ children }: { children: ComponentChildren }) => <dl class="facts">{children}</dl>;

export function Fact({ name, unit, children }: { name: string; unit?: string; children: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {children} {unit && <small>{unit}</small>}
      </dd>
    </div>
  );
}
