/** One slot of a drawing is picked: by the pointer above it, or by the arrow keys from slot to slot. */
import { useState } from 'preact/hooks';

interface Slot {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** @param start index that the arrow keys begin at; -1: at either end */
export function usePick(slots: readonly Slot[], start: number, width: number) {
  const [picked, setPicked] = useState<number | null>(null);
  const fromMs = slots[0]?.fromMs ?? 0;
  const untilMs = slots.at(-1)?.untilMs ?? 0;
  const last = slots.length - 1;

  const onPointerMove = (event: PointerEvent): void => {
    const atMs = fromMs + (event.offsetX / width) * (untilMs - fromMs);
    const index = slots.findIndex((slot) => slot.fromMs <= atMs && atMs < slot.untilMs);
    setPicked(index < 0 ? null : index);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = picked ?? start;
    const to = { ArrowRight: at + 1, ArrowLeft: at < 0 ? last : at - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setPicked(Math.min(last, Math.max(0, to)));
  };
  const leave = (): void => setPicked(null);
  // The plan is made anew under the pointer: an index may lead nowhere.
  const index = picked !== null && picked <= last ? picked : null;
  const keys = { role: 'img' as const, tabIndex: 0, onKeyDown, onBlur: leave };
  return [index, { ...keys, onPointerMove, onPointerLeave: leave }] as const;
}
