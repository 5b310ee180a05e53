/** The engine on a real etcd while its members fail: nothing acknowledged is lost, and no watch has a gap. */
import { startEtcd, type EtcdCluster } from '@rollcall/testkit'
import { expect, it } from 'vitest'
import { loadAll, type Scene } from '#storage/engine-conformance'
import { form, measured } from './support/chaos-form.js'
import { lostWrites, writeOn } from './support/engine-load.js'
import { sceneOn } from './support/etcd-engine.js'
import { describeEtcd } from './support/guests/etcd.js'

/** What must not be, when nodes write and follow while something happens. */
const NOTHING = { lost: [], missed: [], ended: undefined, faults: [] }

/** Two nodes write and one follows, while something happens. */
async function under(
  what: string,
  scene: Scene,
  trouble: (more: () => Promise<void>) => Promise<void>,
): Promise<Readonly<Record<keyof typeof NOTHING, unknown>>> {
  const [one, two, three] = [await scene.node(), await scene.node(), await scene.node()]
  const follower = await scene.follow(three.engine)
  const loads = [writeOn(scene, one.engine, 'one'), writeOn(scene, two.engine, 'two')]
  const more = async (): Promise<void> => void (await Promise.all(loads.map((load) => load.more(20))))
  await more()
  await trouble(more)
  await more()
  await Promise.all(loads.map((load) => load.end()))
  measured(
    `${what}: longest time without an acknowledged write`,
    loads.map((load) => load.longestPauseMs),
  )
  const entries = await loadAll(three.engine)
  await scene.until('all changes', () => follower.entries.size === entries.length)
  const told = new Set(follower.events.map(({ key, revision }) => `${key} ${revision}`))
  return {
    lost: lostWrites(loads, entries),
    missed: entries.filter(({ key, revision }) => !told.has(`${key} ${revision}`)),
    ended: follower.failure,
    faults: scene.faults,
  }
}

await describeEtcd(form(['debian'], ['debian', 'current']), (version, program) => {
  const open = async (): Promise<[EtcdCluster, Scene]> => {
    const cluster = await startEtcd({ program })
    return [cluster, await sceneOn(cluster)]
  }

  it('outlives leaders that are killed, one after the other', async () => {
    const [cluster, scene] = await open()
    await using _ = scene
    const wrong = await under(`${version}: leaders killed`, scene, async (more) => {
      for (let round = 0; round < form(2, 10); round += 1) {
        const leader = await cluster.leader()
        await leader.kill()
        await more()
        await cluster.startAll()
      }
    })
    expect(wrong).toEqual(NOTHING)
  })

  it('outlives the end of all members at once', async () => {
    const [cluster, scene] = await open()
    await using _ = scene
    const wrong = await under(`${version}: all members killed`, scene, async () => {
      await cluster.killAll()
      await scene.sleep(500)
      await cluster.startAll()
    })
    expect(wrong).toEqual(NOTHING)
  })

  it('leaves a member whose connection stands and says nothing', async () => {
    const [cluster, scene] = await open()
    await using _ = scene
    const wrong = await under(`${version}: members stopped`, scene, async (more) => {
      for (const member of cluster.members) {
        await member.pause()
        await more()
        member.resume()
      }
    })
    expect(wrong).toEqual(NOTHING)
  })
})
