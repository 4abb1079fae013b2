/** One thing in the configuration that is not as it must be. */
export interface Mistake {
  /** `meters[0].link.baudRate` */
  readonly path: string;
  readonly message: string;
}
