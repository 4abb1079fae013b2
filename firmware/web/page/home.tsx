/** The home: power now, where it flows, what today costs, what is planned, each device and why. */
import { render } from 'preact';
import type { DeviceView, Prices, Today, View } from '../schema.ts';
import { remove } from './api.ts';
import { DeviceCard } from './devices.tsx';
import { Fact, Facts } from './facts.tsx';
import { Flow } from './flow.tsx';
import { clock, energy, money, power, price } from './format.ts';
import { History } from './history.tsx';
import { Happened } from './journal.tsx';
import { useLive, usePolled } from './live.ts';
import { Meters } from './meters.tsx';
import { ChangePassword } from './password.tsx';
import { PlanQuality } from './plan.tsx';
import { PriceCurve } from './prices.tsx';
import { Radio } from './radio.tsx';

const SLOW_MS = 60_000;

function Home() {
  const { view, connected } = useLive();
  if (!view) {
    return (
      <main class="gate">
        <p class="soft" role="status">
          {connected ? 'One moment …' : 'Looking for your gateway …'}
        </p>
      </main>
    );
  }
  return (
    <>
      <Top view={view} connected={connected} />
      <main class={connected ? 'home' : 'home lost'} data-cycle={view.cycle}>
        <Banners view={view} />
        <Now view={view} />
        <Money view={view} />
        <section class="devices" aria-label="Devices">
          {view.devices.map((device) => (
            <DeviceCard key={device.id} device={device} nowMs={view.atMs} timeZone={view.timeZone} />
          ))}
          {view.devices.length === 0 && <p class="card soft">No device is configured: nothing is steered.</p>}
        </section>
        <History view={view} />
        <Happened nowMs={view.atMs} timeZone={view.timeZone} tick={Math.floor(view.atMs / 10_000)} />
        <Meters view={view} />
        <Radio view={view} />
        <ChangePassword />
      </main>
      <footer class="fine">Hearth {view.version} · on your own network, without the internet</footer>
    </>
  );
}

function Top({ view, connected }: { view: View; connected: boolean }) {
  const leave = async (): Promise<void> => {
    await remove('/session');
    location.assign('/sign-in');
  };
  return (
    <header class="top">
      <img src="/icon.svg" alt="" width="32" height="32" />
      <h1>{view.home}</h1>
      <p class={`link ${connected ? 'live' : 'gone'}`}>
        <i class={`dot ${connected ? 'ok' : 'silent'}`} aria-hidden="true" />
        <span role="status">
          {connected ? 'Live' : `Connection lost · as of ${clock(view.atMs, view.timeZone)}`}
        </span>
        {/* Beside the status: nobody wants to be told every minute. */}
        {connected && view.wallTrusted && <span class="soft">{clock(view.atMs, view.timeZone)}</span>}
      </p>
      <button type="button" class="quiet" onClick={() => void leave()}>
        Sign out
      </button>
    </header>
  );
}

function Banners({ view }: { view: View }) {
  return (
    <div class="banners" role="status">
      {view.limits.map((limit) => (
        <p key={`${limit.source}${limit.direction}${limit.scope}`} class="banner limit">
          {limit.sentence}
        </p>
      ))}
      {view.alerts.map((alert) => (
        <p key={alert.text} class="banner limit">
          {alert.source}: {alert.text}
        </p>
      ))}
      {view.notices.map((notice) => (
        <p key={notice} class="banner notice">
          {notice}
        </p>
      ))}
    </div>
  );
}

function Now({ view }: { view: View }) {
  const { number, unit } = power(view.grid.power_W);
  const way = view.grid.power_W === null ? '' : view.grid.power_W < 0 ? 'to the grid' : 'from the grid';
  const tone = view.grid.power_W === null ? 'unknown' : view.grid.power_W < 0 ? 'leaf' : 'grid';
  return (
    <section class="card now" aria-labelledby="now">
      <h2 id="now" class="soft">
        Power now
      </h2>
      <p class={`big tone-${tone}`} data-power>
        {number} <small>{unit}</small>
      </p>
      <p class="way">{way}</p>
      <p class="soft">{view.headline}</p>
      <Flow view={view} />
    </section>
  );
}

function Money({ view }: { view: View }) {
  const today = usePolled<Today>('/today', SLOW_MS, null);
  const prices = usePolled<Prices>('/prices', SLOW_MS, planKey(view));
  const now = price(view.price.import, view.currency);
  return (
    <section class="card money" aria-labelledby="today">
      <h2 id="today" class="soft">
        Today
        {today &&
          !today.complete &&
          today.import_Wh !== null &&
          ` since ${clock(today.fromMs, view.timeZone)}`}
      </h2>
      <Facts>
        <Fact name={(today?.cost ?? 0) <= -0.005 ? 'earned' : 'cost'}>
          {money(today?.cost == null ? null : Math.abs(today.cost), view.currency)}
        </Fact>
        <Fact name="from the grid" unit="kWh">
          {energy(today?.import_Wh ?? null).number}
        </Fact>
        <Fact name="to the grid" unit="kWh">
          {energy(today?.export_Wh ?? null).number}
        </Fact>
        <Fact name="price now" unit={now.unit}>
          {now.number}
        </Fact>
      </Facts>
      {today && today.unpriced_Wh > 0 && (
        <p class="fine">
          {energy(today.unpriced_Wh).number} kWh have no known price and are not in the cost.
        </p>
      )}
      <h2 class="soft">Price and plan</h2>
      {prices ? (
        <PriceCurve prices={prices} nowMs={view.atMs} timeZone={view.timeZone} />
      ) : (
        <p class="soft">One moment …</p>
      )}
      <PlanQuality view={view} />
    </section>
  );
}

/** Changes when a plan does, so that the curve is asked for again at once. */
const planKey = (view: View): string =>
  `${view.plan?.madeMs} ${view.devices.map((d) => `${d.id}:${isBegun(d)}${d.planned.map((slot) => `${slot.fromMs}-${slot.untilMs}`)}`)}`;

const isBegun = ({ program }: DeviceView): boolean => program?.run != null && program.run.doneMs !== null;

const page = document.getElementById('page');
if (page) render(<Home />, page);
