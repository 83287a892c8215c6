/**
 * What a protocol knows of the ports of an adapter that it is bound to: a port number may be used only after its bind parameters or an event said
 * that the port is active, and only until it has completed the event that deactivates the port.
 *
 * Pages: handling-the-port-activation-pnp-event, handling-the-port-deactivation-pnp-event.
 */
import type { Kernel } from "../kernel/kernel.ts";
import { append, listOf, remove } from "../kernel/lists.ts";
import type { Binding } from "./objects.ts";
import { KnownPort } from "./port-objects.ts";

const knownPorts = (k: Kernel, binding: Binding): KnownPort[] => listOf(k.memory, KnownPort, binding.firstKnownPort);

export function learnPorts(k: Kernel, binding: Binding, numbers: readonly number[]): void {
  for (const number of numbers) {
    const known = k.objects.create(KnownPort);
    known.number = number;
    binding.firstKnownPort = append(k.memory, KnownPort, binding.firstKnownPort, known);
  }
}

/** Without numbers: all of them. */
export function forgetPorts(k: Kernel, binding: Binding, numbers?: readonly number[]): void {
  for (const known of knownPorts(k, binding)) {
    if (numbers?.includes(known.number) === false) continue;
    binding.firstKnownPort = remove(k.memory, KnownPort, binding.firstKnownPort, known);
    k.objects.release(known);
  }
}

/** The protocol has failed the event that activates these ports, or has completed the one that deactivates them. */
export function barPorts(k: Kernel, binding: Binding, numbers: readonly number[], why: "isRefused" | "isGivenUp"): void {
  for (const known of knownPorts(k, binding)) if (numbers.includes(known.number)) known[why] = true;
}

/** What the protocol knows of an active port other than the default port, which every binding knows. */
export function knowledgeOf(k: Kernel, binding: Binding, number: number): "told" | "refused" | "given up" | "untold" {
  const known = knownPorts(k, binding).find((each) => each.number === number);
  if (known === undefined) return "untold";
  if (known.isGivenUp) return "given up";
  return known.isRefused ? "refused" : "told";
}
