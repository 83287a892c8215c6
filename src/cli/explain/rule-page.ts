/** A rule of the contract: what it asks, of whom, in which state, and what follows when it is broken. */
import { type Rule, nameOf } from "../contract-tables.ts";
import { errataAbout } from "./errata.ts";
import type { Knowledge } from "./knowledge.ts";
import { ownRules } from "./own-rules.ts";
import { type PageStyle, columns, heading, pages, prose, row, rowOf, section } from "./page.ts";

/** Rules about the same routines that are shown at most. */
const NEIGHBOURS = 6;

const modalities: Readonly<Record<string, string>> = {
  must: "must: breaking it is an error",
  "must-not": "must not: breaking it is an error",
  should: "should: breaking it is a warning",
  "should-not": "should not: breaking it is a warning",
  may: "may: a driver is free to, and is never accused of it",
  "ndis-guarantee": "what NDIS guarantees to drivers",
  "ndis-behaviour": "what NDIS does",
  inferred: "inferred: the pages imply it",
};

export function rulePage(rule: Rule, knowledge: Knowledge, style: PageStyle): string[] {
  const codes = [...(rule.result ?? []), ...(rule.verifierBugcheck ?? []).map(String)];
  const kind =
    rule.class === "ddi-compliance" ? "rule of Driver Verifier and Static Driver Verifier" : `rule about the ${rule.object}`;
  return [
    ...heading(rule.id, kind, style),
    ...prose(rule.statement, style),
    "",
    ...row("modality", modalities[rule.modality] ?? rule.modality, style),
    ...rowOf("drivers", rule.drivers, style),
    ...rowOf("in state", rule.preconditionStates, style),
    ...rowOf("asks for", rule.requiredCalls, style),
    ...rowOf("forbids", rule.forbiddenCalls, style),
    ...rowOf("Windows", codes, style),
    ...row("ndislab", watchedText(rule, knowledge), style),
    ...pages(rule.docPaths.length === 0 ? [rule.docPath] : rule.docPaths, style),
    ...section("Routines and handlers", functionRows(rule.functions, knowledge, style)),
    ...section("Rules about the same routines", neighbourRows(rule, knowledge, style)),
    ...section("Where the documentation is wrong or silent", notes([rule.id], style)),
  ];
}

/** A rule that has no entry in the contract. */
export function ownRulePage(id: string, knowledge: Knowledge, style: PageStyle): string[] {
  return [
    ...heading(id, "rule of ndislab's own, for what the contract has no id for", style),
    ...prose(ownRules[id] ?? "", style),
    "",
    ...row("ndislab", knowledge.watched.has(id) ? "watched" : "not watched by a rule of this name yet", style),
  ];
}

function watchedText({ id, modality, drivers }: Rule, { watched }: Knowledge): string {
  if (watched.has(id)) return "watched on every run";
  if (modality === "may") return "nothing to watch";
  if (drivers.length > 0 && drivers.every((driver) => driver === "ndis")) return "kept by ndislab itself, which is NDIS here";
  return "not watched yet";
}

function functionRows(functions: readonly string[], { ddis }: Knowledge, style: PageStyle): string[] {
  const rows = functions.map((name) => {
    const ddi = ddis.find((each) => each.name === name || nameOf(each) === name);
    return [
      name,
      ddi === undefined
        ? ""
        : `${ddi.kind === "callback" ? "handler" : ddi.kind === "macro" ? "macro" : "routine"}${ddi.irql === null ? "" : `, IRQL ${ddi.irql}`}`,
    ] as const;
  });
  return columns(rows, style);
}

function neighbourRows(rule: Rule, { rules }: Knowledge, style: PageStyle): string[] {
  const own = new Set(rule.functions);
  const shared = ({ functions }: Rule): number => functions.filter((name) => own.has(name)).length;
  const near = rules
    .filter((each) => each.id !== rule.id && each.object === rule.object && shared(each) > 0)
    .toSorted((a, b) => shared(b) - shared(a));
  return columns(
    near.slice(0, NEIGHBOURS).map(({ id, statement }) => [id, statement] as const),
    style,
  );
}

export function notes(names: readonly string[], style: PageStyle): string[] {
  return errataAbout(names).flatMap((note) => prose(note, { ...style, width: style.width - 2 }).map((line) => `  ${line}`));
}
