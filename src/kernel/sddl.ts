/**
 * Security of device objects: the part of the Security Descriptor Definition Language that they are described in.
 *
 * Pages: sddl-for-device-objects, nf-wdmsec-wdmlibiocreatedevicesecure.
 */

/** One "(A;;Access;;;SID)": who may do what. */
export interface AccessEntry {
  readonly access: number;
  readonly sid: string;
}

const RIGHTS: Readonly<Record<string, number>> = {
  GA: 0x1000_0000,
  GX: 0x2000_0000,
  GW: 0x4000_0000,
  GR: 0x8000_0000,
  SD: 0x0001_0000,
  RC: 0x0002_0000,
  WD: 0x0004_0000,
  WO: 0x0008_0000,
};
const SIDS: ReadonlySet<string> = new Set(["SY", "LS", "NS", "BA", "BU", "BG", "AU", "AN", "IU", "NU", "WD", "RC", "UD"]);
const FULL_SID = /^S-1(-\d+)+$/;
/** Undocumented: who the applications of a machine are. They run for an administrator who logged on at the machine. */
const APPLICATION: ReadonlySet<string> = new Set(["BA", "BU", "AU", "IU", "WD"]);

function accessOf(text: string): number | undefined {
  if (/^0x[0-9a-f]+$/i.test(text)) return Number.parseInt(text, 16);
  const codes = text.match(/../g) ?? [];
  if (codes.length * 2 !== text.length || codes.length === 0) return undefined;
  const rights = codes.map((code) => RIGHTS[code]);
  return rights.some((right) => right === undefined)
    ? undefined
    : rights.reduce<number>((all, right) => (all | (right ?? 0)) >>> 0, 0);
}

/** The entries of "D:P" and what follows; undefined: that is no string for a device object. */
export function parseSddl(text: string): AccessEntry[] | undefined {
  if (!/^D:P(\([^()]*\))*$/.test(text)) return undefined;
  const entries: AccessEntry[] = [];
  for (const [, inside = ""] of text.matchAll(/\(([^()]*)\)/g)) {
    const [, accessText = "", sid = ""] = /^A;;([^;]*);;;([^;]*)$/.exec(inside) ?? [];
    const access = accessOf(accessText);
    if (access === undefined || !(SIDS.has(sid) || FULL_SID.test(sid))) return undefined;
    entries.push({ access, sid });
  }
  return entries;
}

/** Whether an application may open a device with those entries at all. */
export const admitsApplications = (entries: readonly AccessEntry[]): boolean =>
  entries.some(({ access, sid }) => access !== 0 && APPLICATION.has(sid));
