/** Topic filters (MQTT 5.0, 4.7). */

/** Whether a message of `topic` is what `filter` asks for: `+` is one level, `#` at the end any number. */
export function fits(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  // A wildcard in the first place leaves out what begins with $: the broker's own.
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false;
  for (const [i, level] of wanted.entries()) {
    if (level === '#') return true;
    if (levels[i] === undefined || (level !== '+' && level !== levels[i])) return false;
  }
  return wanted.length === levels.length;
}
