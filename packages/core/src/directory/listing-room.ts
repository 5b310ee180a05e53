/** How many services and namespaces may be listed. What left and is remembered does not count. */
import type { ErrorBody } from '@rollcall/wire'
import { limitRefusal } from '../budgets/limit.js'
import type { Meter } from '../metrics.js'
import type { Listing, ServiceName } from './listing.js'
import type { ServiceNode } from './nodes.js'

export interface ListingBounds {
  /** Services that are listed: declared, or with a listed instance. */
  readonly servicesMax: number
  /** Namespaces with a listed service; and as many may be declared. */
  readonly namespacesMax: number
}

export class ListingRoom {
  private readonly listing: Listing<ServiceNode>
  private readonly meter: Meter
  private readonly bounds: ListingBounds

  constructor(listing: Listing<ServiceNode>, meter: Meter, bounds: ListingBounds) {
    this.listing = listing
    this.meter = meter
    this.bounds = bounds
  }

  /** Why a service cannot be listed in addition, or undefined. `known`: what the directory has of it. */
  refusal({ namespace }: ServiceName, known: ServiceNode | undefined): ErrorBody | undefined {
    if (known?.listed === true) return undefined
    const { listing, bounds } = this
    if (listing.size >= bounds.servicesMax) return this.full('servicesMax', 'services')
    const isNew = listing.sizeOf(namespace) === 0
    return isNew && listing.namespaceCount >= bounds.namespacesMax ? this.fullOfNamespaces() : undefined
  }

  /** Why a namespace cannot be declared beside so many others, or undefined. */
  declarationRefusal(declared: number): ErrorBody | undefined {
    return declared >= this.bounds.namespacesMax ? this.fullOfNamespaces() : undefined
  }

  private fullOfNamespaces(): ErrorBody {
    return this.full('namespacesMax', 'namespaces')
  }

  private full(quota: keyof ListingBounds, what: string): ErrorBody {
    const message = `the node holds as many ${what} as it may`
    return limitRefusal(this.meter, { quota, max: this.bounds[quota], over: 'node', message })
  }
}
