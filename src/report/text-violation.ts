/** One violation as a block of text: the rule, the line, what happened, the story that led to it. */
import { pageUrl } from "./page-url.ts";
import type { HistoryEntry, Location, ReportRelated, ReportViolation, StackFrame } from "./report.ts";
import { HISTORY_STEPS, type TextOptions } from "./text-options.ts";
import { clip, labelled, plural, printable, wrap } from "./wrap.ts";

const LABEL = 10;

export function violationText(violation: ReportViolation, options: TextOptions): string[] {
  const { colors, width } = options;
  const isError = violation.severity === "error";
  const tag = isError ? colors.red("error") : colors.yellow("warning");
  const count = violation.count > 1 ? colors.dim(`  in ${plural(violation.count, "run")}`) : "";
  const codes = violation.codes.join(", ");
  return [
    `${tag} ${colors.bold(printable(violation.rule))}${count}`,
    ...wrap(printable(violation.title), width - 2).map((line) => `  ${line}`),
    "",
    ...labelled("driver", printable(violation.driver), LABEL, width),
    ...(violation.location === undefined ? [] : labelled("at", placeAndFunction(violation.location, options), LABEL, width)),
    ...excerpt(violation.location, options),
    ...wrap(printable(violation.message), width - 2).map((line) => `  ${line}`),
    "",
    ...(codes === "" ? [] : labelled("Windows", printable(codes), LABEL, width)),
    ...(violation.page === "" ? [] : labelled("page", colors.underline(pageUrl(violation.page)), LABEL, width)),
    ...deviationsText(violation, options),
    ...(violation.related ?? []).flatMap((related) => relatedText(related, options)),
    ...historyText(violation, options),
    ...stackText("Stack", violation.stack, options),
    "",
    ...command("Replay:", options.againCommand(violation.scenario, violation.token), options),
    ...command("Explain:", `${options.tool} explain ${violation.rule}`, options),
  ];
}

function command(label: string, line: string, { colors }: TextOptions): string[] {
  return [`  ${label.padEnd(LABEL)}${colors.cyan(printable(line))}`];
}

function placeAndFunction(location: Location, { shownPath }: TextOptions): string {
  const inFunction = location.function === "" ? "" : `, in ${location.function}`;
  return printable(`${shownPath(location.file)}:${location.line}${inFunction}`);
}

/** The line, with one before and one after; nothing when the file cannot be read. */
function excerpt(location: Location | undefined, { colors, width, readLine }: TextOptions): string[] {
  if (location === undefined) return [""];
  const numbers = [location.line - 1, location.line, location.line + 1].filter((number) => number > 0);
  const digits = String(location.line + 1).length;
  const lines = numbers.flatMap((number) => {
    const text = readLine(location.file, number);
    if (text === undefined) return [];
    const isTheLine = number === location.line;
    const code = clip(printable(text.replaceAll("\t", "    ").trimEnd()), width - digits - 9);
    const line = `    ${isTheLine ? ">" : " "} ${String(number).padStart(digits)} | ${code}`.trimEnd();
    return [isTheLine ? colors.bold(line) : colors.dim(line)];
  });
  return lines.length === 0 ? [""] : ["", ...lines, ""];
}

/** What is to be done to see it. */
function deviationsText({ deviations }: ReportViolation, { width }: TextOptions): string[] {
  if (deviations === undefined) return [];
  if (deviations.length === 0) return ["", "  It happens when nobody interferes."];
  const lines = deviations.flatMap((text, index) => wrap(`${index + 1}. ${printable(text)}`, width - 4).map((line) => `    ${line}`));
  return ["", "  What was different from a run in which nobody interferes:", ...lines];
}

/** Told thread by thread: a heading wherever another thread goes on. */
function historyText({ history, scenario, answers }: ReportViolation, { colors, width }: TextOptions): string[] {
  if (history.length === 0) return [];
  const shown = history.slice(-HISTORY_STEPS);
  const how = answers === "" ? "" : `, ${answers}`;
  const which = shown.length < history.length ? `, the last ${shown.length} of ${history.length} steps` : "";
  const digits = Math.max(...shown.map(({ step }) => String(step).length));
  const threadsTold = new Set(shown.map(({ thread }) => thread)).size;
  const lines = shown.flatMap((entry, index) => {
    const isNewThread = threadsTold > 1 && entry.thread !== shown[index - 1]?.thread;
    return [
      ...(isNewThread ? [`    ${colors.magenta(`thread ${entry.thread}`)}`] : []),
      historyLine(entry, digits, width, colors),
    ];
  });
  return [
    "",
    ...wrap(printable(`What led to it (scenario '${scenario}'${how}${which})`), width - 2).map((line) => `  ${line}`),
    ...lines,
  ];
}

function historyLine(
  { step, text, location }: HistoryEntry,
  digits: number,
  width: number,
  colors: TextOptions["colors"],
): string {
  const place = location === undefined ? "" : printable(`${baseName(location.file)}:${location.line}`);
  const room = width - digits - 8 - (place === "" ? 0 : place.length + 2);
  const told = clip(printable(text.replaceAll("\n", " ")), room);
  return `    ${colors.dim(String(step).padStart(digits))}  ${told}${place === "" ? "" : `  ${colors.dim(place)}`}`;
}

/** "allocated in MiniportInitializeEx, when adapter 0 starts", with the stack. */
function relatedText({ what, handler, during, step, thread, stack }: ReportRelated, options: TextOptions): string[] {
  const where = handler === undefined ? "" : ` in ${handler}`;
  const on = thread === undefined || thread === 0 ? "" : `, thread ${thread}`;
  const when = step === undefined ? "" : `, step ${step}`;
  const phase = during === undefined ? "" : ` (${during})`;
  const heading = printable(`${what.charAt(0).toUpperCase()}${what.slice(1)}${where}${on}${when}${phase}`);
  if (stack.length > 0) return stackText(heading, stack, options);
  return ["", ...wrap(heading, options.width - 2).map((line) => `  ${line}`)];
}

function stackText(heading: string, stack: readonly StackFrame[], { colors, width }: TextOptions): string[] {
  if (stack.length === 0) return [];
  const nameWidth = Math.max(...stack.map(({ name }) => name.length));
  const lines = stack.map(({ name, kind, location }) => {
    const shown = printable(name.padEnd(location === undefined ? 0 : nameWidth));
    const place = location === undefined ? "" : `  ${printable(`${baseName(location.file)}:${location.line}`)}`;
    return `    ${kind === "driver" ? shown : colors.dim(kind === "step" ? `(${shown})` : shown)}${colors.dim(place)}`;
  });
  return ["", ...wrap(`${heading}, innermost first`, width - 2).map((line) => `  ${line}`), ...lines];
}

function baseName(file: string): string {
  return file.slice(Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
}
