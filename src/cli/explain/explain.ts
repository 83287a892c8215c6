/** What is known under a name, whatever kind of name it is. */
import { type Constant, nameOf } from "../contract-tables.ts";
import { bugCheckPage, bugChecksNamed } from "./bug-check-page.ts";
import { closest } from "./closest.ts";
import { constantPage } from "./constant-page.ts";
import type { Knowledge } from "./knowledge.ts";
import { objectNames, objectPage } from "./object-page.ts";
import { ownRules } from "./own-rules.ts";
import type { PageStyle } from "./page.ts";
import { routinePage } from "./routine-page.ts";
import { ownRulePage, rulePage } from "./rule-page.ts";
import { structurePage } from "./structure-page.ts";
import { numberTyped } from "./values.ts";

/** Of a number: a value such as 0 is that of hundreds of constants, and only statuses, OIDs and bug checks are looked up by value. */
const BY_VALUE: ReadonlySet<string> = new Set(["NDIS_STATUS", "NTSTATUS", "OID", "BUGCHECK"]);

/** All pages under that name, a blank line between two; empty: the name is unknown. Capitals do not matter. */
export function explain(typed: string, knowledge: Knowledge, style: PageStyle): string[] {
  const number = numberTyped(typed);
  const found = number === undefined ? byName(typed, knowledge, style) : byNumber(typed, number, knowledge, style);
  return found.filter((page) => page.length > 0).flatMap((page, index) => (index === 0 ? page : ["", ...page]));
}

function byName(typed: string, knowledge: Knowledge, style: PageStyle): string[][] {
  const wanted = typed.toLowerCase();
  const is = (name: string | undefined): boolean => name?.toLowerCase() === wanted;
  const rules = knowledge.rules.filter(({ id, class: kind }) => is(id) && kind !== "bugcheck");
  return [
    ...rules.map((rule) => rulePage(rule, knowledge, style)),
    ...(rules.length === 0 && Object.hasOwn(ownRules, wanted) ? [ownRulePage(wanted, knowledge, style)] : []),
    ...knowledge.ddis.filter((ddi) => is(ddi.name) || is(nameOf(ddi))).map((ddi) => routinePage(ddi, knowledge, style)),
    ...knowledge.structures
      .filter(({ name, aliases, pointerTypes }) => [name, ...aliases, ...pointerTypes].some(is))
      .map((structure) => structurePage(structure, knowledge, style)),
    ...constantsAndBugChecks(({ name }) => is(name), typed, knowledge, style),
    objectPage(typed, knowledge, style),
  ];
}

function byNumber(typed: string, number: number, knowledge: Knowledge, style: PageStyle): string[][] {
  return constantsAndBugChecks(
    ({ group, value }) => BY_VALUE.has(group) && Number(value) >>> 0 === number,
    typed,
    knowledge,
    style,
  );
}

/** The page of a bug check takes the place of its constant's. */
function constantsAndBugChecks(
  isMeant: (constant: Constant) => boolean,
  typed: string,
  knowledge: Knowledge,
  style: PageStyle,
): string[][] {
  const bugChecks = bugChecksNamed(typed, knowledge);
  const constants = knowledge.constants.filter((each) => isMeant(each) && (each.group !== "BUGCHECK" || bugChecks.length === 0));
  return [...constants.map((constant) => constantPage(constant, knowledge, style)), bugCheckPage(bugChecks, knowledge, style)];
}

/** Names near to what was typed, for an answer to an unknown name. */
export function suggestions(typed: string, knowledge: Knowledge): string[] {
  return closest(typed, [
    ...knowledge.rules.map(({ id }) => id),
    ...Object.keys(ownRules),
    ...knowledge.ddis.map(nameOf),
    ...knowledge.constants.map(({ name }) => name),
    ...knowledge.structures.map(({ name }) => name),
    ...objectNames(knowledge),
  ]);
}
