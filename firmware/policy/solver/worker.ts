/** The solver's own process: one program on stdin, one answer on stdout, then it is gone with all its memory. */
import highs from 'highs';

interface Request {
  readonly text: string;
  readonly timeLimit_s: number;
  readonly gap: number;
}

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const request = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Request;
// Its types are written for CommonJS, where the loader is one level deeper than in the module that is loaded here.
const load = highs as unknown as typeof highs.default;
const runtime = await load();
const model = runtime.createModel({ format: 'lp', data: request.text });
const options = {
  output_flag: false,
  time_limit: request.timeLimit_s,
  mip_rel_gap: request.gap,
  mip_abs_gap: request.gap,
};
for (const [name, value] of Object.entries(options)) model.options.set(name, value);
const { modelStatus } = model.run();
const info = (name: string): number | null => {
  try {
    const value = Number(model.info.get(name));
    return Number.isFinite(value) && Math.abs(value) < 1e20 ? value : null;
  } catch {
    return null;
  }
};
// 2: a feasible point was found (HighsSolutionStatus).
const found = info('primal_solution_status') === 2;
const answer = {
  status: modelStatus,
  values: found ? Array.from(model.getSolution().colValue) : null,
  // Without whole numbers there was no search: the optimum is its own bound.
  bound: (info('mip_node_count') ?? -1) >= 0 ? info('mip_dual_bound') : info('objective_function_value'),
  memory_bytes: process.memoryUsage().rss,
};
process.stdout.write(JSON.stringify(answer));
