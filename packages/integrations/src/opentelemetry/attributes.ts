/** Attributes of spans and metrics. */
import type { Attributes } from '@opentelemetry/api'
import type { Instance } from '@rollcall/client'

/** What names a watched list. */
export interface Named {
  readonly namespace: string
  readonly group?: string | undefined
}

/** Attributes of a service: the same on spans and metrics, and few, because each combination is a time series. */
export function serviceAttributes(name: string, { namespace, group }: Named): Attributes {
  return {
    'rollcall.service': name,
    'rollcall.namespace': namespace,
    ...(group !== undefined && { 'rollcall.group': group }),
  }
}

/** Attributes of an instance: for spans only. */
export function instanceAttributes({ id, host, port, zone }: Instance): Attributes {
  return {
    'server.address': host,
    'server.port': port,
    'rollcall.instance.id': id,
    ...(zone !== undefined && { 'rollcall.instance.zone': zone }),
  }
}
