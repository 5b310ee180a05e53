/** The commands of operators, against a fake network. */
import { describe, expect, it } from 'vitest'
import { runCommandLine } from './program.js'
import { createFakeShell, type Answer, type FakeShell, type SeenRequest } from './shell.fixture.js'

const A = { namespace: 'default', service: 'orders', group: 'default', id: 'a' }
const DRAINING = { results: [{ ok: true, ...A, incarnation: 5, state: 'draining', durability: 'disk' }] }
const UNKNOWN = { status: 404, json: { error: { code: 'unknown_instance', message: 'none' } } }
const ENV = { USER: 'ann' }

async function run(
  line: readonly string[],
  answer: (request: SeenRequest) => Answer,
): Promise<FakeShell & { readonly code: number }> {
  const shell = createFakeShell(answer, { env: ENV })
  return Object.assign(shell, { code: await runCommandLine(line, shell) })
}

/** Runs a command that waits; time goes on while it does. */
async function runWaiting(
  line: readonly string[],
  answer: (request: SeenRequest) => Answer,
): Promise<FakeShell & { readonly code: number }> {
  const shell = createFakeShell(answer, { env: ENV })
  let code: number | undefined
  const ended = runCommandLine(line, shell).then((result) => (code = result))
  while (code === undefined) {
    await new Promise((resolve) => setImmediate(resolve))
    if (shell.clock.timers.length > 0) shell.clock.advance(50)
  }
  await ended
  return Object.assign(shell, { code })
}

describe('drain', () => {
  it('says who and why, for how long, and what consumers see now', async () => {
    const { code, requests, stdout } = await run(
      ['drain', 'orders', 'a', '--why', 'disk work', '--for', '2h'],
      () => ({ json: DRAINING }),
    )
    expect(code).toBe(0)
    expect(requests).toEqual([
      {
        method: 'PUT',
        url: 'http://127.0.0.1:7400/api/v1/overrides',
        body: { instances: [A], drain: true, durationMs: 7_200_000, by: 'ann', why: 'disk work' },
      },
    ])
    expect(stdout()).toBe('orders/default a is draining\n')
  })

  it('waits until every subscriber has heard of what had happened when it asked first', async () => {
    let asked = 0
    const { code, requests, stdout, stderr } = await runWaiting(
      ['drain', 'orders', 'a', '--wait'],
      ({ method, url }) => {
        if (method === 'PUT') return { json: DRAINING }
        if (url.includes('/explain')) return UNKNOWN
        const acknowledged = Math.min(++asked, 3)
        return { json: { subscribers: 3, acknowledged, pollersMs: 0, seq: 17, settled: acknowledged === 3 } }
      },
    )
    expect(code).toBe(0)
    expect(requests.slice(2).map(({ url }) => url.replace(/^.*\?/, ''))).toEqual([
      'namespace=default&group=default&ageMs=0',
      expect.stringMatching(/^namespace=default&group=default&seq=17&ageMs=\d+$/),
      expect.stringMatching(/seq=17&/),
    ])
    expect(stderr()).toBe('Waiting for 2 of 3 subscribers.\nWaiting for 1 of 3 subscribers.\n')
    expect(stdout()).toMatch(/is draining\nall 3 subscribers have heard after 0\.\d s: safe to stop\n$/)
  })

  describe('where a drain stands', () => {
    const EXPLAINED = {
      ...A, incarnation: 5, summary: '', listed: true, state: 'draining', stateAgeMs: 1,
      content: { intent: 'up', rev: 1, host: '10.0.0.1', port: 80 },
      verdict: { value: 'up', reason: 'registered', claim: 1, node: 'n1', seq: 0 },
      judge: { node: 'n1', claim: 1, own: true },
      override: { drain: true, counter: 3, node: 'n1', by: 'bob', why: 'disk work', remainingMs: 540_000 },
      guards: { service: { tripped: false, kept: 0 }, freezes: [] },
      events: [],
    } // prettier-ignore
    const drain = (...words: readonly string[]): ReturnType<typeof run> =>
      run(['drain', 'orders', 'a', ...words], ({ method, url }) => {
        if (method === 'PUT') return { json: DRAINING }
        const audience = { subscribers: 1, acknowledged: 1, pollersMs: 0, seq: 1, settled: true }
        return { json: url.includes('/explain') ? EXPLAINED : audience }
      })
    const puts = ({ requests }: FakeShell): unknown[] =>
      requests.filter(({ method }) => method === 'PUT').map(({ body }) => body)

    it('changes nothing of it where nothing new is said, and waits all the same', async () => {
      const waited = await drain('--wait')
      expect(puts(waited)).toEqual([])
      expect(waited.stdout()).toMatch(/^orders\/default a is draining\nall 1 subscribers have heard/)
      expect(waited.stderr()).toBe(
        'It was drained before: drain for another 9m by bob (disk work). What this command does not name stays.\n',
      )
      const json = await drain('--json')
      expect(JSON.parse(json.stdout())).toEqual({ ok: true, ...A, incarnation: 5, state: 'draining', unchanged: true }) // prettier-ignore
    })

    it('changes what is said, and nothing else', async () => {
      const instances = [A]
      expect(puts(await drain('--why', 'memory'))).toEqual([
        { instances, drain: true, durationMs: 540_000, why: 'memory', by: 'ann' },
      ])
      expect(puts(await drain('--for', '1h'))).toEqual([
        { instances, drain: true, durationMs: 3_600_000, why: 'disk work', by: 'ann' },
      ])
    })

    it('says what it replaces where another override stood', async () => {
      const override = { disable: true, counter: 3, node: 'n1', by: 'bob', why: 'wrong answers' }
      const { requests, stderr } = await run(['drain', 'orders', 'a'], ({ method }) => ({
        json: method === 'PUT' ? DRAINING : { ...EXPLAINED, state: 'disabled', override },
      }))
      expect(requests.at(-1)?.body).toEqual({ instances: [A], drain: true, by: 'ann' })
      expect(stderr()).toBe('This replaces an override: disable by bob (wrong answers).\n')
    })
  })

  it('gives up waiting in time, and says for whom it waited', async () => {
    const audience = { subscribers: 2, acknowledged: 1, pollersMs: 400, seq: 1, settled: false }
    const { code, stderr } = await runWaiting(
      ['drain', 'orders', 'a', '--wait', '--within', '2s'],
      ({ method, url }) =>
        url.includes('/explain') ? UNKNOWN : { json: method === 'PUT' ? DRAINING : audience },
    )
    expect(code).toBe(3)
    expect(stderr()).toContain(
      'not every subscriber has heard within 2 s: 1 of 2 subscribers and clients that poll',
    )
  })

  it.each([
    [['drain', 'orders'], 2],
    [['drain', 'orders', 'a', '--for', '10'], 2],
    [['drain', 'orders', 'a', '--for', '32d'], 2],
    [['drain', 'orders', 'a', '--within', 'soon'], 2],
  ])('is refused where the line makes no sense: %j', async (line, expected) => {
    const { code, requests } = await run(line, () => ({ json: DRAINING }))
    expect([code, requests]).toEqual([expected, []])
  })

  it('fails with what the registry says of the instance', async () => {
    const error = { code: 'unknown_instance', message: 'orders has no instance a', field: 'instances[0]' }
    const { code, stderr } = await run(['drain', 'orders', 'a'], () => ({
      status: 404,
      json: { error, results: [{ ok: false, error }] },
    }))
    expect([code, stderr()]).toEqual([1, 'rollcall: orders has no instance a\n'])
  })
})

describe('disable and enable', () => {
  it('ban an instance, and take everything back', async () => {
    const banned = await run(['disable', 'orders', 'a', '--group', 'blue', '--by', 'bob'], () => ({
      json: { results: [{ ok: true, ...A, incarnation: 5, durability: 'disk' }] },
    }))
    expect(banned.requests[0]?.body).toEqual({
      instances: [{ ...A, group: 'blue' }],
      disable: true,
      by: 'bob',
    })
    expect(banned.stdout()).toBe('orders/default a is not listed at present, and will be so when it is\n')
    const back = await run(['enable', 'orders', 'a', '--json'], () => ({ json: DRAINING }))
    expect(back.requests[0]).toMatchObject({ method: 'DELETE', body: { instances: [A], by: 'ann' } })
    expect(JSON.parse(back.stdout())).toEqual(DRAINING.results[0])
  })
})

describe('freeze and unfreeze', () => {
  it('name the namespace, or all', async () => {
    const frozen = await run(['freeze', '--namespace', '*', '--why', 'work'], () => ({
      json: { durability: 'disk' },
    }))
    expect(frozen.requests[0]).toMatchObject({
      method: 'PUT',
      body: { namespace: '*', by: 'ann', why: 'work' },
    })
    expect(frozen.stdout()).toBe('all namespaces are frozen\n')
    const ended = await run(['unfreeze'], () => ({ json: { removed: true } }))
    expect(ended.requests[0]).toMatchObject({ method: 'DELETE', body: { namespace: 'default' } })
    expect([ended.code, ended.stdout()]).toEqual([0, 'the freeze of default has ended\n'])
  })

  it('fail where there was no freeze, and with a group', async () => {
    const none = await run(['unfreeze'], () => ({ json: { removed: false } }))
    expect([none.code, none.stderr()]).toEqual([1, 'default was not frozen under this name.\n'])
    for (const name of ['freeze', 'unfreeze']) {
      expect((await run([name, '--group', 'blue'], () => ({ json: {} }))).code).toBe(2)
    }
  })
})

describe('restore', () => {
  const RESTORED = {
    ok: true, ...A, incarnation: 6, host: '10.0.0.1', port: 80, was: 'deregistered', goneMs: 61_000,
  } // prettier-ignore
  const REFUSED = {
    ok: false,
    group: 'default',
    id: 'b',
    error: { code: 'deregistered', message: 'not remembered' },
  }

  it('only shows what would come back, unless told --yes', async () => {
    const { code, requests, stdout, stderr } = await run(
      ['restore', 'orders', '--since', '10m', '--reason', 'deregistered'],
      () => ({ json: { dryRun: true, results: [RESTORED], durability: 'disk' } }),
    )
    expect(code).toBe(0)
    expect(requests[0]).toMatchObject({
      method: 'POST',
      body: { service: 'orders', sinceMs: 600_000, reasons: ['deregistered'], dryRun: true },
    })
    expect(
      stdout()
        .split('\n')
        .map((row) => row.split(/ +/)),
    ).toEqual([
      ['GROUP', 'ID', 'ADDRESS', 'WAS', 'AGO'],
      ['default', 'a', '10.0.0.1:80', 'deregistered', '61s'],
      [''],
    ])
    expect(stderr()).toBe('Nothing was changed. Repeat with --yes to bring 1 instance back.\n')
  })

  it('does it, and fails where something cannot come back', async () => {
    const { code, requests, stdout, stderr } = await run(['restore', 'orders', 'a', 'b', '--yes'], () => ({
      json: { dryRun: false, results: [RESTORED, REFUSED], durability: 'disk' },
    }))
    expect(code).toBe(1)
    expect(requests[0]?.body).toMatchObject({ ids: ['a', 'b'], dryRun: false })
    expect(stdout()).toContain('not remembered')
    expect(stderr()).toBe('Brought 1 instance back.\n')
    expect((await run(['restore', 'orders', '--reason', 'lost'], () => ({ json: {} }))).code).toBe(2)
    const nothing = await run(['restore', 'orders'], () => ({
      json: { dryRun: true, results: [], durability: 'disk' },
    }))
    expect([nothing.code, nothing.stderr()]).toEqual([0, 'Nothing left that could be brought back.\n'])
  })
})

describe('explain', () => {
  it('gives the answer in words, then what it rests on', async () => {
    const explanation = {
      ...A,
      incarnation: 5,
      summary: 'a of orders is listed as draining\u001b[31m.',
      listed: true,
      state: 'draining',
      stateAgeMs: 1,
      content: { intent: 'up', rev: 1, host: '10.0.0.1', port: 80 },
      verdict: { value: 'up', reason: 'registered', claim: 1, node: 'n1', seq: 0 },
      judge: { node: 'n1', claim: 1, own: true },
      override: { drain: true, counter: 3, node: 'n1', by: 'ann', why: 'work', remainingMs: 61_000 },
      evidence: {
        watchedMs: 5_000, heardMs: 3_000, heardBy: 'session', session: { open: true, silentMs: 3_000 },
        baseline: true, probeAllowed: true, probeUnderWay: false, probe: { outcome: 'failed', ageMs: 1_000 },
      },
      elsewhere: [
        { node: 'n2.boot', name: 'n2', heardMs: 2_000, heardBy: 'beat', session: true, judges: true },
        { node: 'n3.boot' },
      ],
      unanswered: ['n4.boot'],
      guards: { held: 'freeze', service: { tripped: true, kept: 2 }, freezes: [{ namespace: '*', ageMs: 1, by: 'bob' }] },
      next: { verdict: 'suspect', reason: 'silence', inMs: 6_000 },
      events: [{ seq: 1, at: '2026-01-01T00:00:00.000Z', kind: 'registered', ...A, to: 'up', peer: '10.0.0.1' }],
    } // prettier-ignore
    const { code, requests, stdout } = await run(['explain', 'orders', 'a'], () => ({ json: explanation }))
    expect(code).toBe(0)
    expect(requests[0]?.url).toContain('/api/v1/explain?service=orders&id=a')
    expect(stdout()).toBe(
      [
        'a of orders is listed as draining\\u{1b}[31m.',
        '',
        'WHAT         VALUE',
        'incarnation  5',
        'content      up, rev 1, 10.0.0.1:80',
        'verdict      up (registered), claim 1, node n1, seq 0',
        'override     drain for another 61s by ann (work) version 3',
        'heard        3s ago by session',
        'session      open, silent for 3s',
        'probes       allowed, connected before',
        'last probe   failed 1s ago',
        'at n2        heard 2s ago by beat, session open, judges it',
        'at n3.boot   never heard',
        'at n4.boot   no answer',
        'held by      freeze',
        'guard        keeps silent instances: 2',
        'frozen       * bob',
        'next         suspect (silence) in 6s',
        '',
        '2026-01-01T00:00:00.000Z  registered        orders/default  a  - → up  from 10.0.0.1',
        '',
      ].join('\n'),
    )
  })
})

describe('events', () => {
  const event = (seq: number): object => ({
    seq,
    at: '2026-01-01T00:00:00.000Z',
    kind: 'state',
    ...A,
    from: 'up',
    to: 'down',
    reason: 'silence',
  })

  it('are those of all nodes where it is asked, each with its node', async () => {
    const { requests, stdout, stderr } = await run(['events', '--service', 'orders', '--all-nodes'], () => ({
      json: { node: 'n1', events: [{ ...event(1), node: 'n2' }], next: 2, unanswered: ['n3'] },
    }))
    expect(requests[0]?.url).toContain('nodes=all')
    expect(stdout()).toMatch(/up → down.*at n2\n$/)
    expect(stderr()).toContain('No answer from n3.')
    for (const wrong of [['--all-nodes'], ['--all-nodes', '--service', 'orders', '--follow']])
      expect((await run(['events', ...wrong], () => UNKNOWN)).code).toBe(2)
  })

  it('prints the newest, narrowed as asked', async () => {
    const { code, requests, stdout } = await run(
      ['events', '--service', 'orders', '--kind', 'state', '--limit', '5'],
      () => ({ json: { node: 'n1', events: [event(1)], next: 1 } }),
    )
    expect(code).toBe(0)
    expect(requests[0]?.url).toBe('http://127.0.0.1:7400/api/v1/events?service=orders&kind=state&limit=5')
    expect(stdout()).toBe(
      '2026-01-01T00:00:00.000Z  state             orders/default  a  up → down  (silence)\n',
    )
    expect((await run(['events', '--limit', '0'], () => ({ json: {} }))).code).toBe(2)
  })

  it('follows: reads on, sits through outages, begins anew with another node, ends with a signal', async () => {
    const script: Answer[] = [
      { json: { node: 'n1', events: [event(1)], next: 1 } },
      { json: { node: 'n1', events: [event(2)], next: 9, lost: 7 } },
      { fails: 'ECONNREFUSED' },
      { fails: 'ECONNREFUSED' },
      { json: { node: 'n2', events: [], next: 2 } },
      { json: { node: 'n2', events: [event(1), event(2)], next: 2 } },
    ]
    const shell = createFakeShell(() => script.shift() ?? { json: { node: 'n2', events: [], next: 2 } })
    let code: number | undefined
    void runCommandLine(['events', '--follow', '--json'], shell).then((result) => (code = result))
    for (let turn = 0; turn < 200 && code === undefined; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      shell.clock.advance(100)
      if (shell.requests.length > 8) shell.raise('SIGINT')
    }
    expect(code).toBe(0)
    const afters = shell.requests.map(({ url }) => new URL(url).searchParams.get('after'))
    expect(afters.slice(0, 7)).toEqual([null, '1', '9', '9', '9', '0', '2'])
    expect(
      shell
        .stdout()
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { seq: number }).seq),
    ).toEqual([1, 2, 1, 2])
    expect(shell.stderr().split('\n').slice(0, 3)).toEqual([
      '7 events were forgotten before they were read.',
      'No registry answers; trying on.',
      'Node n2 answers now: its own log follows.',
    ])
  })
})
