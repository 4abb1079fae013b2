/** How good the plan is, in words, for who asks. */
import type { View } from '../schema.ts';

export function PlanQuality({ view: { plan } }: { view: View }) {
  if (!plan) return null;
  return (
    <details>
      <summary>How good is the plan?</summary>
      <ul class="words">
        {plan.sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </details>
  );
}
