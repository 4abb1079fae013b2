/**
 * HiGHS on a program, in the process that loads this. Plain JavaScript because that process counts its memory:
 * stripping types would cost it some 20 MB and 0.1 s a start.
 */
import highs from 'highs';

/** Native variable types of HiGHS. */
const [CONTINUOUS, INTEGER] = [0, 1];
/** HighsSolutionStatus: a feasible point was found. */
const FEASIBLE = 2;

const runtime = await highs();

/** `values` is null where no plan was found. */
export function solve({ program, start, timeLimit_s, gap }) {
  const model = runtime.createModel(modelOf(program));
  try {
    const options = {
      output_flag: false,
      time_limit: timeLimit_s,
      mip_rel_gap: gap,
      mip_abs_gap: gap,
    };
    for (const [name, value] of Object.entries(options)) model.options.set(name, value);
    warm(model, start);
    model.run();
    const found = info(model, 'primal_solution_status') === FEASIBLE;
    return {
      values: found ? Array.from(model.getSolution().colValue) : null,
      bound: boundOf(model),
      memory_bytes: process.resourceUsage().maxRSS * 1024,
    };
  } finally {
    model.dispose();
  }
}

function modelOf(program) {
  return {
    numCols: program.cost.length,
    numRows: program.rowLow.length,
    colCost: program.cost,
    colLower: program.low,
    colUpper: program.high,
    rowLower: program.rowLow,
    rowUpper: program.rowHigh,
    integrality: Int32Array.from(program.whole, (x) => (x ? INTEGER : CONTINUOUS)),
    matrix: {
      format: 'csr',
      numRows: program.rowLow.length,
      numCols: program.cost.length,
      starts: program.starts,
      indices: program.indices,
      values: program.factors,
    },
  };
}

/** A start that the solver does not like is no reason to fail. */
function warm(model, start) {
  if (!start?.length) return;
  try {
    model.setSolution({ indices: start.map(([v]) => v), values: start.map(([, x]) => x) });
  } catch {
    // It searches from nothing then.
  }
}

/** Without whole numbers there was no search: the optimum is its own bound. */
function boundOf(model) {
  return info(model, 'mip_node_count') >= 0
    ? info(model, 'mip_dual_bound')
    : info(model, 'objective_function_value');
}

function info(model, name) {
  try {
    const value = Number(model.info.get(name));
    return Number.isFinite(value) && Math.abs(value) < 1e20 ? value : null;
  } catch {
    return null;
  }
}
