/** The states that the search has been in, each with the cheapest ways in which it was reached. */
import { type Cost, isWithin } from "./costs.ts";

export class Visited {
  readonly #costs = new Map<string, readonly Cost[]>();

  get size(): number {
    return this.#costs.size;
  }

  /** False: it was reached before at no greater cost, so that whatever follows was, or will be, looked at. */
  add(key: string, cost: Cost): boolean {
    const known = this.#costs.get(key);
    if (known?.some((each) => isWithin(each, cost)) === true) return false;
    this.#costs.set(key, known === undefined ? [cost] : [...known.filter((each) => !isWithin(cost, each)), cost]);
    return true;
  }
}
