/** `hearth`: the one program. Each command is loaded when it is asked for, so that a small one stays small. */
import './node-guard.ts';
import { Command } from 'commander';
import { faultOf } from './domain/errors.ts';

const program = new Command('hearth')
  .description('The open gateway that a home’s energy runs on')
  .showHelpAfterError();

program
  .command('decode')
  .description('telegrams as JSON Lines on stdin, readings as JSON Lines on stdout')
  .option('--explain', 'for a person: each byte by name, in place of the readings')
  .action(async (options: { explain?: boolean }) => {
    const { decode } = await import('./commands/decode.ts');
    await decode(process.stdin, process.stdout, options);
  });

program
  .command('run')
  .description('the gateway, with the configuration of FILE')
  .argument('<file>')
  .action(async (file: string) => {
    const { run } = await import('./commands/run.ts');
    await run(file);
  });

program
  .command('config')
  .description('check a configuration FILE: `hearth config check FILE`')
  .argument('<action>', 'check')
  .argument('<file>')
  .action(async (action: string, file: string) => {
    if (action !== 'check') program.error(`config: unknown action ${action}`);
    const { configCheck } = await import('./commands/config.ts');
    process.exitCode = configCheck(file, process.stdout, process.env);
  });

program
  .command('listen')
  .description('wireless meters as they are heard, one JSON object a telegram; Ctrl-C ends')
  .requiredOption('--receiver <name>', 'im871a, amb8465, cul, rc1180 or rtl-wmbus')
  .requiredOption('--on <line>', 'its serial port, or HOST:PORT')
  .option('--mode <mode>', 'S1, T1, C1 or C1+T1', 'C1+T1')
  .action(async (options: { receiver: string; on: string; mode: string }) => {
    const { listen } = await import('./commands/listen.ts');
    await listen(options, process.stdout);
  });

program
  .command('probe')
  .description('what hangs on a port, and the configuration for it: `hearth probe /dev/ttyUSB0`')
  .argument('<port>', 'a serial port, or HOST:PORT')
  .option('--mbus', 'search a wired M-Bus behind its level converter for all its meters')
  .option('--baud <speeds>', 'of --mbus: speeds to try, as 2400,9600 (default: all, the common ones first)')
  .option('--by <address>', 'of --mbus: secondary, primary or both', 'secondary')
  .option('--mask <address>', 'of --mbus: only meters that fit, as 12FFFFFF or FFFFFFFF-KAM')
  .action(async (port: string, options: { mbus?: true; baud?: string; by: string; mask?: string }) => {
    if (options.mbus) {
      const { probeMbus } = await import('./commands/probe-mbus.ts');
      return probeMbus({ on: port, ...options }, process);
    }
    const { probeCommand } = await import('./commands/probe.ts');
    const stop = new AbortController();
    process.once('SIGINT', () => stop.abort());
    const output = { out: process.stdout, log: process.stderr };
    process.exitCode = await probeCommand(port, output, undefined, stop.signal);
    return undefined;
  });

program
  .command('mbus')
  .description('change a meter on a wired M-Bus: `hearth mbus /dev/ttyUSB0 12345678 --set-baud 9600`')
  .argument('<port>', 'the level converter: a serial port, or HOST:PORT')
  .argument('<address>', '0 to 250, or eight digits such as 12345678 or 12345678-KAM-1b-04')
  .option('--baud <speed>', 'the speed that it has now', '2400')
  .option('--set-baud <speed>', 'give it another speed')
  .option('--set-address <number>', 'give it a primary address, 1 to 250')
  .option('--reset [subcode]', 'reset its application')
  .action(async (port: string, address: string, options) => {
    const { mbus } = await import('./commands/mbus.ts');
    await mbus(port, address, options, process.stdout);
  });

program
  .command('owner')
  .description('forget the password of the page, with the gateway stopped: `hearth owner reset FILE`')
  .argument('<action>', 'reset')
  .argument('<file>')
  .action(async (action: string, file: string) => {
    if (action !== 'reset') program.error(`owner: unknown action ${action}`);
    const { ownerReset } = await import('./commands/owner.ts');
    ownerReset(file, process.stdout);
  });

program
  .command('plan')
  .description('a scenario on stdin, its cheapest schedule on stdout')
  .option('--rolling', 'slot by slot, one JSON object a line')
  .option('--no-solver', 'plan device by device, without the solver')
  .action(async (options: { rolling?: boolean; solver: boolean }) => {
    const { plan } = await import('./commands/plan.ts');
    await plan(process.stdin, process.stdout, options);
  });

program
  .command('simulate')
  .description(
    'days of a home on stdin (hearth-days/1), what each way of running it would have cost on stdout',
  )
  .option('--chart <file>', 'draw it as SVG')
  .option('--tariff <file>', 'price the same days by another contract')
  .option('--own <config>', 'the last four weeks of the gateway with this configuration, instead of stdin')
  .option('--minutes', 'replay the plan minute by minute too')
  .option('--no-solver', 'plan device by device, without the solver')
  .action(
    async (options: {
      own?: string;
      minutes?: boolean;
      chart?: string;
      tariff?: string;
      solver: boolean;
    }) => {
      const { simulate, tariffText } = await import('./commands/simulate.ts');
      await simulate(process.stdin, process.stdout, {
        solver: options.solver,
        minutes: options.minutes ?? false,
        ...(options.own !== undefined && { own: options.own }),
        progress: process.stderr.isTTY ? process.stderr : null,
        ...(options.chart !== undefined && { chart: options.chart }),
        ...(options.tariff !== undefined && { tariff: tariffText(options.tariff) }),
      });
    },
  );

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader went away (`| head`): nothing is left to do.
  if (error.code === 'EPIPE') process.exit(0);
});

try {
  await program.parseAsync();
} catch (error) {
  const { code, message } = faultOf(error);
  process.stderr.write(`${code}: ${message}\n`);
  process.exitCode = 1;
}
