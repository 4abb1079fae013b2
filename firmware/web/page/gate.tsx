/** The two pages before the home: the owner's first password, and signing in. */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { SessionState } from '../schema.ts';
import { get, post } from './api.ts';
import { Field, Username } from './field.tsx';

const first = location.pathname === '/setup';

function Gate() {
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const [code, setCode] = useState('');
  const [asksCode, setAsksCode] = useState(false);
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);

  useEffect(() => {
    if (first)
      void get<SessionState>('/session').then((state) => setAsksCode(state.ok && state.value.setupCode));
  }, []);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const wrong = first ? wrongWith(password, again) : null;
    if (wrong !== null) return setTrouble(wrong);
    setBusy(true);
    const answer = await post(first ? '/setup' : '/session', asksCode ? { password, code } : { password });
    setBusy(false);
    if (answer.ok) location.assign('/');
    else
      setTrouble(
        answer.message.replace(/^body\.password: /, 'The password ').replace(/^./, (c) => c.toUpperCase()),
      );
  };

  return (
    <main class="gate">
      <form class="card" onSubmit={submit}>
        <img src="/icon.svg" alt="" width="56" height="56" />
        <h1>{first ? 'Welcome to Hearth' : 'Hearth'}</h1>
        <p class="soft">
          {first
            ? 'This gateway is yours. Choose a password: only who knows it can see your home and its energy.'
            : 'Sign in to see your home.'}
        </p>
        {asksCode && (
          <Field
            label="Code on the gateway's label"
            name="code"
            secret={false}
            autocomplete="off"
            value={code}
            change={setCode}
          />
        )}
        <Username />
        <Field
          label="Password"
          name="password"
          secret
          autocomplete={first ? 'new-password' : 'current-password'}
          value={password}
          change={setPassword}
        />
        {first && (
          <Field
            label="The same again"
            name="again"
            secret
            autocomplete="new-password"
            value={again}
            change={setAgain}
          />
        )}
        <p class="trouble" role="alert">
          {trouble}
        </p>
        <button type="submit" class="primary" disabled={busy}>
          {busy ? 'One moment …' : first ? 'Set password' : 'Sign in'}
        </button>
        {first && <p class="fine">At least 8 characters. It stays on this gateway and nowhere else.</p>}
      </form>
    </main>
  );
}

function wrongWith(password: string, again: string): string | null {
  if ([...password].length < 8) return 'The password needs at least 8 characters.';
  return password === again ? null : 'The two passwords differ.';
}

const page = document.getElementById('page');
if (page) render(<Gate />, page);
