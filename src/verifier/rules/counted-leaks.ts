/**
 * What is counted and was not given back as often as it was taken: references to objects, run-down protection; and what has to be taken out of the
 * system's lists before its memory goes: resources, locked pages, timers.
 */
import { Process } from "../../kernel/processes.ts";
import { regions } from "../../kernel/memory.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { MDL_FLAG, Mdl, startOf } from "../../kernel/mdl.ts";
import { ManagedObject, REFERENCE } from "../../kernel/object-manager.ts";
import { PROTECTION, protections } from "../../kernel/rundown.ts";
import { type RuleContext, on, ruleSet } from "../rule.ts";
import { type Shadow, type ShadowTable, shadowTable } from "../shadow.ts";

const ROWS = 256;
/** From an object and the slot of a driver (in the low bits of the address) to how many references it took more than it gave back. */
const references = shadowTable("references that drivers took", ROWS);
/** From a run-down reference, a resource, an MDL with locked pages to 1 + the slot of the driver that has to give it back. */
const rundowns = shadowTable("run-down references that were acquired", ROWS);
const resources = shadowTable("resources that are initialized", ROWS);
const lockedMdls = shadowTable("MDLs whose pages a driver locked", ROWS);

const SLOTS = 15;
const hex = (address: number): string => `0x${address.toString(16)}`;

/** What is more than can be remembered is not judged. */
function remember(shadow: Shadow, table: ShadowTable, key: number, slot: number): void {
  if (key !== 0 && slot >= 0 && shadow.entries(table).length < table.rows - 1) shadow.set(table, key, slot + 1);
}

function count({ shadow }: RuleContext, object: number, slot: number, change: number): void {
  if (slot < 0 || slot > SLOTS) return;
  const key = object | slot;
  if (shadow.get(references, key) === 0 && shadow.entries(references).length >= ROWS - 1) return;
  shadow.set(references, key, (shadow.get(references, key) + change) >>> 0);
}

/** References that the driver took and nobody gave back for it. */
function judgeReferences({ k, shadow, report }: RuleContext, slot: number): void {
  const rows = shadow.entries(references);
  for (const [key, value] of rows) {
    const own = value | 0;
    if ((key & SLOTS) !== slot || own <= 0) continue;
    const address = key & ~SLOTS;
    const all = rows.reduce((sum, [other, count_]) => sum + ((other & ~SLOTS) === address ? count_ | 0 : 0), 0);
    if (all <= 0) continue;
    const { kind, body } = ManagedObject.at(k.memory, address);
    report({
      rule: "leak-handle",
      message: `The driver is unloaded, and ${Math.min(own, all)} reference(s) that it took to an object (${kind} at ${hex(body)}) are not given back: ObDereferenceObject was called too few times.`,
      driver: slot,
      counted: address,
      things: [{ address, name: "the object" }],
    });
  }
}

function judgeRundowns({ k, shadow, report }: RuleContext, slot: number): void {
  for (const [reference, owner] of shadow.entries(rundowns)) {
    if (owner !== slot + 1) continue;
    const left = protections(k, reference);
    if (left > 0)
      report({
        rule: "leak-handle",
        message: `The driver is unloaded, and ${left} run-down protection(s) of ${hex(reference)} are not released: who waits for the run-down would wait for ever.`,
        driver: slot,
        counted: reference,
      });
    shadow.set(rundowns, reference, 0);
  }
}

function judgeResources({ shadow, report }: RuleContext, slot: number): void {
  for (const [resource, owner] of shadow.entries(resources)) {
    if (owner !== slot + 1) continue;
    shadow.set(resources, resource, 0);
    report({
      rule: "leak-handle",
      message: `The driver is unloaded, and the resource at ${hex(resource)} is not deleted by ExDeleteResourceLite: the system's list of resources leads into memory that is gone.`,
      driver: slot,
    });
  }
}

/** Keys of the table in the block that is being freed. */
const inBlock = (shadow: Shadow, table: ShadowTable, address: number, bytes: number): number[] =>
  shadow
    .entries(table)
    .map(([key]) => key)
    .filter((key) => key >= address && key < address + bytes);

function judgeFree({ shadow, report }: RuleContext, address: number, bytes: number): void {
  for (const reference of inBlock(shadow, rundowns, address, bytes)) shadow.set(rundowns, reference, 0);
  for (const resource of inBlock(shadow, resources, address, bytes)) {
    shadow.set(resources, resource, 0);
    report({
      rule: "leak-handle",
      message: `Memory was freed with the resource at ${hex(resource)} in it, which is not deleted by ExDeleteResourceLite: the system's list of resources leads into memory that is gone.`,
      things: [{ address, name: "the memory" }],
    });
  }
  for (const mdl of inBlock(shadow, lockedMdls, address, bytes)) shadow.set(lockedMdls, mdl, 0);
}

const isOfProcess = (k: Kernel, mdl: number, process: Process): boolean => {
  const structure = Mdl.at(k.memory, mdl);
  const bytes = (regions.user.end - regions.user.start) / 4;
  const start = regions.user.start + (process.number - 1) * bytes;
  const at = startOf(structure);
  return (structure.MdlFlags & MDL_FLAG.locked) !== 0 && at >= start && at < start + bytes;
};

function judgeProcess({ k, shadow, report }: RuleContext, address: number): void {
  const process = Process.at(k.memory, address);
  for (const [mdl, owner] of shadow.entries(lockedMdls)) {
    if (!isOfProcess(k, mdl, process)) continue;
    report({
      rule: "leak-memory",
      message: `Process ${process.number} ended while pages of it are locked by the MDL at ${hex(mdl)}: MmUnlockPages was not called. Windows stops with bug check 0x76 (PROCESS_HAS_LOCKED_PAGES).`,
      driver: owner - 1,
      allocation: mdl,
      things: [{ address: mdl, name: "the MDL" }],
    });
  }
}

export const countedLeakRules = ruleSet(
  ["leak-handle", "leak-memory"],
  [
    on("note taken", (context, { address, value, driver, text }) => {
      if (text === REFERENCE) count(context, address, driver, value);
      else if (text === PROTECTION) remember(context.shadow, rundowns, address, driver);
    }),
    on("note given back", (context, { address, value, driver, text }) => {
      if (text === REFERENCE) count(context, address, driver, -value);
    }),
    on("note managed object gone", ({ shadow }, { address }) => {
      for (const [key] of shadow.entries(references)) if ((key & ~SLOTS) === address) shadow.set(references, key, 0);
    }),
    on("call ExInitializeResourceLite", ({ shadow }, { args: [resource = 0], driver }) =>
      remember(shadow, resources, resource, driver),
    ),
    on("call ExDeleteResourceLite", ({ shadow }, { args: [resource = 0] }) => shadow.set(resources, resource, 0)),
    on("call MmProbeAndLockPages", ({ shadow }, { args: [mdl = 0], driver }) => remember(shadow, lockedMdls, mdl, driver)),
    on("call MmUnlockPages", ({ shadow }, { args: [mdl = 0] }) => shadow.set(lockedMdls, mdl, 0)),
    on("note free", (context, { address, value: bytes }) => judgeFree(context, address, bytes)),
    on("note process ended", (context, { address }) => judgeProcess(context, address)),
    on("note driver unloaded", (context, { address: slot }) => {
      judgeReferences(context, slot);
      judgeRundowns(context, slot);
      judgeResources(context, slot);
    }),
  ],
  [references, rundowns, resources, lockedMdls],
);
