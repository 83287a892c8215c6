/**
 * Which functions have to count the call depth, so that no chain of calls is without bound.
 *
 * Every cycle of calls either goes through a `call_indirect`, or is one of direct calls. So it is enough to count in the functions
 * that call indirectly and, of the others, in those that can reach themselves. Most functions of a driver need no counting.
 */
import { ByteReader } from "./wasm-bytes.ts";
import { type Instruction, opcode, readInstruction } from "./wasm-instructions.ts";
import type { WasmModule } from "./wasm-module.ts";

export function functionsThatCount(module: WasmModule): Set<number> {
  const counting = new Set<number>();
  const callees = new Map<number, Set<number>>();
  const instruction: Instruction = { start: 0, end: 0, code: 0, operand: 0 };
  for (const body of module.bodies) {
    const direct = new Set<number>();
    const reader = new ByteReader(module.bytes, body.codeStart, body.end);
    while (!reader.isAtEnd) {
      readInstruction(reader, instruction);
      if (instruction.code === opcode.callIndirect) counting.add(body.index);
      if (instruction.code === opcode.call && instruction.operand >= module.importedFunctions) direct.add(instruction.operand);
    }
    callees.set(body.index, direct);
  }
  for (const index of onCycles(callees, counting)) counting.add(index);
  return counting;
}

/** Functions in a cycle of direct calls that no function of `without` is part of: Tarjan's strongly connected components. */
function onCycles(callees: ReadonlyMap<number, ReadonlySet<number>>, without: ReadonlySet<number>): number[] {
  const found: number[] = [];
  const order = new Map<number, number>();
  const lowest = new Map<number, number>();
  const stack: number[] = [];
  const onStack = new Set<number>();
  const visit = (node: number): number => {
    const number = order.size;
    let low = number;
    order.set(node, number);
    stack.push(node);
    onStack.add(node);
    for (const callee of callees.get(node) ?? []) {
      if (without.has(callee)) continue;
      if (!order.has(callee)) low = Math.min(low, visit(callee));
      else if (onStack.has(callee)) low = Math.min(low, order.get(callee) ?? low);
    }
    lowest.set(node, low);
    if (low !== number) return low;
    const component = stack.splice(stack.indexOf(node));
    for (const member of component) onStack.delete(member);
    if (component.length > 1 || callees.get(node)?.has(node) === true) found.push(...component);
    return low;
  };
  for (const node of callees.keys()) {
    if (!without.has(node) && !order.has(node)) visit(node);
  }
  return found;
}
