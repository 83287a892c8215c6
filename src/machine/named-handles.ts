/** Names that a scenario gives to handles and requests of its applications; memory keeps them as numbers. */
import type { Kernel } from "../kernel/kernel.ts";
import { struct, u32, type ViewOf } from "../kernel/struct.ts";

export const NamedHandle = struct("NamedHandle", { name: u32, process: u32, handle: u32 });
export type NamedHandle = ViewOf<typeof NamedHandle>;

/** A number that stands for the name; never 0. */
export function numberOfName(name: string): number {
  let hash = 0x811c_9dc5;
  for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 0x0100_0193) >>> 0;
  return hash === 0 ? 1 : hash;
}

export const namedHandle = (k: Kernel, name: string): NamedHandle | undefined =>
  k.objects.all(NamedHandle).find((each) => each.name === numberOfName(name));

export function nameHandle(k: Kernel, name: string, process: number, handle: number): void {
  const named = namedHandle(k, name) ?? k.objects.create(NamedHandle);
  named.name = numberOfName(name);
  named.process = process;
  named.handle = handle;
}
