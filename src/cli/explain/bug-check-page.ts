/** The bug checks by which Windows itself punishes a broken contract. */
import type { Rule } from "../contract-tables.ts";
import type { Knowledge } from "./knowledge.ts";
import { type PageStyle, columns, heading, pages, prose, row, section } from "./page.ts";

/** The tables name only what the first parameter of these says. */
const names: Readonly<Record<string, string>> = {
  "0x7C": "BUGCODE_NDIS_DRIVER",
  "0x15E": "BUGCODE_NDIS_DRIVER_LIVE_DUMP",
};

/** "0x7c", "7C", "0x7C/0x25", "0x0000007C", or a constant's name: its entries; none: it is no bug check. */
export function bugChecksNamed(typed: string, { rules }: Knowledge): Rule[] {
  const all = rules.filter((rule) => rule.class === "bugcheck");
  const [code, parameter] = typed.split("/").map(normal);
  const byCode = all.filter(
    (rule) => normal(rule.code ?? "") === code && (parameter === undefined || normal(rule.parameter1 ?? "") === parameter),
  );
  if (byCode.length > 0) return byCode;
  return all.filter(({ id, name, code: own }) =>
    [id, name, names[own ?? ""]].some((each) => each?.toLowerCase() === typed.toLowerCase()),
  );
}

/** The code in capitals without 0x and leading zeros; what is no hexadecimal number stays what it is. */
const normal = (text: string): string => (/^(0x)?0*[0-9a-f]+$/i.test(text) ? text.toUpperCase().replace(/^(0X)?0*/, "") : text);

export function bugCheckPage(found: readonly Rule[], knowledge: Knowledge, style: PageStyle): string[] {
  const [first] = found;
  if (first === undefined) return [];
  const code = first.code ?? "";
  return found.length === 1 ? onePage(first, knowledge, style) : allPage(code, found, style);
}

/** Its constant; some have none. */
const nameOfBugCheck = ({ name }: Rule, otherwise: string): string => ((name ?? "") === "" ? otherwise : String(name));

const prefixed = (name: string): string => (name === "" ? "" : `${name}: `);

/** What the second parameter may be: the table keeps a value and a name of each. */
function subcodesOf({ subcodes }: Rule): (readonly [value: string, name: string])[] {
  if (!Array.isArray(subcodes)) return [];
  return subcodes.map(({ value, name }: { value?: unknown; name?: unknown }) => [String(value), String(name)] as const);
}

function onePage(rule: Rule, knowledge: Knowledge, style: PageStyle): string[] {
  const where = `${rule.code ?? ""}/${rule.parameter1 ?? ""}`;
  const causes = knowledge.rules.filter((each) =>
    [...(each.result ?? []), ...(each.verifierBugcheck ?? []).map(String)].some((text) =>
      text.toUpperCase().includes(where.toUpperCase()),
    ),
  );
  return [
    ...heading(nameOfBugCheck(rule, where), `bug check ${rule.code}, first parameter ${rule.parameter1}`, style),
    ...prose(rule.statement, style),
    "",
    ...pages([rule.docPath], style),
    ...section("Second parameter", columns(subcodesOf(rule), style)),
    ...section(
      "Rules whose breach ends in it",
      columns(
        causes.map(({ id, statement }) => [id, statement] as const),
        style,
      ),
    ),
  ];
}

function allPage(code: string, found: readonly Rule[], style: PageStyle): string[] {
  const rows = found.map((rule) => [rule.parameter1 ?? "", `${prefixed(nameOfBugCheck(rule, ""))}${rule.statement}`] as const);
  return [
    ...heading(`${code} ${names[code] ?? ""}`.trim(), "bug check", style),
    ...row("one of them", `ndislab explain ${code}/${found.at(-1)?.parameter1 ?? ""}`, style),
    ...pages([found[0]?.docPath ?? null], style),
    ...section("First parameter", columns(rows, style)),
  ];
}
