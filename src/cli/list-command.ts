/** `ndislab list rules|ddis|scenarios|strategies`: what there is, and what of it works already. One a line, for the eye and for grep. */
import { clip, groupBy, plural } from "../report/index.ts";
import { nameOf } from "./contract-tables.ts";
import type { Knowledge } from "./explain/knowledge.ts";
import { ownRules } from "./explain/own-rules.ts";
import { type ExitCode, type World, colorsOf, widthOf } from "./world.ts";

export const listings = ["rules", "ddis", "scenarios", "strategies"] as const;
export type Listing = (typeof listings)[number];

interface Item {
  readonly name: string;
  readonly text: string;
  /** Whether it works already; undefined: the question does not arise. */
  readonly isThere?: boolean;
  readonly group?: string;
}

interface List {
  readonly items: readonly Item[];
  /** The last line. */
  readonly summary: string;
}

/** Strategies of `explore`. */
const EXPLORING = [
  ["search", "Every pick in every state, few preemptions and failures first; states that are equal are one."],
  ["pos", "Each step that could come next has a random priority, drawn anew for the next one."],
  ["pct", "Each thread has a random priority; at a few random moments the highest becomes the lowest."],
  ["urw", "Who has more steps to come is more likely to go on, so that all interleavings are about as likely."],
  ["walk", "Whoever could go on, each as likely as the others."],
] as const;

/** How a run goes where it could go several ways: who runs next, and how NDIS and the counterparts answer. */
function strategies({ answers }: Knowledge): Item[] {
  return [
    {
      name: "first-come",
      text: "The thread that has been ready longest runs until it waits: in every run of check.",
      group: "schedule",
    },
    ...answers.map((name) => ({ name, text: "How NDIS and the counterparts answer.", group: "answers" })),
    { name: "late: CHOICE", text: "One kind of answer comes late, all others at once.", group: "answers" },
    { name: "late: all but CHOICE", text: "One kind of answer comes at once, all others late.", group: "answers" },
    ...EXPLORING.map(([name, text]) => ({ name, text, group: "explore" })),
  ];
}

/** `word`: only names that contain it. */
export async function list(what: Listing, word: string | undefined, world: World): Promise<ExitCode> {
  const { items, summary } = listOf(what, await world.knowledge());
  const wanted = word?.toLowerCase() ?? "";
  const shown = items.filter(({ name, group }) => name.toLowerCase().includes(wanted) || group?.toLowerCase() === wanted);
  world.out.write(`${[...linesOf(shown, world), ...(word === undefined ? [summary] : [])].join("\n")}\n`);
  if (word === undefined) return 0;
  world.err.write(`${plural(shown.length, "name")} of ${items.length}\n`);
  return shown.length === 0 ? 1 : 0;
}

function listOf(what: Listing, knowledge: Knowledge): List {
  switch (what) {
    case "rules":
      return ruleList(knowledge);
    case "ddis":
      return routineList(knowledge);
    case "scenarios": {
      const items = knowledge.scenarios.map(({ name, summary }) => ({ name, text: summary }));
      return { items, summary: `${plural(items.length, "scenario")}; --scenario GLOB picks some of them` };
    }
    case "strategies":
      return { items: strategies(knowledge), summary: "check uses those of schedule and answers, explore the others" };
    default:
      return what satisfies never;
  }
}

/** Rules for drivers: what NDIS does and guarantees is no rule that a driver could break. */
function ruleList({ rules, watched, coverage: { enforced, proven } }: Knowledge): List {
  const forDrivers = rules.filter(
    (rule) => rule.class !== "bugcheck" && ["must", "must-not", "should", "should-not"].includes(rule.modality),
  );
  const ofContract = forDrivers.filter(({ id, drivers }) => watched.has(id) || drivers.some((driver) => driver !== "ndis"));
  const own = Object.entries(ownRules).map(([id, text]) => ({
    name: id,
    text,
    isThere: watched.has(id),
    group: "ndislab's own",
  }));
  const items = [
    ...ofContract.map(({ id, statement, object, class: kind }) => ({
      name: id,
      text: statement,
      isThere: watched.has(id),
      group: kind === "ddi-compliance" ? "Driver Verifier" : object,
    })),
    ...own,
  ];
  const watchedCount = items.filter(({ isThere }) => isThere).length;
  const [enforcedCount, provenCount] = [Object.keys(enforced).length, Object.keys(proven).length];
  return {
    items,
    summary:
      `Of all ${rules.length} entries of the contract ${enforcedCount} are enforced and ${provenCount} proven\n` +
      `by a test that fails without them; docs/coverage.md has the others.\n${watchedCount} of ${items.length} rules are watched (✓)`,
  };
}

function routineList({ ddis, implemented, called }: Knowledge): List {
  const known = ddis.filter(({ legacyNdis5Only, kind }) => legacyNdis5Only !== true && kind !== "macro");
  const items = known.map((ddi) => ({
    name: nameOf(ddi),
    text: `${ddi.kind === "callback" ? "handler" : "routine"}${ddi.irql === null ? "" : `, IRQL ${ddi.irql}`}`,
    isThere: ddi.kind === "callback" ? called.has(nameOf(ddi)) : implemented.has(ddi.name),
    group: ddi.header,
  }));
  return {
    items,
    summary: `${items.filter(({ isThere }) => isThere).length} of ${items.length} routines and handlers are there (✓)`,
  };
}

/** Lines are cut to the width on a terminal only. */
function linesOf(items: readonly Item[], world: World): string[] {
  const colors = colorsOf(world.out, world);
  const width = world.out.isTerminal ? widthOf(world.out) : Number.POSITIVE_INFINITY;
  const nameWidth = Math.max(0, ...items.map(({ name }) => name.length));
  return [...groupBy(items, ({ group }) => group ?? "")].flatMap(([group, ofGroup]) => [
    ...(group === "" ? [] : [colors.bold(group)]),
    ...ofGroup.map(({ name, text, isThere }) => {
      const mark = isThere === undefined ? "" : isThere ? `${colors.green("✓")} ` : `${colors.dim("·")} `;
      const shownName = isThere === false ? colors.dim(name.padEnd(nameWidth)) : name.padEnd(nameWidth);
      return `${group === "" ? "" : "  "}${mark}${shownName}  ${colors.dim(clip(text, width - nameWidth - 6))}`;
    }),
    ...(group === "" ? [] : [""]),
  ]);
}
