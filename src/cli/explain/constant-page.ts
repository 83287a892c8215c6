/** A constant of the headers: a status, an OID, a flag. */
import type { Constant } from "../contract-tables.ts";
import { type Knowledge, shortList } from "./knowledge.ts";
import { type PageStyle, columns, heading, row, rowOf, section } from "./page.ts";
import { notes } from "./rule-page.ts";
import { hex } from "./values.ts";

const groups: Readonly<Record<string, string>> = {
  NDIS_STATUS: "status of NDIS",
  NTSTATUS: "status of Windows",
  BUGCHECK: "bug check",
  OID: "OID",
  ENUM: "enumerator",
};

/** Rules that are shown at most. */
const MOST = 16;

export function constantPage(constant: Constant, knowledge: Knowledge, style: PageStyle): string[] {
  const { name, group, value, minNdis } = constant;
  const mentions = new RegExp(`\\b${name}\\b`);
  const rules = knowledge.rules.filter(
    ({ result, statement }) => mentions.test(statement) || (result ?? []).some((each) => mentions.test(each)),
  );
  const returnedBy = knowledge.ddis.filter(({ returns }) => returns?.includes(name) === true);
  const sameValue = group.endsWith("STATUS")
    ? knowledge.constants.filter((other) => other.group.endsWith("STATUS") && other.value === value && other.name !== name)
    : [];
  return [
    ...heading(name, groups[group] ?? `constant (${group.toLowerCase().replaceAll("_", " ")})`, style),
    ...row("value", `${hex(value)}${group === "OID" ? "" : ` (${value})`}`, style),
    ...row("means", group.endsWith("STATUS") ? severity(Number(value)) : undefined, style),
    ...row("since", minNdis === undefined ? undefined : `NDIS ${minNdis}`, style),
    ...rowOf(
      "same as",
      sameValue.map((other) => other.name),
      style,
    ),
    ...rowOf("returned by", shortList(returnedBy, knowledge), style),
    ...section(
      "Rules",
      columns(
        rules.slice(0, MOST).map((rule) => [rule.id, rule.statement] as const),
        style,
      ),
    ),
    ...section("Where the documentation is wrong or silent", notes([name], style)),
  ];
}

/** The two highest bits of a status. */
function severity(value: number): string {
  return (
    ["success: NT_SUCCESS is true", "information: NT_SUCCESS is true", "a warning: NT_SUCCESS is false", "an error"][
      value >>> 30
    ] ?? ""
  );
}
