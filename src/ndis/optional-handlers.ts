/**
 * Optional handlers, which a driver sets while NDIS calls its set-options handler inside its registration.
 *
 * Pages: nf-ndis-ndissetoptionalhandlers, nc-ndis-set_options, ns-ndis-_ndis_miniport_pnp_characteristics,
 * ns-ndis-_ndis_miniport_ss_characteristics.
 */
import { constant } from "../contract/index.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { leaf } from "../kernel/routine.ts";
import { hasHeader, windowsStruct } from "../kernel/windows.ts";
import { MiniportDriver } from "./objects.ts";

const ObjectHeader = windowsStruct("NDIS_OBJECT_HEADER");
const PnpCharacteristics = windowsStruct("NDIS_MINIPORT_PNP_CHARACTERISTICS");

/**
 * Undocumented: the status of a call at another time, for another kind of driver, or with the characteristics of a service that is not here
 * (connection-oriented NDIS, chimney offload, NDK, shared memory providers). All get NDIS_STATUS_FAILURE, the status of what has no other.
 */
function setOptionalHandlers(k: Kernel, handle: number, handlers: number): string {
  const miniport = k.objects.resolve(handle, MiniportDriver);
  if (miniport === undefined || !miniport.isSettingOptions) return "NDIS_STATUS_FAILURE";
  switch (ObjectHeader.at(k.memory, handlers).Type) {
    case constant("NDIS_OBJECT_TYPE_MINIPORT_PNP_CHARACTERISTICS"): {
      const types = ["NDIS_OBJECT_TYPE_MINIPORT_PNP_CHARACTERISTICS"];
      if (!hasHeader(k, handlers, types, ["NDIS_SIZEOF_MINIPORT_PNP_CHARACTERISTICS_REVISION_1"])) return "NDIS_STATUS_FAILURE";
      const given = PnpCharacteristics.at(k.memory, handlers);
      miniport.addDevice = given.MiniportAddDeviceHandler;
      miniport.removeDevice = given.MiniportRemoveDeviceHandler;
      miniport.filterResourceRequirements = given.MiniportFilterResourceRequirementsHandler;
      miniport.startDevice = given.MiniportStartDeviceHandler;
      return "NDIS_STATUS_SUCCESS";
    }
    case constant("NDIS_OBJECT_TYPE_MINIPORT_SS_CHARACTERISTICS"):
      // No adapter of a machine is ever idle for so long that NDIS would suspend it: these handlers are never called.
      return "NDIS_STATUS_SUCCESS";
    default:
      return "NDIS_STATUS_FAILURE";
  }
}

export const optionalHandlerRoutines = [leaf("NdisSetOptionalHandlers", setOptionalHandlers)];
