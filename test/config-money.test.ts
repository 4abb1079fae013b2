/** What the file states in money: contracts by date, day and time, and bounds that depend on the currency. */
import { test } from 'tap';
import { checkConfig } from '../firmware/config/check.ts';
import { exampleJson, mistakesOf } from './config-example.ts';

test('what the contract fixes: one price, or prices by date, day and time', async (t) => {
  const tariffOf = (importTariff: unknown) => {
    const config = exampleJson();
    const checked = checkConfig({ ...config, site: { ...config.site, importTariff } });
    return checked.ok ? checked.config.site.importTariff : checked.mistakes;
  };
  t.match(tariffOf(0.3), [{ from: null, steps: [{ from: '00:00', days: 'all', price: 0.0003 }] }]);
  t.same(tariffOf(undefined), []);
  const night = { from: '22:00', price: 0.2 };
  const steps = [night, { from: '06:00', price: 0.3 }];
  t.match(tariffOf([{ steps, holidays: ['12-25', '02-29', '2027-03-29'] }]), [
    { holidays: ['12-25', '02-29', '2027-03-29'] },
  ]);
  t.match(tariffOf([{ price: 0.25 }, { from: '2027-01-01', steps }]), [
    { from: null, steps: [{ price: 0.00025 }] },
    { from: '2027-01-01', steps: [{ from: '22:00', days: 'all', price: 0.0002 }, { price: 0.0003 }] },
  ]);
  for (const [wrong, path, said] of [
    ['cheap', 'site.importTariff', /^expected a price per kWh, or periods/],
    [
      [
        { from: '2027-01-01', price: 0.3 },
        { from: '2026-01-01', price: 0.2 },
      ],
      'site.importTariff',
      /begin after/,
    ],
    [[{ price: 0.3 }, { price: 0.2 }], 'site.importTariff', /begin after/],
    [
      [{ steps: [{ ...night, days: 'weekends' }] }],
      'site.importTariff[0].steps',
      /a step for workdays and for weekends/,
    ],
    [[{ steps: [{ from: '24:00', price: 0.2 }] }], 'site.importTariff[0].steps[0].from', /HH:MM/],
    [[{ from: '2026-02-30', price: 0.2 }], 'site.importTariff[0].from', /YYYY-MM-DD/],
    [[{ steps: [night], holidays: ['02-30'] }], 'site.importTariff[0].holidays[0]', /MM-DD for every/],
    [[{ steps: [night], holidays: ['25.12.'] }], 'site.importTariff[0].holidays[0]', /MM-DD for every/],
    [[{ from: '2026-02-28' }], 'site.importTariff', /"price" or "steps", got/],
    [3000, 'site.importTariff', /./],
  ] as const)
    t.match(tariffOf(wrong), [{ path, message: said }], JSON.stringify(wrong));
});

test('an ordinary price in every currency, and an absurd one in none', async (t) => {
  const mistakes = (currency: unknown, price: number, rest: object = {}) => {
    const config = exampleJson();
    const importTariff = [{ price }, { from: '2027-01-01', steps: [{ from: '00:00', price: -price }] }];
    return mistakesOf({ ...config, site: { ...config.site, currency, importTariff, ...rest } });
  };
  for (const [currency, price] of [
    ['EUR', 0.3],
    ['HUF', 36],
    ['JPY', 31],
    ['KRW', 150],
    ['COP', 800],
    ['IDR', 1444],
  ] as const)
    t.same(mistakes(currency, price), {}, currency);
  t.same(mistakes('EUR', 101), {
    'site.importTariff[0].price': 'expected at most 100 EUR, got 101',
    'site.importTariff[1].steps[0].price': 'expected at least -100 EUR, got -101',
  });
  t.same(mistakes('JPY', 0.3, { importTariff: 31, exportTariff: 20_000 }), {
    'site.exportTariff': 'expected at most 10000 JPY, got 20000',
  });
  t.match(mistakes('IDR', 2e6), { 'site.importTariff[0].price': /at most 1000000 IDR/ });
  t.match(mistakes(7, 101), { 'site.importTariff[0].price': /at most 100, got/, 'site.currency': /./ });
  t.match(mistakes('IDR', 1e9), { 'site.importTariff[0].price': /10000000, got/ }, 'beyond every currency');
});

test('what else is money counts in the currency, too', async (t) => {
  const mistakes = (currency: string, scale: number) => {
    const config = exampleJson();
    config.site = { ...config.site, currency, co2_perKg: 50 * scale, peak: { price_perKW: 500 * scale } };
    config.mqtt.programs[0].importPrice = { plus: 50 * scale };
    return Object.keys(mistakesOf(config)).sort();
  };
  t.same(mistakes('EUR', 1), []);
  t.same(mistakes('KRW', 1000), []);
  t.same(mistakes('EUR', 1000), [
    'mqtt.programs[0].importPrice.plus',
    'site.co2_perKg',
    'site.peak.price_perKW',
  ]);
});
