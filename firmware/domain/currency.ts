/** What a unit of a currency is worth, roughly: enough to tell a price from a mistake, and for nothing else. */

/**
 * Currencies by the nearest power of ten of what one euro buys; those that are not named, and those worth more than a
 * euro, are of its own order. By the euro reference rates of the European Central Bank of 2025-02-21, and what it does not
 * quote by the market's rates of 2024-06-15. A currency that loses nine tenths of its value moves by one row.
 */
const BY_ZEROS: readonly (readonly [zeros: number, currencies: string])[] = [
  [1, 'AED BOB BRL BWP BYN CNY CUP CZK DKK ERN GHS GTQ HKD HNL ILS LSL LYD MAD MDL MOP MVR MXN MYR NAD NOK'],
  [1, 'PEN PGK PLN QAR RON SAR SBD SCR SEK STN SZL TJS TMT TND TTD ZAR ZMW'],
  [2, 'AFN ALL BDT BTN CVE DJF DOP DZD EGP ETB GMD GYD HTG INR ISK JMD JPY KES KGS LRD MKD MRU MUR MZN NIO'],
  [2, 'NPR PHP PKR RSD RUB SRD THB TRY TWD UAH UYU VES VUV XPF YER'],
  [3, 'AMD AOA ARS BIF CDF CLP CRC HUF IQD KMF KRW KZT LKR MMK MWK NGN RWF SDG SOS TZS XAF XOF'],
  [4, 'COP GNF IDR KHR LAK MGA MNT PYG SYP UGX UZS VND'],
  [5, 'IRR LBP'],
];

const ZEROS: ReadonlyMap<string, number> = new Map(
  BY_ZEROS.flatMap(([zeros, currencies]) => currencies.split(' ').map((code) => [code, zeros] as const)),
);

/** Of all currencies. */
export const MOST_PER_EURO = 1e5;

/** How many units a euro buys, as a power of ten from 1 to `MOST_PER_EURO`; 1 for what is not known. */
export const perEuro = (currency: string | null): number => 10 ** (ZEROS.get(currency ?? '') ?? 0);

/** More for a kWh than any market has seen, in euro: beyond it is a mistake or an attack. */
export const MOST_EUR_PER_KWH = 100;
