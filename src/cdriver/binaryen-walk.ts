/** Finds in binaryen's tree of a function the instructions that `kindOf` finds in its bytes, in the same order. */
import type { InstructionKind } from "./wasm-instructions.ts";

export type Binaryen = typeof import("binaryen")["default"];

/** An expression of binaryen: an address in its heap; 0 is none. */
type Expression = number;

export interface MarkedExpression {
  readonly kind: InstructionKind;
  readonly expression: Expression;
}

/** Operands in the order of their evaluation; `if` is the exception. */
const OPERANDS = [
  "children",
  "operands",
  "ptr",
  "dest",
  "value",
  "source",
  "size",
  "left",
  "right",
  "body",
  "ifTrue",
  "ifFalse",
  "condition",
  "target",
];
const IF_OPERANDS = ["condition", "ifTrue", "ifFalse"];

export function collectMarked(binaryen: Binaryen, body: Expression): MarkedExpression[] {
  const found: MarkedExpression[] = [];
  const kinds = kindsById(binaryen);
  const divisions = new Set<number>(
    [
      ...[binaryen.DivSInt32, binaryen.DivUInt32, binaryen.RemSInt32, binaryen.RemUInt32],
      ...[binaryen.DivSInt64, binaryen.DivUInt64, binaryen.RemSInt64, binaryen.RemUInt64],
    ].map(Number),
  );
  const ids = expressionIds(binaryen);
  const visit = (expression: Expression): void => {
    const id: number = binaryen.getExpressionId(expression);
    if (id === ids.Const || id === ids.LocalGet || id === ids.GlobalGet || id === ids.Nop) return;
    if (id === ids.Unreachable) {
      found.push({ kind: "unreachable", expression });
      return;
    }
    const info: Readonly<Record<string, unknown>> = { ...binaryen.getExpressionInfo(expression) };
    for (const name of id === ids.If ? IF_OPERANDS : OPERANDS) {
      const operand = info[name];
      if (typeof operand === "number") {
        if (operand !== 0) visit(operand);
      } else if (Array.isArray(operand)) {
        for (const each of operand as readonly Expression[]) visit(each);
      }
    }
    const kind = id === ids.Binary ? (divisions.has(Number(info["op"])) ? "divide" : undefined) : kinds.get(id);
    if (kind !== undefined) found.push({ kind, expression });
  };
  if (body !== 0) visit(body);
  return found;
}

/** The type declares them as constants of the compiler; they are an object. */
function expressionIds(binaryen: Binaryen) {
  return binaryen["ExpressionIds" as keyof Binaryen] as unknown as Readonly<Record<ExpressionName, number>>;
}

type ExpressionName =
  | "Const"
  | "LocalGet"
  | "GlobalGet"
  | "Nop"
  | "Unreachable"
  | "If"
  | "Binary"
  | "Call"
  | "CallIndirect"
  | "Load"
  | "Store"
  | "MemoryCopy"
  | "MemoryFill";

function kindsById(binaryen: Binaryen): Map<number, InstructionKind> {
  const ids = expressionIds(binaryen);
  return new Map<number, InstructionKind>([
    [ids.Call, "call"],
    [ids.CallIndirect, "call_indirect"],
    [ids.Load, "load"],
    [ids.Store, "store"],
    [ids.MemoryCopy, "bulk"],
    [ids.MemoryFill, "bulk"],
  ]);
}
