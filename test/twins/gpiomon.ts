/** Stands for `gpiomon`: prints its version and then what the test writes, as versions 1.6 and 2.2 print it. */
import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

interface GpiomonTwin {
  /** The program. */
  readonly command: string;
  /** An edge, `atMs` on the kernel's clock. */
  edge(active: boolean, atMs: number): void;
  print(text: string): void;
  /** Ends the program. */
  end(): void;
  options(): string;
  remove(): void;
}

export function gpiomonTwin(version: 1 | 2, refusal: string | null = null): GpiomonTwin {
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-gpiomon-'));
  const file = (name: string): string => path.join(dir, name);
  execFileSync('mkfifo', [file('edges')]);
  const says = version === 1 ? 'gpiomon (libgpiod) v1.6.3' : 'gpiomon (libgpiod) v2.2.1';
  const run = refusal === null ? `exec cat '${file('edges')}'` : `echo '${refusal}' >&2; exit 1`;
  writeFileSync(
    file('gpiomon'),
    `#!/bin/sh\nif [ "$1" = --version ]; then echo '${says}'; exit 0; fi\necho "$*" > '${file('options')}'\n${run}\n`,
    { mode: 0o755 },
  );
  let out = refusal === null ? createWriteStream(file('edges')) : null;
  out?.on('error', () => {});
  const print = (text: string): void => void out?.write(text);
  return {
    command: file('gpiomon'),
    print,
    edge(active, atMs) {
      const [s, ns] = [Math.floor(atMs / 1000), Math.round((atMs % 1000) * 1e6)];
      // Version 1 does not pad the nanoseconds.
      if (version === 1) print(`${active ? 1 : 0} ${s} ${ns}\n`);
      else print(`${active ? 1 : 2} ${s}.${String(ns).padStart(9, '0')}\n`);
    },
    end() {
      out?.end();
      out = null;
    },
    options: () => readFileSync(file('options'), 'utf8').trim(),
    remove() {
      out?.destroy();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
