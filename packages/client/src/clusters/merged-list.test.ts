/** Two clusters in any order of events: what must hold all along. */
import type { Instance, State } from '@rollcall/wire'
import { signOf } from '@rollcall/wire'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { instance, view, Stage } from './stage.fixture.js'
import { instanceKey } from '../machine/keys.js'

const KEY = 'default\norders'
const CLUSTERS = ['east', 'west'] as const
type Name = (typeof CLUSTERS)[number]

/** What may happen; a cluster that is not connected says nothing. */
type Happening =
  | {
      readonly what: 'list'
      readonly cluster: Name
      readonly list: readonly Instance[]
      readonly goodbye: boolean
    }
  | { readonly what: 'lose' | 'meet'; readonly cluster: Name }
  | { readonly what: 'call'; readonly answered: boolean }
  | { readonly what: 'pass'; readonly ms: number }

const states = fc.constantFrom<State>('up', 'up', 'up', 'suspect', 'down', 'draining', 'disabled')
const lists = fc
  .uniqueArray(
    fc.record({ id: fc.constantFrom('a', 'b', 'c'), state: states, incarnation: fc.constantFrom(1, 2) }),
    {
      selector: ({ id }) => id,
    },
  )
  .map((all) => all.map(({ id, ...given }) => instance(id, given)))
const cluster = fc.constantFrom(...CLUSTERS)
const happening = fc.oneof(
  fc.record({ what: fc.constant('list' as const), cluster, list: lists, goodbye: fc.boolean() }),
  fc.record({ what: fc.constantFrom('lose' as const, 'meet' as const), cluster }),
  fc.record({ what: fc.constant('call' as const), answered: fc.boolean() }),
  fc.record({ what: fc.constant('pass' as const), ms: fc.constantFrom(1, 300, 1_000, 11_000) }),
)

const happenings = fc.array(happening, { minLength: 5, maxLength: 30, size: 'max' })

/** The stage, and a consumer that follows the changes. */
class Scene {
  readonly stage = Stage.over()
  readonly listed = new Map<Name, readonly Instance[]>()
  readonly connected = new Set<Name>()
  private followed = new Map<string, Instance>()
  private seen = 0

  constructor(merge: 'union' | 'preferred') {
    const names = [{ namespace: 'default', service: 'orders' }]
    this.stage.do({ type: 'start' }, { type: 'watch', names, merge })
    for (const each of CLUSTERS) this.let({ what: 'meet', cluster: each })
  }

  let(event: Happening): void {
    const { stage, connected, listed } = this
    if (event.what === 'pass') this.pass(event.ms)
    else if (event.what === 'call') this.call(event.answered)
    else if (event.what === 'meet' && !connected.has(event.cluster)) {
      stage.meet(event.cluster)
      connected.add(event.cluster)
      this.say(event.cluster, listed.get(event.cluster) ?? [], false)
    } else if (event.what === 'lose' && connected.delete(event.cluster)) stage.loses(event.cluster)
    else if (event.what === 'list' && connected.has(event.cluster))
      this.say(event.cluster, event.list, event.goodbye)
    this.follow()
  }

  /** Instances that may be called, by id. */
  get callable(): readonly string[] {
    return this.stage.callable
  }

  /** The list as a consumer has it that applied every change. */
  get list(): readonly Instance[] {
    return [...this.followed.values()]
  }

  private say(name: Name, list: readonly Instance[], goodbye: boolean): void {
    const removes = (this.listed.get(name) ?? [])
      .filter((old) => goodbye && !list.some(({ id }) => id === old.id))
      .map(({ group, id, incarnation }) => ({ group, id, incarnation, reason: 'deregistered' as const }))
    this.listed.set(name, list)
    this.stage.says(name, view(list, { removes }))
  }

  private pass(ms: number): void {
    for (let left = ms; left > 0; left -= 1_000) {
      for (const name of this.connected) this.stage.says(name, { type: 'pong', island: false })
      this.stage.pass(Math.min(1_000, left))
    }
  }

  private call(answered: boolean): void {
    const chosen = this.stage.all('candidates').at(-1)?.candidates[0]
    if (chosen !== undefined)
      this.stage.do({ type: answered ? 'succeeded' : 'failed', key: KEY, instance: chosen })
  }

  private follow(): void {
    const changes = this.stage.all('list').slice(this.seen)
    this.seen += changes.length
    for (const { change } of changes) {
      for (const { instance: left } of change.removes) this.followed.delete(instanceKey(left))
      for (const each of change.upserts) this.followed.set(instanceKey(each), each)
      const same = digests(this.list) === digests(change.instances)
      if (!same || change.sign !== signOf(change.instances))
        throw new Error('the changes do not add up to the list')
    }
  }
}

function digests(list: readonly Instance[]): string {
  return list
    .map(({ id, digest }) => `${id} ${digest}`)
    .sort()
    .join()
}

/** Ids that could be called and are not, while these things happen. */
function missed(
  merge: 'union' | 'preferred',
  events: readonly Happening[],
  due: (scene: Scene) => readonly string[],
): readonly string[] {
  const scene = new Scene(merge)
  scene.let({ what: 'pass', ms: 300 })
  return events.flatMap((event) => {
    scene.let(event)
    return due(scene)
  })
}

it.each(['union', 'preferred'] as const)(
  'a %s always has an instance to call where a cluster knows one',
  (merge) => {
    const due = (scene: Scene): readonly string[] => {
      const said = CLUSTERS.flatMap((name) => scene.listed.get(name) ?? [])
      const doubted = said.filter(({ state }) => state !== 'up').map(({ id }) => id)
      const well = said.map(({ id }) => id).filter((id) => !doubted.includes(id))
      return scene.callable.length > 0 ? [] : well
    }
    fc.assert(
      fc.property(happenings, (events) => {
        expect(missed(merge, events, due)).toEqual([])
      }),
      { numRuns: 300 },
    )
  },
)

it('a union calls what a connected cluster hears, unless a call to it failed or another one says no', () => {
  const due = (scene: Scene): readonly string[] => {
    const said = [...scene.connected].flatMap((name) => scene.listed.get(name) ?? [])
    const words = said.filter(({ state }) => state === 'disabled' || state === 'draining').map(({ id }) => id)
    const heard = said.filter(({ id, state }) => state === 'up' && !words.includes(id)).map(({ id }) => id)
    return heard.filter((id) => !scene.callable.includes(id))
  }
  fc.assert(
    fc.property(happenings, (events) => {
      const silent = events.filter(({ what }) => what !== 'call')
      expect(missed('union', silent, due)).toEqual([])
    }),
    { numRuns: 300 },
  )
})
