/**
 * Takes the picture of the page for the README from a running gateway: signs in (or sets the password, at a first
 * start) and writes board/page.png.
 *
 *   PASSWORD=… node scripts/screenshot.ts http://localhost:8080 [file]
 */
import path from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
];

async function main(): Promise<void> {
  const [url, file = path.resolve(import.meta.dirname, '../board/page.png')] = process.argv.slice(2);
  const password = process.env.PASSWORD;
  if (url === undefined || password === undefined) {
    process.stderr.write('usage: PASSWORD=… node scripts/screenshot.ts URL [file]\n');
    process.exitCode = 2;
    return;
  }
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: FLAGS,
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1530 }, deviceScaleFactor: 1.5 });
    await page.goto(url);
    await page.getByLabel('Password').fill(password);
    const again = page.getByLabel('The same again');
    if ((await again.count()) > 0) await again.fill(password);
    await page.locator('button[type=submit]').click();
    await page.locator('[data-power]').waitFor();
    // The curve and the journal are asked for after the first view; wait for what there is.
    await page.locator('.journal li').first().waitFor();
    await page
      .locator('.lanes svg')
      .first()
      .waitFor({ timeout: 5_000 })
      .catch(() => process.stderr.write('nothing is planned yet\n'));
    await page.screenshot({ path: file });
    process.stderr.write(`${file}\n`);
  } finally {
    await browser.close();
  }
}

await main();
