/** Finds in binaryen's tree of a function the instructions that `kindOf` finds in its bytes, in the same order. */
import type { InstructionKind } from "./wasm-instructions.ts";

export type Binaryen = typeof import("binaryen")["default"];

/** An expression of binaryen: an address in its heap; 0 is none. */
type Expression = number;
type Accessor = (expression: Expression) => Expression | readonly Expression[];

export interface MarkedExpression {
  readonly kind: InstructionKind;
  readonly expression: Expression;
}

/** What gives the operands of an expression, in the order of their evaluation. Those that are not named here have none. */
const OPERANDS: Readonly<Record<string, readonly string[]>> = {
  Block: ["getChildren"],
  If: ["getCondition", "getIfTrue", "getIfFalse"],
  Loop: ["getBody"],
  Break: ["getValue", "getCondition"],
  Switch: ["getValue", "getCondition"],
  Call: ["getOperands"],
  CallIndirect: ["getOperands", "getTarget"],
  LocalSet: ["getValue"],
  GlobalSet: ["getValue"],
  Load: ["getPtr"],
  Store: ["getPtr", "getValue"],
  Unary: ["getValue"],
  Binary: ["getLeft", "getRight"],
  Select: ["getIfTrue", "getIfFalse", "getCondition"],
  Drop: ["getValue"],
  Return: ["getValue"],
  MemoryCopy: ["getDest", "getSource", "getSize"],
  MemoryFill: ["getDest", "getValue", "getSize"],
};

const KINDS: Readonly<Record<string, InstructionKind>> = {
  Call: "call",
  CallIndirect: "call_indirect",
  Load: "load",
  Store: "store",
  Unreachable: "unreachable",
  MemoryCopy: "bulk",
  MemoryFill: "bulk",
};

const DIVISIONS = ["DivSInt32", "DivUInt32", "RemSInt32", "RemUInt32", "DivSInt64", "DivUInt64", "RemSInt64", "RemUInt64"];

/** Gives the marked expressions of a function's body. */
export function createWalker(binaryen: Binaryen): (body: Expression) => MarkedExpression[] {
  // The type of the package leaves these out.
  const api = binaryen as unknown as Readonly<Record<string, Readonly<Record<string, Accessor>> & number>> & {
    readonly ExpressionIds: Readonly<Record<string, number>>;
  };
  const ids = api.ExpressionIds;
  const accessors: Accessor[][] = [];
  for (const [name, getters] of Object.entries(OPERANDS)) {
    accessors[ids[name] ?? -1] = getters.flatMap((getter) => api[name]?.[getter] ?? []);
  }
  const kinds: InstructionKind[] = [];
  for (const [name, kind] of Object.entries(KINDS)) kinds[ids[name] ?? -1] = kind;
  const divisions = new Set<number>(DIVISIONS.map((name) => Number(api[name])));
  const operationOf = api["Binary"]?.["getOp"];

  return (body) => {
    const found: MarkedExpression[] = [];
    const visit = (expression: Expression): void => {
      const id: number = binaryen.getExpressionId(expression);
      for (const get of accessors[id] ?? []) {
        const operand = get(expression);
        if (typeof operand !== "number") operand.forEach(visit);
        else if (operand !== 0) visit(operand);
      }
      const isDivision = id === ids["Binary"] && divisions.has(Number(operationOf?.(expression)));
      const kind = isDivision ? "divide" : kinds[id];
      if (kind !== undefined) found.push({ kind, expression });
    };
    if (body !== 0) visit(body);
    return found;
  };
}
