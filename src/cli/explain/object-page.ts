/** An object of the contract: its states, how it goes from one to the other, and the rules about it. */
import type { StateMachine } from "../contract-tables.ts";
import type { Knowledge } from "./knowledge.ts";
import { type PageStyle, columns, heading, pages, row, section } from "./page.ts";
import { notes } from "./rule-page.ts";

/** What the rules call the objects whose machines have longer names, and what people say. */
const objectsOf: Readonly<Record<string, readonly string[]>> = {
  "miniport-adapter": ["miniport-adapter", "adapter", "miniport"],
  "filter-module": ["filter-module", "filter", "module"],
  "protocol-binding": ["binding"],
  "close-operation": ["close"],
  "unbind-operation": ["unbind"],
  "ndis-port": ["port"],
  "oid-request": ["oid"],
  "selective-suspend-idle-notification": ["selective-suspend"],
};

/** The state machines, and the objects that have rules but no machine. */
export function objectNames({ machines, rules }: Knowledge): string[] {
  const ofRules = rules.filter((rule) => rule.class === "contract").map(({ object }) => object);
  return [...new Set([...machines.flatMap(({ object }) => [object, ...(objectsOf[object] ?? [])]), ...ofRules])];
}

export function objectPage(typed: string, knowledge: Knowledge, style: PageStyle): string[] {
  const wanted = typed.toLowerCase().replaceAll(" ", "-");
  const machine = knowledge.machines.find(({ object }) => object === wanted || objectsOf[object]?.includes(wanted) === true);
  const names = machine === undefined ? [wanted] : [machine.object, ...(objectsOf[machine.object] ?? [])];
  const rules = knowledge.rules.filter((rule) => rule.class === "contract" && names.includes(rule.object));
  if (machine === undefined && rules.length === 0) return [];
  return [
    ...heading(machine?.object ?? wanted, machine === undefined ? "what rules are about" : "state machine", style),
    ...(machine === undefined ? [] : machineRows(machine, style)),
    ...section(
      "Rules",
      columns(
        rules.map(({ id, statement }) => [id, statement] as const),
        style,
      ),
    ),
    ...section("Where the documentation is wrong or silent", notes(names, style)),
  ];
}

function machineRows({ states, initial, transitions, operations, docs }: StateMachine, style: PageStyle): string[] {
  const moves = transitions.map(({ from, to, event, by, note }) => {
    const remark = note === undefined ? "" : ` (${note})`;
    return [`${from} → ${to}`, `${event}; by the ${by === "ndis" ? "NDIS library" : by}${remark}`] as const;
  });
  const allowed = Object.entries(operations ?? {}).map(([state, each]) => {
    const may = (each.allowed ?? []).join(", ");
    const mayNot = (each.forbidden ?? []).join(", ");
    return [state, [may, mayNot === "" ? "" : `not: ${mayNot}`].filter((text) => text !== "").join("; ")] as const;
  });
  return [
    ...row("states", states.join(", "), style),
    ...row("begins as", initial, style),
    ...pages(docs, style),
    ...section("Transitions", columns(moves, style)),
    ...section("What may be done in which state", columns(allowed, style)),
  ];
}
