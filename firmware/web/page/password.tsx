/** Changing the password: folded away at the foot of the page. */
import { useState } from 'preact/hooks';
import { post } from './api.ts';

const FIELDS = [
  { name: 'password', label: 'Present password', autocomplete: 'current-password' },
  { name: 'next', label: 'New password', autocomplete: 'new-password' },
  { name: 'again', label: 'The new one again', autocomplete: 'new-password' },
] as const;
const EMPTY = { password: '', next: '', again: '' };

export function ChangePassword() {
  const [form, setForm] = useState(EMPTY);
  const [said, setSaid] = useState('');

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const { password, next, again } = form;
    if ([...next].length < 8) return setSaid('The new password needs at least 8 characters.');
    if (next !== again) return setSaid('The two new passwords differ.');
    const answer = await post('/password', { password, next });
    if (answer.ok) setForm(EMPTY);
    setSaid(
      answer.ok
        ? 'Changed. Every other device has to sign in again.'
        : answer.message.replace(/^./, (c) => c.toUpperCase()),
    );
  };

  return (
    <details class="card fold">
      <summary>Change the password</summary>
      <form class="fold" onSubmit={submit}>
        <input type="text" name="username" autocomplete="username" value="owner" hidden readOnly />
        {FIELDS.map(({ name, label, autocomplete }) => (
          <label key={name}>
            {label}
            <input
              type="password"
              name={name}
              required
              maxLength={256}
              autocomplete={autocomplete}
              value={form[name]}
              onInput={(event) => setForm({ ...form, [name]: event.currentTarget.value })}
            />
          </label>
        ))}
        <p role="status">{said}</p>
        <button type="submit" class="primary">
          Change
        </button>
      </form>
    </details>
  );
}
