/** Structures that drivers link by their own `Next`. Nothing says that such a chain comes to an end. */
import { DriverFault } from "./outcome.ts";

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

/**
 * Is told each address of a walk along the chain. A circle, in which the system would go round for ever, ends the run: the place that is
 * remembered is further on at each power of two, so that any circle comes back to it.
 */
export function circleWatch(what: string, first: number): (address: number) => void {
  let remembered = 0;
  let steps = 0;
  let limit = 1;
  return (address) => {
    if (address === remembered)
      throw new DriverFault(
        "livelock",
        `the chain of ${what} that begins at ${hex(first)} runs in a circle: it comes back to ${hex(address)}`,
      );
    steps += 1;
    if (steps < limit) return;
    remembered = address;
    limit *= 2;
  };
}

/** The addresses of the chain, first to last. */
export function chainOf(what: string, first: number, nextOf: (address: number) => number): number[] {
  if (first === 0) return [];
  const found = [first];
  let next = nextOf(first);
  // Most chains are of one structure.
  if (next === 0) return found;
  const watch = circleWatch(what, first);
  for (; next !== 0; next = nextOf(next)) {
    watch(next);
    found.push(next);
  }
  return found;
}
