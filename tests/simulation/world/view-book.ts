/** Every list that the nodes of a cluster ever showed. */
import type { Queries } from '@rollcall/core'
import type { Instance, View, ViewName } from '@rollcall/wire'

/** What was shown of one view, by any node over all its lives. */
interface Past {
  readonly name: ViewName
  /** Lists by sign. */
  readonly lists: Map<string, string>
  /** Instances as they were shown. */
  readonly instances: Set<string>
}

/** What a node shows of one view. */
interface Page {
  readonly past: Past
  sign: string | undefined
  changedAt: number
  view: View | undefined
}

/** Every view that a cluster ever had, by sign: what a mirror may show. */
export class Archive {
  readonly pasts: ReadonlyMap<string, Past>

  constructor(names: readonly ViewName[]) {
    this.pasts = new Map(
      names.map((name) => [textOf(name), { name, lists: new Map(), instances: new Set<string>() }]),
    )
  }
}

/** What one node shows, and what all of its cluster ever showed. */
export class ViewBook {
  private readonly pages: ReadonlyMap<string, Page>

  constructor({ pasts }: Archive) {
    this.pages = new Map(
      [...pasts].map(([name, past]) => [name, { past, sign: undefined, changedAt: 0, view: undefined }]),
    )
  }

  /** Looks at every view after the node did something; `changed` hears of each that is different. */
  record(
    read: Queries,
    now: number,
    changed: (name: ViewName, view: View, before: View | undefined) => void,
  ): void {
    for (const page of this.pages.values()) {
      const { name, lists, instances } = page.past
      const sign = read.sign(name)
      if (sign === page.sign) continue
      const view = read.view(name) ?? emptyView(name)
      const before = page.view
      page.sign = sign
      page.changedAt = now
      page.view = view
      lists.set(sign, listKey(view.instances))
      for (const instance of view.instances) instances.add(instanceText(instance))
      changed(name, view, before)
    }
  }

  /** The registry that comes next begins anew. */
  forgetPresent(): void {
    for (const page of this.pages.values()) {
      page.sign = undefined
      page.view = undefined
    }
  }

  /** Every current view. */
  *all(): IterableIterator<{ readonly name: ViewName; readonly view: View | undefined }> {
    for (const { past, view } of this.pages.values()) yield { name: past.name, view }
  }

  /** The current view, and since when. */
  current(name: ViewName): { readonly view: View | undefined; readonly changedAt: number } {
    return this.page(name)
  }

  /** Whether a node ever showed exactly this list under this sign. */
  knows(name: ViewName, sign: string, instances: readonly Instance[]): boolean {
    return this.page(name).past.lists.get(sign) === listKey(instances)
  }

  /** Whether a node ever showed exactly this instance. */
  showed(name: ViewName, instance: Instance): boolean {
    return this.page(name).past.instances.has(instanceText(instance))
  }

  private page(name: ViewName): Page {
    const page = this.pages.get(textOf(name))
    if (page === undefined) throw new Error(`there is no record of ${textOf(name)}`)
    return page
  }
}

/** A list as text, whatever its order; ages apart. */
function listKey(instances: readonly Instance[]): string {
  return instances.map(instanceText).sort().join('\n')
}

function instanceText(instance: Instance): string {
  return JSON.stringify({ ...instance, stateAgeMs: undefined, reason: undefined })
}

function emptyView(name: ViewName): View {
  return {
    ...name,
    sign: '0000000000000000',
    instances: [],
    guard: { tripped: false, kept: 0 },
    stale: false,
  }
}

function textOf({ namespace, service, group }: ViewName): string {
  return group === undefined ? `${namespace}/${service}` : `${namespace}/${service}/${group}`
}
