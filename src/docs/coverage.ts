/** docs/coverage.md: of every entry of the contract, whether it is enforced or proven, by which test, or why not. */
import type { Coverage, Rule } from "../contract/index.ts";
import { groupBy } from "../report/index.ts";
import { isDuty, outsideOf, reasonFor } from "./reasons.ts";

type Standing = "enforced" | "proven" | "not covered";

export function standingOf({ id }: Rule, { enforced, proven }: Coverage): Standing {
  if (id in enforced) return "enforced";
  return id in proven ? "proven" : "not covered";
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

function totals(name: string, rules: readonly Rule[], coverage: Coverage): string {
  const count = (standing: Standing): number => rules.filter((rule) => standingOf(rule, coverage) === standing).length;
  const [enforced, proven] = [count("enforced"), count("proven")];
  const share = rules.length === 0 ? 100 : Math.floor(((enforced + proven) * 100) / rules.length);
  return `| ${name} | ${rules.length} | ${enforced} | ${proven} | ${rules.length - enforced - proven} | ${share} % |`;
}

function section(object: string, rules: readonly Rule[], coverage: Coverage): string[] {
  return [
    `## ${object}`,
    "",
    "| entry | kind | | by, or why not |",
    "|---|---|---|---|",
    ...rules.map((rule) => {
      const standing = standingOf(rule, coverage);
      const by = coverage.enforced[rule.id] ?? coverage.proven[rule.id] ?? reasonFor(rule);
      return `| \`${rule.id}\` | ${rule.modality ?? rule.class} | ${standing} | ${cell(by)} |`;
    }),
    "",
  ];
}

export function coveragePage(rules: readonly Rule[], coverage: Coverage): string {
  const byObject = groupBy(rules, ({ object, class: kind }) => (kind === "contract" ? object : kind));
  const inScope = rules.filter((rule) => outsideOf(rule) === undefined);
  return [
    "# Coverage",
    "",
    "Of every entry of the contract (`src/contract/data/rules.json`): **enforced**, if a test fails when the check is switched off;",
    "**proven**, if a test fails when the behaviour is changed; or why it is neither. Written by `npm run mutants`, which tries all of them.",
    "",
    "| | entries | enforced | proven | not covered | covered |",
    "|---|---|---|---|---|---|",
    totals("all", rules, coverage),
    totals(
      "`binding` and `port`",
      rules.filter(({ object }) => object === "binding" || object === "port"),
      coverage,
    ),
    totals("must and must-not that are not about what is outside", inScope.filter(isDuty), coverage),
    ...[...byObject].map(([object, ofObject]) => totals(object, ofObject, coverage)),
    "",
    ...[...byObject].flatMap(([object, ofObject]) => section(object, ofObject, coverage)),
  ].join("\n");
}
