/** Shapes that have a name in the OpenAPI document and in the schema of the stream. */
import type { AnyShape } from '../shape/shape.js'
import * as events from '../shapes/events.js'
import { explanationShape } from '../shapes/explanation.js'
import * as fields from '../shapes/fields.js'
import * as instances from '../shapes/instances.js'
import * as namespaces from '../shapes/namespaces.js'
import * as overrides from '../shapes/overrides.js'
import * as services from '../shapes/services.js'
import { nodeStatusShape } from '../shapes/status.js'

/** Each is written once and referred to by this name. */
export const COMPONENTS: Readonly<Record<string, AnyShape>> = {
  Error: fields.errorShape,
  ErrorResponse: fields.errorResponseShape,
  Instance: instances.instanceShape,
  Remove: instances.removeShape,
  View: services.viewShape,
  Delta: services.deltaShape,
  ResolvedRef: instances.resolvedRefShape,
  RegisterResult: instances.registerResultShape,
  RegisterResponse: instances.registerResponseShape,
  HeartbeatResponse: instances.heartbeatResponseShape,
  DeregisterResponse: instances.deregisterResponseShape,
  ServiceSummary: services.serviceSummaryShape,
  ServicesResponse: services.servicesResponseShape,
  NamespacesResponse: namespaces.namespacesResponseShape,
  SignsResponse: services.signsResponseShape,
  InstanceSpec: instances.instanceSpecShape,
  InstanceRef: instances.instanceRefShape,
  RegisterRequest: instances.registerRequestShape,
  HeartbeatRequest: instances.heartbeatRequestShape,
  DeregisterRequest: instances.deregisterRequestShape,
  SignsRequest: services.signsRequestShape,
  BreakerSettings: services.breakerSettingsShape,
  ServiceSettings: services.serviceSettingsShape,
  NamespaceSettings: namespaces.namespaceSettingsShape,
  OverrideRequest: overrides.overrideRequestShape,
  OverrideClearing: overrides.overrideClearingShape,
  OverridesResponse: overrides.overridesResponseShape,
  OverrideSummary: overrides.overrideSummaryShape,
  FreezeRequest: namespaces.freezeRequestShape,
  FreezesList: namespaces.freezesListShape,
  RegistryEvent: events.registryEventShape,
  EventsResponse: events.eventsResponseShape,
  Explanation: explanationShape,
  RestoreRequest: instances.restoreRequestShape,
  RestoreResponse: instances.restoreResponseShape,
  SubscribersResponse: services.subscribersResponseShape,
  OverridesList: overrides.overridesListShape,
  NodeStatus: nodeStatusShape,
}

/** These shapes, and those within them. */
export function allWithin(shapes: readonly AnyShape[]): ReadonlySet<AnyShape> {
  const found = new Set<AnyShape>()
  const visit = (shape: AnyShape): void => {
    if (found.has(shape)) return
    found.add(shape)
    if (shape.kind === 'list') visit(shape.item)
    else if (shape.kind === 'union') shape.options.forEach(visit)
    else if (shape.kind === 'object')
      for (const field of Object.values(shape.fields)) visit(field.kind === 'optional' ? field.shape : field)
  }
  shapes.forEach(visit)
  return found
}
