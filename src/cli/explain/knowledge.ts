/** What `explain` and `list` know: the contract, and what ndislab has of it. */
import type { ContractTables } from "../contract-tables.ts";

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
