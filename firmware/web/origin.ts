/**
 * Two checks that keep other web sites out. Host: the page is only served under an address or a local name, so a
 * public name that is made to resolve to this board (DNS rebinding) gets nothing. Origin: a request that changes
 * something must come from this page itself (besides SameSite=Strict on the cookie).
 */
import { isIP } from 'node:net';

/** Endings that no public registrar sells: RFC 6762, 8375, 6761, 9476 draft and what home routers use. */
const LOCAL = ['.local', '.home.arpa', '.localhost', '.internal', '.lan', '.home', '.fritz.box'];

/** `host:port`, `[v6]:port` or a bare name → the name, lower case, without brackets and the final dot. */
function nameOf(host: string): string {
  const bare = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : host.replace(/:\d{1,5}$/, '');
  return bare.toLowerCase().replace(/\.$/, '');
}

export function isOwnHost(host: string | undefined, extra: readonly string[]): boolean {
  if (host === undefined || host === '' || host.length > 260) return false;
  const name = nameOf(host);
  if (isIP(name) !== 0 || /^[a-z0-9-]{1,63}$/.test(name)) return true;
  return LOCAL.some((ending) => name.endsWith(ending)) || extra.includes(name);
}

/** A browser always names the origin when it posts; a program that is no browser sends neither header. */
export function isOwnOrigin(
  origin: string | undefined,
  fetchSite: string | undefined,
  host: string | undefined,
): boolean {
  if (origin === undefined) return fetchSite === undefined || fetchSite === 'same-origin';
  if (!URL.canParse(origin) || host === undefined) return false;
  const url = new URL(origin);
  return /^https?:$/.test(url.protocol) && url.host === host.toLowerCase();
}
