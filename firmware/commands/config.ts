/** `hearth config check FILE`: every mistake by path, all at once. */
import { loadConfig } from '../config.ts';

/** Exit code 0 when the file is right, 1 when it is not. */
export function configCheck(file: string, output: NodeJS.WritableStream): number {
  const loaded = loadConfig(file);
  if (loaded.ok) {
    output.write(
      `${file}: ok, ${loaded.config.meters.length} meter(s), ${loaded.config.devices.length} device(s)\n`,
    );
    return 0;
  }
  for (const { path, message } of loaded.mistakes) output.write(`${path}: ${message}\n`);
  return 1;
}
