/** What a protocol set in the device for its binding, and takes back before it closes: wake patterns, low-power offloads, RSS. */
import { constant } from "../../contract/index.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { Binding } from "../../ndis/objects.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import { type Shadow, shadowTable } from "../shadow.ts";
import { on, ruleSet } from "../rule.ts";

const Request = windowsStruct("NDIS_OID_REQUEST");
const Rss = windowsStruct("NDIS_RECEIVE_SCALE_PARAMETERS");
const SET = constant("NdisRequestSetInformation");
const METHOD = constant("NdisRequestMethod");
const DISABLE_RSS = constant("NDIS_RSS_PARAM_FLAG_DISABLE_RSS");

/** From a binding to what its protocol has in the device: counts of patterns of both kinds and of offloads, and whether RSS is on, a byte each. */
const settingsOf = shadowTable("settings of bindings in their devices", 64);
/** From a thread, and from a request, to the request or the binding that it is about. */
const askedBy = shadowTable("settings that threads ask for", 64);
const askedFor = shadowTable("bindings that ask for settings", 64);

const SETTINGS = [
  { what: "wake-up pattern(s)", adds: "OID_PNP_ADD_WAKE_UP_PATTERN", removes: "OID_PNP_REMOVE_WAKE_UP_PATTERN", shift: 24 },
  { what: "wake pattern(s)", adds: "OID_PM_ADD_WOL_PATTERN", removes: "OID_PM_REMOVE_WOL_PATTERN", shift: 0 },
  {
    what: "low-power protocol offload(s)",
    adds: "OID_PM_ADD_PROTOCOL_OFFLOAD",
    removes: "OID_PM_REMOVE_PROTOCOL_OFFLOAD",
    shift: 8,
  },
  { what: "set(s) of RSS parameters", adds: "OID_GEN_RECEIVE_SCALE_PARAMETERS", removes: undefined, shift: 16 },
] as const;
type Setting = (typeof SETTINGS)[number];

const countOf = (word: number, { shift }: Setting): number => (word >>> shift) & 0xff;

function count(shadow: Shadow, binding: number, setting: Setting, change: 1 | -1): void {
  const word = shadow.get(settingsOf, binding);
  const before = countOf(word, setting);
  // RSS parameters take the place of those before them.
  const after = setting.removes === undefined ? Math.max(change, 0) : Math.max(before + change, 0);
  shadow.set(settingsOf, binding, word + (after - before) * 2 ** setting.shift);
}

/** The setting that a request adds, or takes back. */
function settingOf(k: Kernel, address: number): { readonly setting: Setting; readonly isAdded: boolean } | undefined {
  const request = Request.at(k.memory, address);
  if (request.RequestType !== SET && request.RequestType !== METHOD) return undefined;
  const oid = request.DATA_SET_INFORMATION_Oid >>> 0;
  for (const setting of SETTINGS) {
    if (setting.removes !== undefined && oid === constant(setting.removes) >>> 0) return { setting, isAdded: false };
    if (oid !== constant(setting.adds) >>> 0) continue;
    const buffer = request.DATA_SET_INFORMATION_InformationBuffer;
    const turnsOff = setting.removes === undefined && (Rss.at(k.memory, buffer).Flags & DISABLE_RSS) !== 0;
    return { setting, isAdded: !turnsOff };
  }
  return undefined;
}

/** The request has succeeded: what it adds is there. */
function isThere(k: Kernel, shadow: Shadow, request: number): void {
  const binding = shadow.get(askedFor, request);
  shadow.set(askedFor, request, 0);
  const found = binding === 0 ? undefined : settingOf(k, request);
  if (found !== undefined) count(shadow, binding, found.setting, 1);
}

export const deviceSettingRules = ruleSet(
  ["unbind-clear-pm-and-rss"],
  [
    on("call NdisOidRequest", ({ k, shadow }, { args: [handle = 0, request = 0], thread }) => {
      const binding = k.objects.resolve(handle, Binding);
      const found = binding === undefined ? undefined : settingOf(k, request);
      if (binding === undefined || found === undefined) return;
      // A request to take something back counts even if it fails: the device may be gone.
      if (!found.isAdded) return count(shadow, binding.address, found.setting, -1);
      shadow.set(askedBy, thread + 1, request);
      shadow.set(askedFor, request, binding.address);
    }),
    on("return NdisOidRequest", ({ k, shadow }, { result, thread }) => {
      const request = shadow.get(askedBy, thread + 1);
      shadow.set(askedBy, thread + 1, 0);
      if (request !== 0 && result === 0) isThere(k, shadow, request);
    }),
    on("handler ProtocolOidRequestComplete", ({ k, shadow }, { args: [, request = 0, status] }) => {
      if (status === 0) isThere(k, shadow, request);
      else shadow.set(askedFor, request, 0);
    }),
    on("call NdisCloseAdapterEx", ({ k, shadow, report }, { args: [handle = 0] }) => {
      const binding = k.objects.resolve(handle, Binding);
      if (binding === undefined || binding.isHandleClosed) return;
      const word = shadow.get(settingsOf, binding.address);
      const left = SETTINGS.filter((setting) => countOf(word, setting) > 0).map(
        (setting) => `${countOf(word, setting)} ${setting.what}`,
      );
      if (left.length === 0) return;
      report({
        rule: "unbind-clear-pm-and-rss",
        message: `NdisCloseAdapterEx was called while ${left.join(" and ")} of the binding are in the device. Take them back with OID requests first.`,
      });
    }),
    on("note binding gone", ({ shadow }, { address }) => shadow.set(settingsOf, address, 0)),
  ],
  [settingsOf, askedBy, askedFor],
);
