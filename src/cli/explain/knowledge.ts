/** What `explain` and `list` know: the contract, and what ndislab has of it. */
import { type ContractTables, type Ddi, nameOf } from "../contract-tables.ts";

export interface Knowledge extends ContractTables {
  /** Names of the routines that drivers can call here. */
  readonly implemented: ReadonlySet<string>;
  /** Names of the handlers that ndislab calls. */
  readonly called: ReadonlySet<string>;
  /** Ids of the rules that are watched. */
  readonly watched: ReadonlySet<string>;
  readonly scenarios: readonly { readonly name: string; readonly summary: string }[];
  /** Names of the ways in which `check` lets NDIS and the counterparts answer. */
  readonly answers: readonly string[];
}

/** Names listed at most: NDIS_STATUS_SUCCESS is returned by hundreds of routines. */
const MOST = 16;

/** Names of routines and handlers, those that ndislab has first. */
export function shortList(ddis: readonly Ddi[], { implemented, called }: Knowledge): string[] {
  const names = ddis.map(nameOf);
  const isThere = (name: string): boolean => implemented.has(name) || called.has(name);
  const ordered = [...names.filter(isThere), ...names.filter((name) => !isThere(name))];
  return ordered.length <= MOST ? ordered : [...ordered.slice(0, MOST), `and ${ordered.length - MOST} more`];
}
