/** Rules of a miniport driver's registration, and of what it calls when. */
import { constant } from "../../contract/index.ts";
import { windowsStruct } from "../../kernel/windows.ts";
import { listsOf, statusOf } from "../../ndis/chains.ts";
import { Adapter, MiniportDriver } from "../../ndis/objects.ts";
import { on, ruleSet } from "../rule.ts";
import { isInside } from "./binding.ts";

const Characteristics = windowsStruct("NDIS_MINIPORT_DRIVER_CHARACTERISTICS");
const ObjectHeader = windowsStruct("NDIS_OBJECT_HEADER");
const REGISTRATION = constant("NDIS_OBJECT_TYPE_MINIPORT_ADAPTER_REGISTRATION_ATTRIBUTES");
const ADD_DEVICE = constant("NDIS_OBJECT_TYPE_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES");
const SELECTIVE_SUSPEND = constant("NDIS_OBJECT_TYPE_MINIPORT_SS_CHARACTERISTICS");
const INTERMEDIATE = constant("NDIS_INTERMEDIATE_DRIVER");
/** From this version of NDIS on, no miniport is to be asked whether it hangs. */
const WITHOUT_CHECKS = 83;
const PAUSED = constant("NDIS_STATUS_PAUSED") >>> 0;
const FAILED = 0x8000_0000;
const LONGEST_STALL = 50;

/** Handlers without which NDIS refuses the registration, and for which the contract has a rule. */
const MANDATORY = [
  ["ShutdownHandlerEx", "mp-shutdown-register-required"],
  ["DevicePnPEventNotifyHandler", "pnp-deviceevent-handler-required"],
] as const;

export const miniportRegistrationRules = ruleSet(
  [
    "mp-register-in-driverentry",
    "mp-deregister-on-entry-failure",
    "mp-cfh-not-for-virtual",
    "mp-handlers-fixed",
    "oid-sync-not-with-selective-suspend",
    ...MANDATORY.map(([, rule]) => rule),
  ],
  [
    on("call NdisMRegisterMiniportDriver", ({ k, report }, { args }) => {
      const given = Characteristics.at(k.memory, args[3] ?? 0);
      for (const [handler, rule] of MANDATORY) {
        if (given[handler] === 0)
          report({ rule, message: `A miniport driver registers without ${handler}, which it has to have.` });
      }
      const isIntermediate = (given.Flags & INTERMEDIATE) !== 0;
      if (given.CheckForHangHandlerEx !== 0 && (isIntermediate || given.MinorNdisVersion >= WITHOUT_CHECKS)) {
        const why = isIntermediate ? "An intermediate driver" : `A driver of NDIS 6.${given.MinorNdisVersion}`;
        report({
          rule: "mp-cfh-not-for-virtual",
          message: `${why} registers a CheckForHangHandlerEx. It has nothing that could hang, or is not to be asked: the entry is NULL.`,
        });
      }
      if (isInside(k, ["DriverEntry"])) return;
      report({
        rule: "mp-register-in-driverentry",
        message:
          "NdisMRegisterMiniportDriver was called outside of DriverEntry. A miniport driver registers there, and nowhere else.",
      });
    }),
    on("call NdisSetOptionalHandlers", ({ k, report }, { args: [handle = 0, handlers = 0] }) => {
      const miniport = k.objects.resolve(handle, MiniportDriver);
      if (miniport === undefined) return;
      if (!miniport.isSettingOptions) {
        report({
          rule: "mp-handlers-fixed",
          message:
            "NdisSetOptionalHandlers was called outside of MiniportSetOptions. A driver's entry points are those of its registration.",
        });
      }
      if (ObjectHeader.at(k.memory, handlers).Type !== SELECTIVE_SUSPEND || miniport.synchronousOidRequest === 0) return;
      report({
        rule: "oid-sync-not-with-selective-suspend",
        message:
          "A driver that has registered a SynchronousOidRequestHandler sets handlers of selective suspend. A driver has one or the other.",
      });
    }),
    on("note driver loaded", ({ k, report }, { address: slot, value: status }) => {
      if (status >>> 0 < FAILED || !k.objects.all(MiniportDriver).some((miniport) => miniport.slot === slot)) return;
      report({
        rule: "mp-deregister-on-entry-failure",
        message:
          "DriverEntry failed after NdisMRegisterMiniportDriver had succeeded. NdisMDeregisterMiniportDriver comes before that.",
        driver: slot,
      });
    }),
  ],
);

export const miniportCallRules = ruleSet(
  [
    "mp-attributes-only-in-init",
    "mp-init-registration-attributes-first",
    "mp-restart-ready-for-sends",
    "mp-restart-null-attributes",
    "mp-reset-stall-limit",
  ],
  [
    on("call NdisMSetMiniportAttributes", ({ k, report }, { args: [handle = 0, attributes = 0] }) => {
      const adapter = k.objects.resolve(handle, Adapter);
      const { Type: type } = ObjectHeader.at(k.memory, attributes);
      if (adapter === undefined || type === ADD_DEVICE) return;
      if (adapter.state !== "Initializing") {
        report({
          rule: "mp-attributes-only-in-init",
          message: `NdisMSetMiniportAttributes was called for an adapter that is ${adapter.state}. Its attributes are set while MiniportInitializeEx is called.`,
        });
      } else if (type !== REGISTRATION && !adapter.hasRegistrationAttributes) {
        report({
          rule: "mp-init-registration-attributes-first",
          message:
            "NdisMSetMiniportAttributes sets other attributes before the registration attributes, which have to come first.",
        });
      }
    }),
    on("call NdisMSendNetBufferListsComplete", ({ k, report }, { args: [handle = 0, lists = 0] }) => {
      if (k.objects.resolve(handle, Adapter)?.state !== "Running") return;
      if (!listsOf(k, lists).some((list) => statusOf(k, list) >>> 0 === PAUSED)) return;
      report({
        rule: "mp-restart-ready-for-sends",
        message:
          "A send was completed with NDIS_STATUS_PAUSED by an adapter that is Running. From the end of its restart it accepts sends.",
      });
    }),
    on("note restart attributes added", ({ k, report }, { address }) => {
      const { miniport } = Adapter.at(k.memory, address);
      report({
        rule: "mp-restart-null-attributes",
        message:
          "MiniportRestart has set RestartAttributes, which was NULL. Then a miniport adds and changes no restart attributes.",
        driver: miniport?.slot ?? -1,
        target: miniport?.restart ?? 0,
      });
    }),
    on("call KeStallExecutionProcessor", ({ k, report }, { args: [microseconds = 0] }) => {
      const slot = k.driverOfThread(k.current);
      if (microseconds <= LONGEST_STALL || !k.objects.all(MiniportDriver).some((miniport) => miniport.slot === slot)) return;
      report({
        rule: "mp-reset-stall-limit",
        message: `A miniport stalls the processor for ${microseconds} microseconds. More than ${LONGEST_STALL} are illegal: set a timer.`,
      });
    }),
  ],
);
