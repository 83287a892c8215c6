/** A documented routine or handler: how it is called, from which IRQL, by whom, what it returns, and the rules about it. */
import { type Ddi, nameOf } from "../contract-tables.ts";
import type { Knowledge } from "./knowledge.ts";
import { type PageStyle, columns, heading, pages, row, rowOf, section } from "./page.ts";
import { notes } from "./rule-page.ts";

export function routinePage(ddi: Ddi, knowledge: Knowledge, style: PageStyle): string[] {
  const name = nameOf(ddi);
  const about = knowledge.rules.filter(({ functions }) => functions.includes(name) || functions.includes(ddi.name));
  return [
    ...heading(name, `${kindText(ddi)}, ${ddi.header}`, style),
    ...signature(ddi),
    "",
    ...row("IRQL", irqlText(ddi), style),
    ...rowOf("drivers", ddi.roles, style),
    ...row("since", ddi.minNdis === undefined || ddi.minNdis === null ? undefined : `NDIS ${ddi.minNdis}`, style),
    ...rowOf("returns", ddi.returns, style),
    ...row("result", ddi.mustInspectResult === true ? "must be looked at" : undefined, style),
    ...row("type", name === ddi.name ? undefined : ddi.name, style),
    ...row("ndislab", implementedText(ddi, knowledge), style),
    ...pages([ddi.docPath], style),
    ...section(
      "Rules",
      columns(
        about.map(({ id, statement }) => [id, statement] as const),
        style,
      ),
    ),
    ...section("Where the documentation is wrong or silent", notes([name, ddi.name], style)),
  ];
}

function kindText({ kind, legacyNdis5Only }: Ddi): string {
  const what = kind === "callback" ? "handler of a driver" : kind === "macro" ? "macro" : "routine";
  return legacyNdis5Only === true ? `${what} of NDIS 5` : what;
}

function signature(ddi: Ddi): string[] {
  const result = ddi.returnType ?? (ddi.kind === "macro" ? "#define" : "void");
  if (ddi.params.length === 0) return [`  ${result} ${nameOf(ddi)}(${ddi.kind === "macro" ? "" : "void"})`];
  const typeWidth = Math.max(...ddi.params.map(({ type }) => type?.length ?? 0));
  const lines = ddi.params.map(({ name, type, direction }, index) => {
    const comma = index === ddi.params.length - 1 ? "" : ",";
    const typed = typeWidth === 0 ? "" : `${(type ?? "").padEnd(typeWidth)} `;
    const way = direction === null || direction === "in" ? "" : `   // ${direction}`;
    return `      ${typed}${name}${comma}${way}`;
  });
  return [`  ${result} ${nameOf(ddi)}(`, ...lines, "  )"];
}

function irqlText({ irql }: Ddi): string | undefined {
  if (irql === null) return undefined;
  return irql === "see-remarks" ? "depends on the arguments: see the page" : irql;
}

function implementedText(ddi: Ddi, { implemented, called }: Knowledge): string | undefined {
  if (ddi.kind === "callback") return called.has(nameOf(ddi)) ? "called" : "not called yet";
  if (ddi.kind === "macro") return implemented.has(ddi.name) ? "implemented" : undefined;
  return implemented.has(ddi.name) ? "implemented" : "not implemented yet: a driver that imports it runs until it calls it";
}
