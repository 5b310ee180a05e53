/** A consumer as the protocol describes it: deltas set absolute values, a full view replaces, `to` decides. */
import { EMPTY_SIGN, type Instance, signOf, type ViewName } from '@rollcall/wire'
import { Directory } from './directory.js'
import type { Update } from '../publishing/subscription.js'
import { QUIET } from '../simulated-node.fixture.js'
import { fullView } from './view.js'

export class Mirror {
  readonly name: ViewName
  sign = EMPTY_SIGN
  readonly received: Update[] = []
  private readonly instances = new Map<string, Instance>()

  constructor(name: ViewName) {
    this.name = name
  }

  /** Applies an update and checks that it leads exactly where it says, from where this mirror stands. */
  apply(update: Update): void {
    this.received.push(update)
    if (update.kind === 'view') {
      const { view } = update
      equal(keyOfView(view), keyOfView(this.name), 'the view is the watched one')
      this.instances.clear()
      for (const instance of view.instances) this.instances.set(keyOf(instance), instance)
      this.sign = view.sign
    } else {
      const { from, to, upserts, removes } = update.delta
      equal(keyOfView(update.delta), keyOfView(this.name), 'the view is the watched one')
      equal(from, this.sign, 'a delta starts where the subscriber stands')
      const keys = [...upserts.map(keyOf), ...removes.map(keyOf)]
      equal(new Set(keys).size, keys.length, 'upserts and removes are disjoint')
      for (const instance of upserts) this.instances.set(keyOf(instance), instance)
      for (const remove of removes) this.instances.delete(keyOf(remove))
      this.sign = to
    }
    equal(signOf(this.instances.values()), this.sign, 'the sum of the digests is the sign')
  }

  get list(): Map<string, Instance> {
    return listed(this.instances.values())
  }

  /** The list and sign a new reader would be given now. */
  static truth(
    directory: Directory,
    name: ViewName,
    now: number,
  ): { sign: string; list: Map<string, Instance> } {
    const view = fullView(directory, name, now, QUIET)
    return { sign: view.sign, list: listed(view.instances) }
  }
}

/** Without ages, which differ by the moment of telling. */
function listed(instances: Iterable<Instance>): Map<string, Instance> {
  return new Map([...instances].map((instance) => [keyOf(instance), { ...instance, stateAgeMs: 0 }]))
}

function keyOf({ group, id }: { readonly group: string; readonly id: string }): string {
  return `${group}/${id}`
}

function keyOfView({ namespace, service, group }: ViewName): string {
  return `${namespace}/${service}/${group ?? '*'}`
}

/** As an expectation of the test framework, which is too slow for millions of deliveries. */
function equal<T>(actual: T, expected: T, rule: string): void {
  if (actual !== expected) throw new Error(`${rule}: ${String(actual)} is not ${String(expected)}`)
}
