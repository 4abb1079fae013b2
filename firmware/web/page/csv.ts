/** The owner's data as a file that every spreadsheet opens, made and kept on the owner's device. */
import type { EnergyDays } from '../schema.ts';

/** RFC 4180: comma, decimal point, one line a quarter hour; empty is unknown. */
export function csvOf({ slots, currency }: EnergyDays, timeZone: string): string {
  const local = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  const head = ['from_utc', 'from_local', 'import_kWh', 'export_kWh', `cost_${currency}`, 'interpolated'];
  const lines = slots.map(({ fromMs, import_Wh, export_Wh, cost, spread }) => [
    new Date(fromMs).toISOString(),
    local.format(fromMs),
    kWh(import_Wh),
    kWh(export_Wh),
    cost === null ? '' : cost.toFixed(5),
    spread ? '1' : '0',
  ]);
  return `${[head, ...lines].map((line) => line.join(',')).join('\r\n')}\r\n`;
}

const kWh = (energy_Wh: number | null): string => (energy_Wh === null ? '' : (energy_Wh / 1000).toFixed(4));

export function save(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
