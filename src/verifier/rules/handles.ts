/** Rules of handles: used when they are dead, stale, or never were one. */
import type { Kernel } from "../../kernel/kernel.ts";
import { Binding } from "../../ndis/objects.ts";
import { takesBindingHandle } from "../binding-handles.ts";
import { type RuleContext, type Watcher, on, ruleSet } from "../rule.ts";
import { type Shadow, shadowTable } from "../shadow.ts";
import { openingOfDriver } from "./opening.ts";

const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;

/** From a binding handle to the activation of a driver's function that gave it to NdisUnbindAdapter. */
const givenUp = shadowTable("binding handles whose unbind was asked for", 16);

/** The function of a driver that runs now: its thread, and how deep on it. What the library runs on its behalf does not count. */
export function activation(k: Kernel): number {
  const thread = k.current;
  let { depth } = thread;
  while (depth > 0 && k.frame(thread, depth - 1).kind !== "Code") depth -= 1;
  return ((thread.address << 8) | depth) >>> 0;
}

const isGivenUpHere = ({ k, shadow }: RuleContext, handle: number): boolean => shadow.get(givenUp, handle) === activation(k);

function forget(k: Kernel, shadow: Shadow, isOver: (by: number) => boolean): void {
  const thread = k.header.currentThread;
  for (const [handle, by] of shadow.entries(givenUp)) {
    if (by >>> 8 === thread && isOver(by)) shadow.set(givenUp, handle, 0);
  }
}

const usedAfterUnbindAdapter: Watcher[] = takesBindingHandle.map(({ name, index }) =>
  on(`call ${name}`, (context, { args }) => {
    const { k, shadow, report } = context;
    const handle = args[index] ?? 0;
    // The work item of NdisUnbindAdapter can run before the call returns. Only the function that called it is judged: the handlers that
    // pause and unbind the binding still use its handle, and so may other threads until they are told to pause.
    if (isGivenUpHere(context, handle)) {
      report({
        rule: "unbindadapter-handle-invalid-on-return",
        message: `${name} was called with the binding handle ${hex(handle)} after NdisUnbindAdapter had returned. The binding may be gone by then: its handle must be taken as invalid.`,
      });
    }
    if (name === "NdisUnbindAdapter" && k.objects.resolve(handle, Binding) !== undefined)
      shadow.set(givenUp, handle, activation(k));
  }),
);

/** The rule for a handle that was of that kind and whose object is gone. */
const STALE: readonly (readonly [kind: string, rule: string])[] = [
  ["a binding handle", "close-invalidates-handle-immediately"],
  ["an UnbindContext", "unbind-complete-invalidates-context"],
  ["a BindContext", "bind-complete-only-if-pending"],
  ["an interrupt to synchronize with", "interrupt-sync-not-after-deregister"],
];

export const handleRules = ruleSet(
  [
    "unbindadapter-handle-invalid-on-return",
    "close-invalidates-handle-immediately",
    "unbind-complete-invalidates-context",
    "bind-complete-only-if-pending",
    "interrupt-sync-not-after-deregister",
    "use-after-free",
    "trap",
  ],
  [
    ...usedAfterUnbindAdapter,
    on("return NdisUnbindAdapter", ({ k, shadow }, { result }) => {
      // It could not be scheduled: the binding stays, and its handle with it.
      if (result !== 0) forget(k, shadow, (by) => by === activation(k));
    }),
    on("handler return *", ({ k, shadow }) => forget(k, shadow, (by) => (by & 0xff) > k.current.depth)),
    on("note closed handle", (context, { address: handle }) => {
      if (isGivenUpHere(context, handle)) return;
      context.report({
        rule: "close-invalidates-handle-immediately",
        message: `The binding handle ${hex(handle)} was used after NdisCloseAdapterEx was called with it. The handle is dead from that call on, not from its completion.`,
      });
    }),
    on("note bad handle", (context, { address: handle, text }) => {
      const { k, report } = context;
      if (isGivenUpHere(context, handle)) return;
      const [state = "", expected = ""] = text.split(": ");
      if (state === "stale") {
        const rule = STALE.find(([kind]) => expected.startsWith(kind))?.[1] ?? "use-after-free";
        report({ rule, message: `The handle ${hex(handle)} was used, but what it stood for is gone: ${expected}.` });
        return;
      }
      // What an open that pends has not written yet: see opening.ts.
      if (expected.startsWith("a binding handle") && openingOfDriver(k) !== undefined) return;
      // Windows takes a handle for a pointer, and does not look.
      report({ rule: "trap", message: `${hex(handle)} was used as a handle, but is ${state}: ${expected}.` });
    }),
  ],
  [givenUp],
);
