/**
 * Memory that a driver has given away and may not touch until it comes back to it: what the routine was by which it did, and the rule that it
 * breaks. The block keeps it until it is allocated again, so that the rule is the same whether others have freed it by then or not.
 */
import type { Kernel } from "./kernel.ts";
import { POISON, give, reopen } from "./poison.ts";
import { type PoolBlock, blockAt } from "./pool.ts";

export interface Giving {
  readonly routine: string;
  readonly rule: string;
  /** To whom. */
  readonly to: string;
  /** The memory is the driver's own, and comes back; else it was another one's, and is gone. */
  readonly comesBack: boolean;
}

export const GIVINGS = [
  { routine: "NdisSendNetBufferLists", rule: "send-ownership-transfer", to: "NDIS", comesBack: true },
  { routine: "NdisMIndicateReceiveNetBufferLists", rule: "recv-no-reclaim-before-return", to: "NDIS", comesBack: true },
  { routine: "NdisMSendNetBufferListsComplete", rule: "send-miniport-complete", to: "NDIS", comesBack: false },
  { routine: "NdisReturnNetBufferLists", rule: "recv-ownership-without-resources", to: "NDIS", comesBack: false },
  { routine: "NdisMOidRequestComplete", rule: "use-after-free", to: "NDIS", comesBack: false },
  { routine: "NdisMDirectOidRequestComplete", rule: "use-after-free", to: "NDIS", comesBack: false },
  { routine: "IoCompleteRequest", rule: "irp-touched-after-completion", to: "the I/O manager", comesBack: false },
] as const satisfies readonly Giving[];
export type GivingRoutine = (typeof GIVINGS)[number]["routine"];

const numberOf = (routine: GivingRoutine): number => GIVINGS.findIndex((each) => each.routine === routine) + 1;
const SENT = numberOf("NdisSendNetBufferLists");
const COMPLETED_IRP = numberOf("IoCompleteRequest");

/** The block that begins there, if one does, remembers who gave it away. */
export function rememberGiving(k: Kernel, address: number, routine: GivingRoutine, driver: number): void {
  const block = blockAt(k, address);
  if (block?.state !== "Allocated") return;
  const number = numberOf(routine);
  if (GIVINGS[number - 1]?.comesBack === true) {
    block.giver = driver + 1;
    block.givenBy = (block.givenBy & 0xf0) | number;
  } else {
    block.returner = driver + 1;
    block.givenBy = (block.givenBy & 0x0f) | (number << 4);
  }
}

/** The running driver gives these bytes away: it may not access them, or at least not write them. */
export function giveAway(k: Kernel, address: number, bytes: number, driver: number, mayRead = false): void {
  if (driver >= 0) give(k.memory, address, bytes, (mayRead ? POISON.lent : POISON.given) + driver);
}

/** These bytes come to the driver: what it gave away of them is its to touch again. */
export function takeBack(k: Kernel, address: number, bytes: number, driver: number): void {
  if (driver >= 0) reopen(k.memory, address, bytes, driver);
}

/**
 * The block has come to the driver. A send that is back is remembered all the same: who touches it where it was sent, and not where it came back,
 * touches it by then or before by chance.
 */
export function forgetReturn(k: Kernel, address: number, driver: number): void {
  const block = blockAt(k, address);
  if (block === undefined || block.givenBy === 0) return;
  if (block.returner === driver + 1) {
    block.returner = 0;
    block.givenBy &= 0x0f;
  }
  if (block.giver === driver + 1 && (block.givenBy & 0x0f) !== SENT) {
    block.giver = 0;
    block.givenBy &= 0xf0;
  }
}

/** By which routine the driver gave the block away that it touches; undefined: it did not. */
export function givingOf(block: PoolBlock, driver: number): Giving | undefined {
  const returned = block.givenBy >>> 4;
  if (returned === COMPLETED_IRP || (returned !== 0 && block.returner === driver + 1)) return GIVINGS[returned - 1];
  return block.giver === driver + 1 ? GIVINGS[(block.givenBy & 0x0f) - 1] : undefined;
}
