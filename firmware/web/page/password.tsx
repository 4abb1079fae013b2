/** Changing the password: folded away at the foot of the page. */
import { useState } from 'preact/hooks';
import { post } from './api.ts';
import { Field, Username } from './field.tsx';

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
        <Username />
        {FIELDS.map((field) => (
          <Field
            key={field.name}
            {...field}
            secret
            value={form[field.name]}
            change={(value) => setForm({ ...form, [field.name]: value })}
          />
        ))}
        <p role="status">{said}</p>
        <button type="submit" class="primary">
          Change
        </button>
      </form>
    </details>
  );
}
