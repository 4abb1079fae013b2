/** Meters on one line (RS-485, one gateway to many) are visited one after the other. */
export class LinkTurns {
  private last: Promise<unknown> = Promise.resolve();

  /** Runs `visit` when all that came before are over, whether they went well or not. */
  take<T>(visit: () => Promise<T>): Promise<T> {
    const mine = this.last.then(visit, visit);
    this.last = mine.catch(() => {});
    return mine;
  }
}
