/** A source of random numbers, handed in so that a simulated day is the same every time. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** `length` random bytes; on a board they come from the operating system's cryptographic source. */
  bytes(length: number): Uint8Array;
}
