/** What control saved, with what is not known of it: a bar from the least to the most for each device. */
import type { Savings as Answer } from '../schema.ts';
import { money } from './format.ts';
import { usePolled } from './live.ts';

const EVERY_MS = 900_000;
const WIDTH = 240;
const HEIGHT = 14;

type Row = Answer['devices'][number];
type Span = Readonly<Record<'saved' | 'error', number>>;

export function Savings() {
  const savings = usePolled<Answer>('/savings', EVERY_MS, null);
  if (!savings) return null;
  const { devices, currency, sentence } = savings;
  const known = devices.flatMap((row) => {
    const span = spanOf(row);
    return span ? [{ row, span }] : [];
  });
  const unknown = devices.filter((row) => spanOf(row) === null);
  const from = Math.min(0, ...known.map(({ span }) => span.saved - span.error));
  const until = Math.max(0.01, ...known.map(({ span }) => span.saved + span.error));
  const x = (value: number): number => 3 + ((value - from) / (until - from)) * (WIDTH - 6);
  return (
    <section class="savings" aria-labelledby="savings">
      <h3 id="savings">What control saved</h3>
      <p>{sentence}</p>
      {known.length > 0 && (
        <ul>
          {known.map(({ row, span }) => (
            <li key={row.id}>
              <p class="line">
                {row.name}
                <strong class="end">{amount(span, currency)}</strong>
              </p>
              <Interval span={span} x={x} />
              <p class="fine">{row.sentence}</p>
            </li>
          ))}
        </ul>
      )}
      {unknown.length > 0 && (
        <details>
          <summary>Not in it ({unknown.length})</summary>
          <ul>
            {unknown.map((row) => (
              <li key={row.id}>
                {row.name}: {row.sentence}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

const spanOf = ({ saved, error }: Row): Span | null =>
  saved === null || error === null ? null : { saved, error };

const amount = ({ saved, error }: Span, currency: string): string =>
  error < 0.005 ? money(saved, currency) : `${money(saved, currency)} ± ${money(error, currency)}`;

/** The words beside it say the same. */
function Interval({ span, x }: { span: Span; x: (value: number) => number }) {
  const [least, most] = [x(span.saved - span.error), x(span.saved + span.error)];
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <rect class="lane" y="5" width={WIDTH} height="4" />
      <rect class="span" x={least} y="2" width={Math.max(2, most - least)} height="10" />
      <line class="zero" x1={x(0)} x2={x(0)} y1="0" y2={HEIGHT} />
      <rect class="mean" x={x(span.saved) - 1} y="0" width="2" height={HEIGHT} />
    </svg>
  );
}
