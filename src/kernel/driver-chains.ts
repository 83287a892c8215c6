/** Structures that drivers link by their own `Next`. Nothing says that such a chain comes to an end. */
import { DriverFault } from "./outcome.ts";

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

/**
 * The addresses of the chain, first to last; the caller may free each, or cut the chain behind it. A circle, in which the system would go round
 * for ever, ends the run: the place that is kept in `mark` is further on at each power of two, so that any circle comes back to it.
 */
export function* chainOf(what: string, first: number, nextOf: (address: number) => number): Generator<number, void> {
  let mark = 0;
  let steps = 0;
  let limit = 1;
  for (let address = first; address !== 0; ) {
    if (address === mark)
      throw new DriverFault(
        "livelock",
        `the chain of ${what} that begins at ${hex(first)} runs in a circle: it comes back to ${hex(address)}`,
      );
    steps += 1;
    if (steps === limit) {
      mark = address;
      limit *= 2;
    }
    const next = nextOf(address);
    yield address;
    address = next;
  }
}
