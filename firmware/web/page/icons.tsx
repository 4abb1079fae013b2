/** Line drawings, 24 × 24, in the colour of the text around them. */
const PATHS: Readonly<Record<string, string>> = {
  grid: 'M12 2 7 22M12 2l5 20M8.8 14.5h6.4M7.6 19.5h8.8M5 8.5h14M9.8 8.5l5 6M14.2 8.5l-5 6',
  house: 'M4 11.5 12 4.5l8 7M6 10v9.5h12V10M10 19.5v-5.5h4v5.5',
  inverter:
    'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4',
  wallbox:
    'M6 3.5h8a1 1 0 0 1 1 1V20.5H5V4.5a1 1 0 0 1 1-1M3.5 20.5h13M10.8 7.5 8.3 11.8h3.4l-2.5 4.2M15 12h1.5a1.5 1.5 0 0 1 1.5 1.5V16a1.5 1.5 0 0 0 3 0V9l-2.5-2.5',
  boiler:
    'M7.5 3.5h9a1 1 0 0 1 1 1v13a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2v-13a1 1 0 0 1 1-1M9.5 19.5v2M14.5 19.5v2M12 8.5c1.5 1.7 2.3 2.7 2.3 4a2.3 2.3 0 0 1-4.6 0c0-1.3.8-2.3 2.3-4',
  heater:
    'M4.5 8.5h15v9h-15zM8.2 8.5v9M12 8.5v9M15.8 8.5v9M6.5 17.5v2M17.5 17.5v2M8 3.5c-1 1 1 1.5 0 2.5M12 3.5c-1 1 1 1.5 0 2.5M16 3.5c-1 1 1 1.5 0 2.5',
  'heat-pump':
    'M3.5 5.5h17v13h-17zM10 8.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6M10 12l2.3-2.3M10 12l-2.3 2.3M10 12l2.3 2.3M10 12 7.7 9.7M17 9v6M5.5 18.5v2M18.5 18.5v2',
  battery:
    'M7 6.5h10a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1v-12a1 1 0 0 1 1-1M10 3.5h4v3h-4zM12.5 9.5l-2.5 4h4l-2.5 4',
  appliance: 'M5.5 3.5h13v17h-13zM5.5 7.5h13M12 10a4 4 0 1 0 0 8 4 4 0 0 0 0-8M8 5.5h1.5M15.5 5.5h.5',
  relay:
    'M4 12h4l7-4.5M15 12h5M8 11.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6M15.8 11.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6',
  other: 'M9 3v4.5M15 3v4.5M6.5 7.5h11v3.5a5.5 5.5 0 0 1-11 0zM12 16.5V21',
};

export function Icon({ name, x, y, size = 24 }: { name: string; x?: number; y?: number; size?: number }) {
  return (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      width={size}
      height={size}
      aria-hidden="true"
      {...(x === undefined ? {} : { x })}
      {...(y === undefined ? {} : { y })}
    >
      <path d={PATHS[name] ?? PATHS.other} />
    </svg>
  );
}
