/** Who has which list, since when, and which way it went: kept by recorded runs, for the story of one in which nothing can go on. */
import { constant } from "../contract/index.ts";
import type { Entry, Kernel } from "../kernel/index.ts";
import { listsOf } from "../ndis/chains.ts";

const RESOURCES = constant("NDIS_RECEIVE_FLAGS_RESOURCES");
/** More would hide the rest of the story. */
const SHOWN = 6;

interface Stop {
  /** Slot of the driver; -1: NDIS. */
  readonly holder: number;
  /** Number of the entry at which it came there, and the virtual time, in 100 ns. */
  readonly step: number;
  readonly clock: number;
}

interface Journey {
  readonly what: "sent" | "indicated";
  readonly stops: Stop[];
}

/** Calls and handlers that hand lists on: which argument has the chain, and what becomes of it. */
const CALLS: ReadonlyMap<string, "sent" | "indicated" | "passed on"> = new Map([
  ["NdisSendNetBufferLists", "sent"],
  ["NdisMSendNetBufferListsComplete", "passed on"],
  ["NdisMIndicateReceiveNetBufferLists", "indicated"],
  ["NdisReturnNetBufferLists", "passed on"],
]);
const HANDLERS: ReadonlyMap<string, "arrives" | "is back"> = new Map([
  ["MiniportSendNetBufferLists", "arrives"],
  ["ProtocolReceiveNetBufferLists", "arrives"],
  ["ProtocolSendNetBufferListsComplete", "is back"],
  ["MiniportReturnNetBufferLists", "is back"],
]);

export class Custody {
  readonly #journeys = new Map<number, Journey>();

  /** `step` is the number of the entry. */
  watch(k: Kernel, entry: Entry, step: number): void {
    if (entry.kind === "call") this.#call(k, entry.name, entry.args, entry.driver, step);
    else if (entry.kind === "handler") this.#handler(k, entry.name, entry.args, k.driverOf(entry.target), step);
  }

  #call(k: Kernel, name: string, args: readonly number[], driver: number, step: number): void {
    const what = CALLS.get(name);
    // What is lent with the RESOURCES flag is back when the call returns.
    if (what === undefined || (what === "indicated" && ((args[4] ?? 0) & RESOURCES) !== 0)) return;
    const { clock } = k.header;
    for (const list of listsOf(k, args[1] ?? 0)) {
      if (what !== "passed on") this.#journeys.set(list, { what, stops: [{ holder: driver, step, clock }] });
      this.#journeys.get(list)?.stops.push({ holder: -1, step, clock });
    }
  }

  #handler(k: Kernel, name: string, args: readonly number[], driver: number, step: number): void {
    const what = HANDLERS.get(name);
    if (what === undefined) return;
    for (const list of listsOf(k, args[1] ?? 0)) {
      if (what === "is back") this.#journeys.delete(list);
      else this.#journeys.get(list)?.stops.push({ holder: driver, step, clock: k.header.clock });
    }
  }

  /** Sentences about the lists that are out; "": none is. `nameOf` gives the name of the driver in a slot. */
  story(k: Kernel, nameOf: (slot: number) => string): string {
    const name = (slot: number): string => (slot < 0 ? "NDIS" : nameOf(slot));
    const out = [...this.#journeys].map(([list, { what, stops }]) => {
      const [first] = stops;
      const last = stops.at(-1);
      const since = ((k.header.clock - (last?.clock ?? 0)) / 10_000).toFixed(1);
      const way = stops.map(({ holder }) => name(holder)).join(" -> ");
      return `0x${list.toString(16)}, ${what} in step ${first?.step ?? 0}, is with ${name(last?.holder ?? -1)} since step ${last?.step ?? 0}, ${since} ms ago (${way})`;
    });
    if (out.length === 0) return "";
    const more = out.length > SHOWN ? `, and ${out.length - SHOWN} more` : "";
    return ` ${out.length} list(s) are out: ${out.slice(0, SHOWN).join("; ")}${more}.`;
  }
}
