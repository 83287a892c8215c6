/** What NDIS keeps of the state of a port: link and authentication. */
import { describe, expect, test } from "vitest";
import { constant } from "../../src/contract/index.ts";
import { Port } from "../../src/ndis/port-objects.ts";
import { PortState } from "../../src/ndis/port-states.ts";
import {
  type Change,
  MINIPORT,
  PROTOCOL,
  adapter,
  binding,
  call,
  createAdapterContext,
  setGeneralAttributes,
  setRegistrationAttributes,
  settle,
  started,
  takenDown,
} from "../verifier/support.ts";
import { activate } from "./port-activation.ts";
import { CONTROLS_DEFAULT_PORT, allocateWith, hearsOfPorts, triesPorts } from "./port-listening.ts";
import { tell } from "./tell.ts";

const miniport = (name: string, ...args: number[]) => call(MINIPORT, name, ...args);

describe("The state of a port", () => {
  const CONTROLLED = constant("NdisPortControlStateControlled");
  const UNCONTROLLED = constant("NdisPortControlStateUncontrolled");
  const UNKNOWN = constant("NdisPortAuthorizationUnknown");
  const UNAUTHORIZED = constant("NdisPortUnauthorized");
  const USE_DEFAULTS = constant("NDIS_PORT_CHAR_USE_DEFAULT_AUTH_SETTINGS");
  const given = (flags: number, control: number) => ({
    Flags: flags,
    SendControlState: control,
    RcvControlState: control,
    SendAuthorizationState: UNAUTHORIZED,
    RcvAuthorizationState: UNAUTHORIZED,
  });
  type Given = ReturnType<typeof given>;

  /** A miniport with port 1, allocated and activated as is said, which counts what is sent on it. */
  const withPort =
    (allocated: Given, activated: Given, sends: number[] = [], oids: number[] = []): Change =>
    (d, its) => ({
      ...triesPorts([], CONTROLS_DEFAULT_PORT)(d, its),
      *MiniportInitializeEx(handle) {
        const context = yield* createAdapterContext(d, handle);
        yield* setRegistrationAttributes(d, handle, context, CONTROLS_DEFAULT_PORT);
        yield* activate(d, handle, 0, activated);
        yield* allocateWith(d, handle, allocated);
        yield* activate(d, handle, 1, activated);
        return yield* setGeneralAttributes(d, handle);
      },
      *MiniportSendNetBufferLists(_context, list, port) {
        sends.push(port);
        yield* d.NdisMSendNetBufferListsComplete(its.get(adapter.handle), list, 0);
      },
      MiniportOidRequest(context, request) {
        oids.push(d.view("NDIS_OID_REQUEST", request).DATA_QUERY_INFORMATION_Oid);
        return its.inherited("MiniportOidRequest", context, request);
      },
    });

  /** A protocol that asks for the state of a port. */
  const asks =
    (told: number[][]): Change =>
    (d, its) => {
      const buffer = d.statics(PortState.bytes);
      return {
        ...hearsOfPorts([])(d, its),
        *Ask(port) {
          const request = d.view("NDIS_OID_REQUEST", its.context() + binding.request);
          d.header(request.address, "NDIS_OBJECT_TYPE_OID_REQUEST", 1, "NDIS_SIZEOF_OID_REQUEST_REVISION_1");
          request.RequestType = d.constant("NdisRequestQueryInformation");
          request.PortNumber = port;
          request.DATA_QUERY_INFORMATION_Oid = d.constant("OID_GEN_PORT_STATE");
          request.DATA_QUERY_INFORMATION_InformationBuffer = buffer;
          request.DATA_QUERY_INFORMATION_InformationBufferLength = PortState.bytes;
          yield* d.NdisOidRequest(its.get(binding.handle), request.address);
          const state = d.view("NDIS_PORT_STATE", buffer);
          told.push([state.SendControlState, state.RcvControlState, state.SendAuthorizationState, state.RcvAuthorizationState]);
        },
      };
    };
  const gone = [miniport("Deactivate", 1), miniport("Free", 1), miniport("Deactivate", 0), settle, ...takenDown];
  const stateOf = (allocated: Given, activated: Given): number[][] => {
    const told: number[][] = [];
    const oids: number[] = [];
    tell({
      protocol: asks(told),
      miniport: withPort(allocated, activated, [], oids),
      actions: [...started, call(PROTOCOL, "Ask", 1), call(PROTOCOL, "Ask", 0), ...gone],
    });
    expect(oids).not.toContain(constant("OID_GEN_PORT_STATE"));
    return told;
  };
  const DEFAULTS = [UNCONTROLLED, UNCONTROLLED, UNKNOWN, UNKNOWN];
  const AS_GIVEN = [CONTROLLED, CONTROLLED, UNAUTHORIZED, UNAUTHORIZED];

  test("is what the characteristics say; with USE_DEFAULT_AUTH_SETTINGS NDIS ignores their authentication states", () => {
    expect(stateOf(given(0, CONTROLLED), given(0, CONTROLLED))).toEqual([AS_GIVEN, AS_GIVEN]);
    expect(stateOf(given(0, CONTROLLED), given(USE_DEFAULTS, CONTROLLED))).toEqual([DEFAULTS, DEFAULTS]);
  });

  test("a new port has the default authentication states as well, if it is allocated so", () => {
    const told: number[][] = [];
    const result = tell({
      protocol: asks(told),
      miniport: (d, its) => ({
        ...triesPorts([])(d, its),
        *Allocate() {
          yield* allocateWith(d, its.get(adapter.handle), given(USE_DEFAULTS, CONTROLLED));
        },
      }),
      actions: [...started, miniport("Allocate"), settle],
    });
    const { kernel } = result.machine;
    const [port] = kernel.objects.all(Port);
    const state = PortState.at(kernel.memory, port?.portState ?? 0);
    expect([state.SendControlState, state.RcvControlState, state.SendAuthorizationState, state.RcvAuthorizationState]).toEqual(
      DEFAULTS,
    );
  });

  test("MiniportInitializeEx is told the authentication states of the default port: it is not controlled", () => {
    const told: number[][] = [];
    tell({
      miniport: (d, its) => ({
        *MiniportInitializeEx(handle, driver, parameters) {
          const { DefaultPortAuthStates } = d.view("NDIS_MINIPORT_INIT_PARAMETERS", parameters);
          const states = d.view("NDIS_PORT_AUTHENTICATION_PARAMETERS", DefaultPortAuthStates);
          told.push([
            states.SendControlState,
            states.RcvControlState,
            states.SendAuthorizationState,
            states.RcvAuthorizationState,
          ]);
          return yield* its.inherited("MiniportInitializeEx", handle, driver, parameters);
        },
      }),
    });
    expect(told).toEqual([DEFAULTS]);
  });

  test("of authorization is ignored while the port is not controlled: it sends though it is unauthorized", () => {
    const sends: number[] = [];
    const uncontrolled = given(0, UNCONTROLLED);
    tell({
      protocol: hearsOfPorts([]),
      miniport: withPort(uncontrolled, uncontrolled, sends),
      actions: [...started, call(PROTOCOL, "SendOn", 1), call(PROTOCOL, "SendOn", 0), settle, ...gone],
    });
    expect(sends).toEqual([1, 0]);
  });
});
