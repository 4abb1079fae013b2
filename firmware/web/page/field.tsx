/** A line to type into, with its label. */
interface Props {
  readonly label: string;
  readonly name: string;
  /** Not to be read over a shoulder. */
  readonly secret: boolean;
  readonly autocomplete: 'off' | 'current-password' | 'new-password';
  readonly value: string;
  readonly change: (value: string) => void;
}

export function Field({ label, secret, change, ...given }: Props) {
  const onInput = (event: InputEvent): void => change((event.currentTarget as HTMLInputElement).value);
  const input = { ...given, id: given.name, onInput, required: true, maxLength: 256 };
  return (
    <label for={given.name}>
      {label}
      {secret ? <input type="password" {...input} /> : <input type="text" {...input} />}
    </label>
  );
}

/** Password managers file a password under a name. */
export const Username = () => (
  <input type="text" name="username" autocomplete="username" value="owner" hidden readOnly />
);
