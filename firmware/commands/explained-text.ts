/** How an explanation looks on a terminal: offset, bytes, meaning. */
import type { ExplainedSection } from '../codecs/explain.ts';

const BYTES_A_LINE = 12;

/** Long runs of bytes go on in the lines below. */
export function explainedText(title: string, sections: readonly ExplainedSection[]): string {
  const lines = [title];
  for (const section of sections) {
    lines.push(`  ${section.title}`);
    let at = 0;
    for (const { bytes, means } of section.rows) {
      for (let from = 0; from === 0 || from < bytes.length; from += BYTES_A_LINE) {
        lines.push(row(at + from, bytes.subarray(from, from + BYTES_A_LINE), from === 0 ? means : ''));
      }
      at += bytes.length;
    }
  }
  return `${lines.join('\n')}\n\n`;
}

function row(at: number, bytes: Uint8Array, means: string): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(' ');
  const offset = bytes.length > 0 ? at.toString().padStart(4, '0') : '    ';
  return `    ${offset}  ${hex.padEnd(BYTES_A_LINE * 3)} ${means}`.trimEnd();
}
