/**
 * What the sun gives without clouds, by place and roof. Position after the low-precision formulas of the Astronomical
 * Almanac (good to 0.01° until 2050), direct light through the air mass of Kasten and Young (1989) after Meinel.
 */
import type { WallMs } from '../../domain/time.ts';

export interface Place {
  /** Degrees, north and east positive. */
  readonly latitude: number;
  readonly longitude: number;
}

export interface Roof {
  /** Peak power of the modules, W at 1000 W/m². */
  readonly peak_W: number;
  /** Degrees from the horizontal. */
  readonly tilt: number;
  /** Degrees from north, clockwise: 180 is south. */
  readonly azimuth: number;
}

const RAD = Math.PI / 180;
const J2000 = Date.UTC(2000, 0, 1, 12);
/** Share of the direct light that also comes from the blue sky. */
const DIFFUSE = 0.12;
/** Inverter, cables, dirt and heat. */
const SYSTEM = 0.86;

/** Height above the horizon and direction from north (clockwise), in radians. */
export function sunAt(atMs: WallMs, { latitude, longitude }: Place): { height: number; azimuth: number } {
  const days = (atMs - J2000) / 86_400_000;
  const anomaly = (357.528 + 0.9856003 * days) * RAD;
  const ecliptic =
    (280.46 + 0.9856474 * days + 1.915 * Math.sin(anomaly) + 0.02 * Math.sin(2 * anomaly)) * RAD;
  const tilt = (23.439 - 4e-7 * days) * RAD;
  const declination = Math.asin(Math.sin(tilt) * Math.sin(ecliptic));
  const ascension = Math.atan2(Math.cos(tilt) * Math.sin(ecliptic), Math.cos(ecliptic));
  const sidereal = (280.46062 + 360.98564737 * days + longitude) * RAD;
  const hour = sidereal - ascension;
  const lat = latitude * RAD;
  const height = Math.asin(
    Math.sin(lat) * Math.sin(declination) + Math.cos(lat) * Math.cos(declination) * Math.cos(hour),
  );
  const azimuth =
    Math.atan2(Math.sin(hour), Math.cos(hour) * Math.sin(lat) - Math.tan(declination) * Math.cos(lat)) +
    Math.PI;
  return { height, azimuth };
}

/** W from a roof under a clear sky, at the middle of the quarter hour that begins at `atMs`. */
export function clearSky_W(atMs: WallMs, place: Place, roof: Roof): number {
  const { height, azimuth } = sunAt(atMs + 450_000, place);
  if (height <= 0) return 0;
  const degrees = height / RAD;
  const mass = 1 / (Math.sin(height) + 0.50572 * (degrees + 6.07995) ** -1.6364);
  const direct = 1353 * 0.7 ** (mass ** 0.678);
  const tilt = roof.tilt * RAD;
  const incidence =
    Math.sin(height) * Math.cos(tilt) +
    Math.cos(height) * Math.sin(tilt) * Math.cos(azimuth - roof.azimuth * RAD);
  const onRoof = direct * Math.max(0, incidence) + direct * DIFFUSE * ((1 + Math.cos(tilt)) / 2);
  return Math.max(0, (roof.peak_W * SYSTEM * onRoof) / 1000);
}
