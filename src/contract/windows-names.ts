/** What Windows has for the breach of a rule: a bug check with its name, a status, a rule of Driver Verifier. */
import { type Rule, rules } from "./tables.ts";

const digits = (text = ""): string => text.toUpperCase().replace(/^(0X)?0*/, "");

/** "0x7C/0x25 NDIS_BUGCHECK_WATCHDOG, NDIS_BUGCHECK_WATCHDOG_MINIPORT_OID"; undefined: the tables have no such bug check. */
function bugCheck(code: string, parameter: string, second: string | undefined): string | undefined {
  const entry = rules().find(
    (each) => each.class === "bugcheck" && digits(each.code) === digits(code) && digits(each.parameter1) === digits(parameter),
  );
  if (entry === undefined) return undefined;
  const subcodes = Array.isArray(entry.subcodes) ? (entry.subcodes as { value: string; name: string }[]) : [];
  const subcode = subcodes.find(({ value }) => second !== undefined && digits(value) === digits(second));
  const name = `${entry.code}/${entry.parameter1} ${entry.name ?? ""}`.trim();
  return subcode === undefined ? name : `${name}, ${subcode.name}`;
}

/** "0xC4/0x00091002 NdisOidDoubleComplete": Driver Verifier's, by its parameter or by the name of its rule. */
function verifierCheck(wanted: string): string | undefined {
  for (const { id, verifierBugcheck = [] } of rules()) {
    for (const text of verifierBugcheck.map(String)) {
      if (id === wanted || digits(text.split("/")[1]) === digits(wanted)) return `${text} ${id}`;
    }
  }
  return undefined;
}

function nameOf(text: string): string {
  const checked = /^(?:verifier )?(?:0xC4\/)?(0x0*9[0-9A-F]{4}|Ndis\w+)$/i.exec(text);
  if (checked !== null) return verifierCheck(checked[1] ?? "") ?? text;
  const [place, code = "", parameter = "", second] = /0x(7C|15E)\/(0x[0-9A-F]+)(?: sub (0x[0-9A-F]+))?/i.exec(text) ?? [];
  const name = place === undefined ? undefined : bugCheck(code, parameter, second);
  if (place === undefined || name === undefined) return text;
  const [before = "", after = ""] = text.split(place);
  // The word after it says what the name says, or what the second parameter is.
  const detail = after.trim();
  return `${before.replace(/(^|or )bugcheck $/, "$1")}${name}${detail === "" || name.includes(detail) ? "" : `, ${detail}`}`;
}

/** Where the tables say what a driver may answer, the statuses are not what follows a breach. */
const areAnswers = (results: readonly string[]): boolean =>
  results.includes("NDIS_STATUS_SUCCESS") || results.includes("NDIS_STATUS_PENDING");

/** Empty: Windows has nothing that tells of the breach. */
export function windowsNames({ result = [], verifierBugcheck = [] }: Rule): string[] {
  const results = areAnswers(result) ? result.filter((text) => !text.startsWith("NDIS_STATUS_")) : result;
  return [...results, ...verifierBugcheck.map(String)].map(nameOf);
}
